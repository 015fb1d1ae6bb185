"""A simulated user at work in the widget's own views."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from lit_widget.core.session import Event, Tracked
from lit_widget.core.strategy import Strategy
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.learner import VideoLearner

from .activity import Activity
from .annotation import Annotation
from .tracking import STATE_EVERY_S


class Watching:
    """Shows what a simulation does, frame by frame; called by it after each.

    The masks of the simulated annotation stand in the place of the user's own until they are undone.

    Args:
        annotation: whose views are watched.
        activity: tells the progress, and whether to stop.
    """

    def __init__(self, annotation: Annotation, activity: Activity) -> None:
        self._annotation, self._activity = annotation, activity
        self._owners: dict[int, int] = {}
        self._learner: VideoLearner | None = None
        self._counts = Counter[str]()
        self._told = 0.0
        annotation.session.checkpoint()

    def __call__(self, strategy: Strategy, learner: VideoLearner, object_id: int, result: Any, event: Event) -> None:
        """Show one judged frame.

        Raises:
            KeyboardInterrupt: if the user stops it, which is how a simulation is told to return what it has.
        """
        if self._activity.cancelled():
            raise KeyboardInterrupt
        owner = self._owner(object_id)
        if learner is not self._learner:
            self._begin(strategy, learner, object_id, owner)
        self._counts[type(event).__name__] += 1
        counts = f"{self._counts['Corrected']} corrected, {self._counts['Accepted']} accepted"
        self._activity.note = f"{strategy.name}: {counts}"
        self._annotation.feed.touch(VideoItem(result.frame, owner))
        self._annotation.feed.show([VideoItem(result.frame, owner)])
        self._activity.step(result.frame, len(learner.frames))
        if not isinstance(event, Tracked) or time.monotonic() - self._told > STATE_EVERY_S:
            self._told = time.monotonic()
            if strategy.name == self._annotation.strategy.name:
                self._annotation.learner.adapters.restore(
                    {(owner, slot): state for (_, slot), state in learner.adapters.snapshot().items()}
                )
            self._annotation.publish()

    def _begin(self, strategy: Strategy, learner: VideoLearner, object_id: int, owner: int) -> None:
        """An object is annotated from the start."""
        annotation = self._annotation
        gone = [item for item in annotation.learner.records() if item.object == owner]
        self._learner, self._counts = learner, Counter()
        annotation.learner.banks[owner] = learner.bank(object_id)
        annotation.feed.show_changed(gone)
        self._activity.enter("track", len(learner.frames), strategy.name)

    def _owner(self, object_id: int) -> int:
        """The widget's object in whose place a simulated one is shown."""
        if object_id not in self._owners:
            free = [each for each in self._annotation.names if each not in self._owners.values()]
            self._owners[object_id] = free[0] if free else self._annotation.place_object(None)
        return self._owners[object_id]


def stop(*_: Any) -> None:
    """Stop a simulation after its first frame.

    Raises:
        KeyboardInterrupt: always.
    """
    raise KeyboardInterrupt
