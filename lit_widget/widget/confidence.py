"""How sure each mask is: what the strip under the time line shows, and which frame to look at next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lit_widget.core.types import Prediction
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.memory import FrameRecord
from lit_widget.video.quality import QualityEstimator

from .limits import AnnotationError

if TYPE_CHECKING:
    from lit_widget.video.learner import VideoLearner

NO_MASK = 255
"""In the place of a percentage where there is no mask."""

DOUBTFUL = 70
"""Percent below which a mask is worth a look."""


class Confidence:
    """Percentages by object and frame; what a person has settled is certain.

    Args:
        learner: holds the masks.
        quality: "predicted", the model's own estimate of IoU, which costs nothing; or "learned", the estimator that
            learns from corrections and takes half as long as tracking.

    Raises:
        AnnotationError: if `quality` is something else.
    """

    def __init__(self, learner: VideoLearner, quality: str) -> None:
        if quality not in ("predicted", "learned"):
            raise AnnotationError(f"quality is {quality!r}; give 'predicted' or 'learned'")
        self._learner = learner
        self._estimator = QualityEstimator(learner) if quality == "learned" else None
        self._scores: dict[VideoItem, tuple[FrameRecord, float]] = {}

    def note(self, prediction: Prediction) -> None:
        """Score a mask that was just tracked, before the next frame is."""
        if self._estimator is not None:
            record = self._learner.bank(prediction.item.object).records[prediction.item.frame]
            self._scores[prediction.item] = (record, self._estimator.score(prediction))

    def wrong(self, prediction: Prediction) -> None:
        """Learn that a tracked mask was wrong."""
        if self._estimator is not None:
            self._estimator.observe(prediction, False)

    def strip(self, object_id: int) -> bytes:
        """One byte per frame: percent, or `NO_MASK`."""
        strip = bytearray([NO_MASK]) * len(self._learner.frames)
        for frame, record in list(self._learner.bank(object_id).records.items()):
            strip[frame] = 100 if record.locked else self._percent(VideoItem(frame, object_id), record)
        return bytes(strip)

    def _percent(self, item: VideoItem, record: FrameRecord) -> int:
        scored, score = self._scores.get(item, (None, 0.0))
        return round(100 * min(max(score if scored is record else record.output.iou, 0.0), 1.0))


def next_doubtful(strip: Sequence[int], after: int, below: int = DOUBTFUL) -> int | None:
    """The worst frame of the next doubtful stretch behind a frame, from the start again at the end.

    Args:
        strip: percentages by frame, or `NO_MASK`.
        after: the stretch that holds this frame comes last.
        below: percent from which on a mask is not doubtful.
    """
    worst: list[int] = []
    for frame, percent in enumerate(strip):
        if percent >= below:
            continue
        if frame > 0 and strip[frame - 1] < below:
            worst[-1] = min(worst[-1], frame, key=lambda each: (strip[each], each))
        else:
            worst.append(frame)
    return next((frame for frame in worst if frame > after), worst[0] if worst else None)
