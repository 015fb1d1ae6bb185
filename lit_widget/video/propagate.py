"""Propagation: track objects frame by frame, going around what a person has settled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lit_widget.core.types import Prediction

from .learner import VideoLearner


@dataclass(frozen=True)
class TrackedFrame:
    """What propagation did on one frame; objects that were locked or not begun yet are absent."""

    frame: int
    predictions: tuple[Prediction, ...]


def propagate(
    learner: VideoLearner,
    objects: Sequence[int],
    start: int,
    stop: int,
    *,
    reverse: bool = False,
    revise: Callable[[Prediction], Prediction] = lambda prediction: prediction,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[TrackedFrame]:
    """Track `objects` from frame `start` to frame `stop`, both included.

    Prompted, corrected and accepted frames are never overwritten: unlike `SAM2VideoPredictor`, which infers a
    click-corrected frame again without its clicks. An object begins at its first prompt in the direction of
    travel; before it there is nothing to follow.

    Args:
        learner: holds the objects' memory; what is yielded has been settled there.
        objects: which objects to track.
        start: first frame.
        stop: last frame; on the other side of `start` when `reverse`.
        reverse: track towards earlier frames.
        revise: what becomes of a prediction before it is settled, as in `Strategy.revise`.
        cancelled: asked before every frame; what was done stays.

    Yields:
        One entry per frame, in order of travel.
    """
    step = -1 if reverse else 1
    for frame in range(start, stop + step, step):
        if cancelled():
            return
        free = [each for each in objects if _begun(learner, each, frame, reverse) and not _locked(learner, each, frame)]
        tracked = learner.predict_many(frame, free, reverse=reverse) if free else []
        predictions = [revise(prediction) for prediction in tracked]
        for prediction in predictions:
            learner.settle_tracked(prediction, reverse=reverse)
        yield TrackedFrame(frame, tuple(predictions))


def _locked(learner: VideoLearner, object_id: int, frame: int) -> bool:
    return learner.bank(object_id).is_locked(frame)


def _begun(learner: VideoLearner, object_id: int, frame: int, reverse: bool) -> bool:
    anchors = [at for at, record in learner.bank(object_id).records.items() if record.conditioning]
    return bool(anchors) and (frame <= max(anchors) if reverse else frame >= min(anchors))
