"""The frozen words that every task speaks: what was predicted, proposed, corrected and learned."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from torch import Tensor

Output = TypeVar("Output")
"""What a task predicts for one item: a mask, a class ranking."""

Item = Any
"""What is annotated, one at a time, hashable: an object on a frame, an image."""


@dataclass(frozen=True)
class Prediction(Generic[Output]):
    """What the frozen model says of an item.

    Attributes:
        item: what it is about.
        output: the task's output.
        evidence: what the model saw; an adapter is consulted and trained on it. Only the learner reads it.
        predict_s: seconds it took.
    """

    item: Item
    output: Output
    evidence: Any = field(repr=False, default=None)
    predict_s: float = 0.0


@dataclass(frozen=True)
class Proposal(Generic[Output]):
    """A second opinion on an item that the user found wrong.

    Attributes:
        item: what it is about.
        output: the proposed output.
        source: who proposes, as users read it, for example "adapter".
        version: updates of the adapter so far; 0 when nothing was learned.
        learned_from: items that the adapter was trained on, in order.
        propose_s: seconds until it and those offered beside it were there.
    """

    item: Item
    output: Output
    source: str = "adapter"
    version: int = 0
    learned_from: tuple[Item, ...] = ()
    propose_s: float = 0.0


@dataclass(frozen=True)
class Correction(Generic[Output]):
    """What the user gives at an item whose prediction was wrong.

    Attributes:
        item: what it is about.
        output: the output after the correction.
        target: what the adapter learns from, in the task's own form; `None` teaches nothing.
        n_clicks: clicks that it took.
        full: whether the whole answer was given by hand in the end (a painted mask).
    """

    item: Item
    output: Output
    target: Any = field(repr=False, default=None)
    n_clicks: int = 0
    full: bool = False


@dataclass(frozen=True)
class UpdateReport:
    """What one online update did.

    Attributes:
        version: updates of the adapter after this one.
        losses: training loss before each step.
        scores: agreement with the target before each step, in [0, 1].
        stopped: "epochs" (all done), "patience", "hopeless", "cancelled" or "non-finite".
        update_s: seconds.
        rolled_back: whether the weights went back to what they were before.
    """

    version: int
    losses: tuple[float, ...]
    scores: tuple[float, ...]
    stopped: str
    update_s: float
    rolled_back: bool = False


@dataclass(frozen=True)
class AdapterState:
    """The weights of one adapter and where they come from.

    Attributes:
        version: updates so far.
        learned_from: items that it was trained on, in order.
        tensors: the trained weights by name; of a LoRA on an m × n layer, (r, n) and (m, r).
        samples: earlier corrections that the next update repeats, in the learner's own form.
    """

    version: int
    learned_from: tuple[Item, ...]
    tensors: dict[str, Tensor] = field(repr=False)
    samples: tuple[Any, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Snapshot:
    """Everything that a learner has learned and settled; restoring it is exact.

    Attributes:
        adapters: weights by adapter key and slot.
        memory: settled outputs in the learner's own form, never changed in place.
    """

    adapters: dict[tuple[Hashable, int], AdapterState]
    memory: Any = field(repr=False, default=None)
