"""Undo and redo over everything that was learned and settled."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .types import AdapterState, Correction, Prediction, Proposal, Snapshot

MAX_UNDO = 100
"""Verdicts that can be taken back."""


@dataclass(frozen=True)
class Lesson:
    """A verdict that the strategy could learn from, with what is needed to learn it again.

    Attributes:
        prediction: what the model had said.
        verdict: the correction, or the proposal that was accepted instead.
        before: the adapters as they were before it.
    """

    prediction: Prediction
    verdict: Correction | Proposal
    before: dict[tuple[Hashable, int], AdapterState] = field(repr=False)


@dataclass(frozen=True)
class Checkpoint:
    """A state to go back to.

    Attributes:
        snapshot: the learner's; `None` where only what the driver keeps was about to change.
        lessons: all so far.
        beside: what the driver keeps beside them.
    """

    snapshot: Snapshot | None
    lessons: tuple[Lesson, ...] = ()
    beside: Any = field(repr=False, default=None)


class History:
    """The states before the verdicts of a session, and those that undo left."""

    def __init__(self) -> None:
        self._past: deque[Checkpoint] = deque(maxlen=MAX_UNDO)
        self._future: list[Checkpoint] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is anything to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether anything was taken back and nothing else done since."""
        return bool(self._future)

    @property
    def states(self) -> tuple[tuple[Checkpoint, ...], tuple[Checkpoint, ...]]:
        """Those that `undo` and those that `redo` goes to, each with the next one last; any thread may ask."""
        return tuple(self._past), tuple(self._future)

    def refill(self, past: Iterable[Checkpoint], future: Iterable[Checkpoint]) -> None:
        """Take the states of an earlier session, each side with the next one last."""
        self._past, self._future = deque(past, maxlen=MAX_UNDO), list(future)

    def add(self, state: Checkpoint) -> None:
        """Make a state one that `undo` goes back to."""
        self._past.append(state)
        self._future.clear()

    def join(self, state: Checkpoint) -> None:
        """Make all that was done since this state one step: `undo` stops at it and nowhere in between."""
        if any(each is state for each in self._past):
            while self._past[-1] is not state:
                self._past.pop()

    def drop(self, state: Checkpoint) -> None:
        """Undo no longer stops at this state: what followed it was taken back otherwise."""
        self._past = deque((each for each in self._past if each is not state), maxlen=MAX_UNDO)

    def undo(self, present: Callable[[Checkpoint], Checkpoint]) -> Checkpoint:
        """The state before the last step.

        Args:
            present: gives as much of the present state as a checkpoint holds.

        Raises:
            IndexError: if there is none.
        """
        if not self._past:
            raise IndexError("nothing to undo: no correction or accepted proposal is left")
        before = self._past.pop()
        self._future.append(present(before))
        return before

    def redo(self, present: Callable[[Checkpoint], Checkpoint]) -> Checkpoint:
        """The state that the last `undo` left.

        Args:
            present: gives as much of the present state as a checkpoint holds.

        Raises:
            IndexError: if there is none.
        """
        if not self._future:
            raise IndexError("nothing to redo: nothing was undone since the last verdict")
        after = self._future.pop()
        self._past.append(present(after))
        return after
