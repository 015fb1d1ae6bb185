"""Strategies: at an error, who proposes an answer, and what is learned from the correction."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, runtime_checkable

from .learner import LiveLearner
from .types import Correction, Prediction, Proposal, UpdateReport


@runtime_checkable
class Strategy(Protocol):
    """What differs between LIT, its baseline and its ablations; inherit it to get the defaults."""

    name: ClassVar[str]
    help: ClassVar[str]

    def revise(self, learner: LiveLearner, prediction: Prediction) -> Prediction:
        """What becomes of the frozen model's answer before anyone judges it; by default it stands."""
        return prediction

    def propose(self, learner: LiveLearner, prediction: Prediction) -> Proposal | None:
        """An answer to offer at an error, or `None`, the default."""
        return None

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Learn from a correction, or not, the default."""
        return None


@dataclass(frozen=True)
class Original(Strategy):
    """The frozen model: corrections are used once and forgotten."""

    name: ClassVar[str] = "original"
    help: ClassVar[str] = "the frozen model; every error is corrected by the user"


@dataclass(frozen=True)
class LitLora(Strategy):
    """LIT-LoRA: the adapter is consulted at every error and trained on every correction (paper section 3)."""

    name: ClassVar[str] = "lit-lora"
    help: ClassVar[str] = "LIT-LoRA: an adapter trained on every correction proposes at later errors"

    def propose(self, learner: LiveLearner, prediction: Prediction) -> Proposal | None:
        """The adapter's answer once it has learned anything."""
        return learner.propose_one(prediction)

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Train the adapter on the correction."""
        return learner.learn_one(prediction, correction)


@dataclass(frozen=True)
class LoraNoCl(LitLora):
    """Ablation: only the first correction is learned, later ones are applied and forgotten (paper section 4.4)."""

    name: ClassVar[str] = "lora-no-cl"
    help: ClassVar[str] = "ablation: the adapter learns the first correction only"

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Train while the adapter has learned nothing yet."""
        if learner.propose_one(prediction) is not None:
            return None
        return learner.learn_one(prediction, correction)


@dataclass(frozen=True)
class ReplaceOriginal(Strategy):
    """Ablation: what the adapter says is the prediction, nobody is asked to accept it (paper section 4.4).

    Once trained, the adapter's answer goes into memory on every item, good or bad; so the paper keeps it out.
    """

    name: ClassVar[str] = "replace-original"
    help: ClassVar[str] = "ablation: the trained adapter predicts in the model's place"

    def revise(self, learner: LiveLearner, prediction: Prediction) -> Prediction:
        """The adapter's answer once it has learned anything."""
        proposal = learner.propose_one(prediction)
        return prediction if proposal is None else replace(prediction, output=proposal.output)

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Train the adapter on the correction."""
        return learner.learn_one(prediction, correction)


def find_strategy(name: str, known: dict[str, Strategy]) -> Strategy:
    """Look a strategy up by name.

    Raises:
        ValueError: if there is none; near matches are named.
    """
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ValueError(f"unknown strategy {name!r}; {hint}choose from {', '.join(known)}")
