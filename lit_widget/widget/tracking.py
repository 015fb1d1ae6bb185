"""Following the objects through the video, frame by frame in sight of the views."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lit_widget.core.heap import give_back_freed_memory
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.propagate import propagate

from .activity import Activity
from .limits import AnnotationError

if TYPE_CHECKING:
    from .annotation import Annotation

STATE_EVERY_S = 0.5


def way(annotation: Annotation, start: int, stop: int | None, *, reverse: bool) -> tuple[int, list[int]]:
    """The last frame of the way from `start`, and the objects that can be followed on it.

    Raises:
        AnnotationError: if `stop` lies elsewhere, or there is nothing to follow.
    """
    n_frames = len(annotation.learner.frames)
    first, end = annotation.range or (0, n_frames - 1)
    last = (first if reverse else end) if stop is None else stop
    annotation.check(VideoItem(start, annotation.active))
    annotation.check(VideoItem(last, annotation.active))
    if stop is None and (start < first if reverse else start > end):
        raise AnnotationError(
            f"frame {start} lies outside the range from {first} to {end}; start within it, or set another range"
        )
    if (last > start) if reverse else (last < start):
        raise AnnotationError(
            f"frame {last} is not on the way from frame {start}; "
            f"{'leave reverse out' if reverse else 'set reverse=True'} to track there"
        )
    begun = [each for each in annotation.names if annotation.learner.bank(each).has_conditioning]
    if not begun:
        raise AnnotationError("there is nothing to track yet; click the object on some frame first")
    free = [each for each in begun if not annotation.objects[each].locked]
    if not free:
        raise AnnotationError("everything that could be tracked is locked; unlock an object first")
    return last, free


def follow(
    annotation: Annotation, activity: Activity, objects: list[int], start: int, stop: int, *, reverse: bool
) -> None:
    """Track objects from `start` to `stop`; their masks reach the views several times a second."""
    activity.enter("track", abs(stop - start) + 1)
    before = annotation.learner.records()
    annotation.changes.clear()
    waiting: list[VideoItem] = []
    told = time.monotonic()
    steps = propagate(
        annotation.learner,
        objects,
        start,
        stop,
        reverse=reverse,
        revise=lambda prediction: annotation.session.strategy.revise(annotation.learner, prediction),
        cancelled=activity.interrupted,
    )
    for done, tracked in enumerate(steps, start=1):
        activity.reached = tracked.frame
        for prediction in tracked.predictions:
            annotation.confidence.note(prediction)
            record = annotation.learner.bank(prediction.item.object).records[prediction.item.frame]
            annotation.changes.note(prediction.item, before.get(prediction.item), record)
            annotation.feed.touch(prediction.item)
            waiting.append(prediction.item)
        if activity.step(done):
            annotation.feed.show(waiting)
            waiting = []
        if time.monotonic() - told > STATE_EVERY_S:
            told = time.monotonic()
            annotation.publish()
            give_back_freed_memory()
    annotation.feed.show(waiting)
    if changed := annotation.changes.count:
        activity.note = f"{changed} mask{'s' if changed > 1 else ''} changed"
    annotation.publish()
