"""Turning what stands on frames into learned corrections, in sight of the views."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lit_widget.core.types import Correction, Prediction, UpdateReport
from lit_widget.video.adaptation import MaskTarget, VideoItem

from .activity import Activity
from .pending import Pending
from .to_view import Error

if TYPE_CHECKING:
    from .annotation import Annotation


def commit_all(annotation: Annotation, activity: Activity) -> None:
    """Learn every correction that stands; first prompts are memory already and only cease to stand."""
    for item, pending in list(annotation.pending.items()):
        if activity.cancelled():
            return
        if annotation.objects[item.object].locked:
            continue
        if pending.prediction is not None:
            _correct(annotation, activity, item, pending, pending.prediction)
        del annotation.pending[item]
        if pending.prediction is not None:
            # Nobody is told of a verdict that a crash could still take back.
            annotation.save()
            annotation.feed.show_changed([item])
            annotation.publish()


def _correct(
    annotation: Annotation, activity: Activity, item: VideoItem, pending: Pending, prediction: Prediction
) -> None:
    activity.enter("learn", annotation.learner.update_config.epochs, f"Learning from frame {item.frame}")
    target = MaskTarget(annotation.learner.mask(pending.mask))
    correction = Correction(item, pending.mask, target, pending.points.n_clicks, pending.full)
    annotation.confidence.wrong(prediction)
    learn_with_progress(annotation, activity, lambda: annotation.session.correct(prediction, correction).update, item)
    annotation.clicks[item] = correction.n_clicks


def learn_with_progress(
    annotation: Annotation, activity: Activity, learn: Callable[[], UpdateReport | None], item: VideoItem
) -> None:
    """Run something that may train, so that it can be watched and cancelled, and keep its report."""
    learner, steps = annotation.learner, 0

    def cancelled() -> bool:
        nonlocal steps
        activity.step(steps)
        steps += 1
        return activity.cancelled()

    learner.cancelled = cancelled
    try:
        report = learn()
    finally:
        learner.cancelled = lambda: False
    if report is not None:
        updates = sum(adapter.version for adapter in learner.adapters.of(item.object))
        annotation.reports[item.object, updates] = report
        if report.stopped == "non-finite":
            annotation.tell(Error("The update gave a non-finite loss and was rolled back; the correction stands."))
