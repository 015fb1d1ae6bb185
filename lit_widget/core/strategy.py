"""Strategies: at an error, who proposes an answer, and what is learned from the correction."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from .learner import LiveLearner
from .types import Correction, Prediction, Proposal, UpdateReport


@runtime_checkable
class Strategy(Protocol):
    """What differs between LIT, its baseline and its ablations."""

    name: ClassVar[str]
    help: ClassVar[str]

    def propose(self, learner: LiveLearner, prediction: Prediction) -> Proposal | None:
        """An answer to offer at an error, or `None`."""
        ...

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Learn from a correction, or not."""
        ...


@dataclass(frozen=True)
class Original:
    """The frozen model: corrections are used once and forgotten."""

    name: ClassVar[str] = "original"
    help: ClassVar[str] = "the frozen model; every error is corrected by the user"

    def propose(self, learner: LiveLearner, prediction: Prediction) -> Proposal | None:
        """Nothing to propose."""
        return None

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Nothing to learn."""
        return None


@dataclass(frozen=True)
class LitLora:
    """LIT-LoRA: the adapter is consulted at every error and trained on every correction (paper section 3)."""

    name: ClassVar[str] = "lit-lora"
    help: ClassVar[str] = "LIT-LoRA: an adapter trained on every correction proposes at later errors"

    def propose(self, learner: LiveLearner, prediction: Prediction) -> Proposal | None:
        """The adapter's answer once it has learned anything."""
        return learner.propose_one(prediction)

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
