"""The one loop of live interactive training, driven by a widget or by a simulated user alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from .history import Checkpoint, History, Lesson
from .learner import LiveLearner
from .strategy import Strategy
from .types import Correction, Item, Prediction, Proposal, UpdateReport


@dataclass(frozen=True)
class Tracked:
    """The prediction was good enough (or nobody judged it) and was kept."""

    prediction: Prediction


@dataclass(frozen=True)
class Rejected:
    """All proposals were refused; a correction follows."""

    proposals: tuple[Proposal, ...]


@dataclass(frozen=True)
class Accepted:
    """A proposal was taken instead of a correction of `prediction`; `update` tells what was learned from it."""

    proposal: Proposal
    prediction: Prediction
    update: UpdateReport | None = None


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

    def choose(self, proposals: tuple[Proposal, ...]) -> Proposal | None:
        """The proposal to accept, or `None` if all of them are wrong."""
        ...

    def correct(self, prediction: Prediction) -> Correction | None:
        """The correction of a wrong prediction, or `None` if it turns out to be right."""
        ...


@runtime_checkable
class Beside(Protocol):
    """State of the driver that belongs to the session's history."""

    def snapshot(self, *, whole: bool) -> Any:
        """The state as it is, never changed in place; or only what may change beside the learner's work."""
        ...

    def restore(self, state: Any) -> None:
        """Go back to what `snapshot` gave."""
        ...


