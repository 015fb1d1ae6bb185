"""The one loop of live interactive training, driven by a widget or by a simulated user alike."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from .learner import LiveLearner
from .strategy import Strategy
from .types import Correction, Item, Prediction, Proposal, Snapshot, UpdateReport

MAX_UNDO = 100
"""Verdicts that can be taken back."""


@dataclass(frozen=True)
class Tracked:
    """The prediction was good enough (or nobody judged it) and was kept."""

    prediction: Prediction


@dataclass(frozen=True)
class Rejected:
    """A proposal was refused; a correction follows."""

    proposal: Proposal


@dataclass(frozen=True)
class Accepted:
    """A proposal was taken instead of a correction of `prediction`."""

    proposal: Proposal
    prediction: Prediction


@dataclass(frozen=True)
class Corrected:
    """The user corrected the error in `prediction`; `update` tells what was learned from it."""

    correction: Correction
    update: UpdateReport | None
    prediction: Prediction


Event = Tracked | Rejected | Accepted | Corrected


@runtime_checkable
class User(Protocol):
    """Who judges outputs and corrects them; a person's clicks and the simulated user both fit."""

    def finds_wrong(self, item: Item, output: Any) -> bool:
        """Whether this output is an error."""
        ...

    def correct(self, prediction: Prediction) -> Correction:
        """The correction of a wrong prediction."""
        ...


class LiveSession:
    """Predict, judge, propose, correct, learn: one item after the other.

    Args:
        learner: the model and its adapters.
        strategy: who proposes and what is learned.
        on_event: called with every event as it happens.
    """

    def __init__(
        self, learner: LiveLearner, strategy: Strategy, *, on_event: Callable[[Event], None] | None = None
    ) -> None:
        self.learner, self.strategy = learner, strategy
        self._on_event = on_event
        self._history: deque[Snapshot] = deque(maxlen=MAX_UNDO)

    def predict(self, item: Item) -> Prediction:
        """The model's answer as the strategy has it; nothing is kept yet."""
        started = time.perf_counter()
        prediction = self.strategy.revise(self.learner, self.learner.predict_one(item))
        return replace(prediction, predict_s=time.perf_counter() - started)

    def keep(self, prediction: Prediction) -> Tracked:
        """Take the prediction as it is."""
        self.learner.settle_one(prediction.item, prediction.output)
        return self._emit(Tracked(prediction))

    def propose(self, prediction: Prediction) -> Proposal | None:
        """A second opinion on a prediction found wrong, if the strategy has one."""
        started = time.perf_counter()
        proposal = self.strategy.propose(self.learner, prediction)
        if proposal is None:
            return None
        return replace(proposal, propose_s=time.perf_counter() - started)

    def reject(self, proposal: Proposal) -> Rejected:
        """Refuse a proposal."""
        return self._emit(Rejected(proposal))

    def accept(self, prediction: Prediction, proposal: Proposal) -> Accepted:
        """Take a proposal instead of a prediction; its item is locked."""
        self.checkpoint()
        self.learner.settle_one(proposal.item, proposal.output, verdict="accepted")
        return self._emit(Accepted(proposal, prediction))

    def correct(self, prediction: Prediction, correction: Correction) -> Corrected:
        """Learn from a correction, apply it and lock its item."""
        self.checkpoint()
        update = self.strategy.learn(self.learner, prediction, correction)
        self.learner.settle_one(correction.item, correction.output, verdict="corrected", full=correction.full)
        return self._emit(Corrected(correction, update, prediction))

    def checkpoint(self) -> Snapshot:
        """Make the present state one that `undo` goes back to; verdicts do so themselves."""
        self._history.append(self.learner.snapshot())
        return self._history[-1]

    def forget(self, checkpoint: Snapshot) -> None:
        """Undo no longer stops at this state: what followed it was taken back otherwise."""
        self._history = deque((each for each in self._history if each is not checkpoint), maxlen=MAX_UNDO)

    @property
    def can_undo(self) -> bool:
        """Whether there is anything to take back."""
        return bool(self._history)

    def undo(self) -> None:
        """Go back to before the last verdict: outputs, memory and weights.

        Raises:
            IndexError: if there is none.
        """
        if not self._history:
            raise IndexError("nothing to undo: no correction or accepted proposal is left")
        self.learner.restore(self._history.pop())

    def step(self, item: Item, user: User | None) -> Event:
        """One turn of the loop (paper section 3.1); without a user the prediction is kept unjudged."""
        prediction = self.predict(item)
        if user is None or not user.finds_wrong(item, prediction.output):
            return self.keep(prediction)
        proposal = self.propose(prediction)
        if proposal is not None:
            if not user.finds_wrong(item, proposal.output):
                return self.accept(prediction, proposal)
            self.reject(proposal)
        return self.correct(prediction, user.correct(prediction))

    def _emit(self, event: Any) -> Any:
        if self._on_event is not None:
            self._on_event(event)
        return event