class LiveSession:
    """Predict, judge, propose, correct, learn: one item after the other.

    Args:
        learner: the model and its adapters.
        strategy: who proposes and what is learned.
        on_event: called with every event as it happens.
        beside: what undo takes back together with the learner.
    """

    def __init__(
        self,
        learner: LiveLearner,
        strategy: Strategy,
        *,
        on_event: Callable[[Event], None] | None = None,
        beside: Beside | None = None,
    ) -> None:
        self.learner, self.strategy, self.beside = learner, strategy, beside
        self.history = History()
        self.lessons: tuple[Lesson, ...] = ()
        self._on_event = on_event

    def predict(self, item: Item) -> Prediction:
        """The model's answer as the strategy has it; nothing is kept yet."""
        started = time.perf_counter()
        prediction = self.strategy.revise(self.learner, self.learner.predict_one(item))
        return replace(prediction, predict_s=time.perf_counter() - started)

    def keep(self, prediction: Prediction) -> Tracked:
        """Take the prediction as it is."""
        self.learner.settle_one(prediction.item, prediction.output)
        return self._emit(Tracked(prediction))

    def propose(self, prediction: Prediction) -> tuple[Proposal, ...]:
        """Second opinions on a prediction found wrong, as many as the strategy has."""
        started = time.perf_counter()
        proposals = self.strategy.propose(self.learner, prediction)
        spent = time.perf_counter() - started
        return tuple(replace(proposal, propose_s=spent) for proposal in proposals)

    def reject(self, proposals: tuple[Proposal, ...]) -> Rejected:
        """Refuse all proposals."""
        return self._emit(Rejected(proposals))

    def accept(self, prediction: Prediction, proposal: Proposal) -> Accepted:
        """Take a proposal instead of a prediction; its item is locked."""
        update = self._taught(prediction, proposal)
        self.learner.settle_one(proposal.item, proposal.output, verdict="accepted")
        return self._emit(Accepted(proposal, prediction, update))

    def correct(self, prediction: Prediction, correction: Correction) -> Corrected:
        """Learn from a correction, apply it and lock its item."""
        update = self._taught(prediction, correction)
        self.learner.settle_one(correction.item, correction.output, verdict="corrected", full=correction.full)
        return self._emit(Corrected(correction, update, prediction))

    def checkpoint(self) -> Checkpoint:
        """Make the present state one that `undo` goes back to; verdicts do so themselves."""
        present = self._present()
        self.history.add(present)
        return present

    def checkpoint_beside(self) -> None:
        """Let `undo` go back to what the driver may change from any thread, and leave all else as it is."""
        self.history.add(self._present(whole=False))

    def undo(self) -> None:
        """Go back to before the last verdict: outputs, memory and weights.

        Raises:
            IndexError: if there is none.
        """
        self._restore(self.history.undo(self._like))

    def redo(self) -> None:
        """Take the last `undo` back.

        Raises:
            IndexError: if there is none.
        """
        self._restore(self.history.redo(self._like))

    def forget(self, item: Item) -> list[UpdateReport]:
        """Rebuild the adapters as if the correction of `item` had never been learned; its output stays.

        What came before is restored, what came after is learned again with the same seeds. `undo` takes it back.

        Raises:
            KeyError: if no correction of this item was learned.
        """
        verdicts = [lesson.verdict for lesson in self.lessons]
        corrected = {each.item: at for at, each in enumerate(verdicts) if isinstance(each, Correction)}
        if item not in corrected:
            raise KeyError(f"no correction of {item} was learned; corrections are of {list(corrected)}")
        present, at = self.checkpoint(), corrected[item]
        assert present.snapshot is not None
        snapshot = replace(present.snapshot, adapters=self.lessons[at].before)
        self._restore(replace(present, snapshot=snapshot, lessons=self.lessons[:at]))
        again = (self._teach(each.prediction, each.verdict) for each in present.lessons[at + 1 :])
        reports = [report for report in again if report is not None]
        if any(report.stopped == "cancelled" for report in reports):
            self.history.drop(present)
            self._restore(present)
        return reports

    def step(self, item: Item, user: User | None) -> Event:
        """One turn of the loop (paper section 3.1); without a user the prediction is kept unjudged."""
        return self.judge(self.predict(item), user)

    def judge(self, prediction: Prediction, user: User | None) -> Event:
        """The rest of the turn once the item was predicted."""
        if user is None or not user.finds_wrong(prediction.item, prediction.output):
            return self.keep(prediction)
        proposals = self.propose(prediction)
        if proposals:
            chosen = user.choose(proposals)
            if chosen is not None:
                return self.accept(prediction, chosen)
            self.reject(proposals)
        correction = user.correct(prediction)
        return self.keep(prediction) if correction is None else self.correct(prediction, correction)

    def _taught(self, prediction: Prediction, verdict: Correction | Proposal) -> UpdateReport | None:
        """Learn from a verdict as a step of its own; where that fails nothing was done that could be taken back."""
        before = self.checkpoint()
        try:
            return self._teach(prediction, verdict)
        except BaseException:
            self.history.drop(before)
            raise

    def _teach(self, prediction: Prediction, verdict: Correction | Proposal) -> UpdateReport | None:
        """Let the strategy learn from a verdict, and remember the lesson."""
        lesson = Lesson(prediction, verdict, self.learner.snapshot().adapters)
        if isinstance(verdict, Correction):
            update = self.strategy.learn(self.learner, prediction, verdict)
        else:
            update = self.strategy.learn_accepted(self.learner, prediction, verdict)
        if update is not None or isinstance(verdict, Correction):
            self.lessons = (*self.lessons, lesson)
        return update

    def _present(self, *, whole: bool = True) -> Checkpoint:
        beside = None if self.beside is None else self.beside.snapshot(whole=whole)
        return Checkpoint(self.learner.snapshot(), self.lessons, beside) if whole else Checkpoint(None, (), beside)

    def _like(self, state: Checkpoint) -> Checkpoint:
        return self._present(whole=state.snapshot is not None)

    def _restore(self, state: Checkpoint) -> None:
        if state.snapshot is not None:
            self.learner.restore(state.snapshot)
            self.lessons = state.lessons
        if self.beside is not None:
            self.beside.restore(state.beside)

    def _emit(self, event: Any) -> Any:
        if self._on_event is not None:
            self._on_event(event)
        return event
