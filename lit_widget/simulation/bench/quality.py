"""How good the masks are that the frames of a unit end up with."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from lit_widget.core.session import Accepted, Corrected, Event, Tracked
from lit_widget.simulation.datasets import Judged, Sequence
from lit_widget.simulation.metrics import boundary_f, iou
from lit_widget.simulation.protocol import FrameResult
from lit_widget.video.formats.mask_set import CompactMasks, Mask
from lit_widget.video.learner import VideoLearner

PREDICTED, TRUE = 0, 1


class Quality:
    """Scores of one object, frame by frame and by the rules of its benchmark.

    Only run lengths are kept of masks, and only where a benchmark has rules of its own, which see a video as a whole.

    Args:
        learner: whose masks they are.
        sequence: the video.
        object_id: the object.
    """

    def __init__(self, learner: VideoLearner, sequence: Sequence, object_id: int) -> None:
        self.learner, self.sequence, self.object_id = learner, sequence, object_id
        self._values: list[tuple[float, float]] = []
        self._kept = CompactMasks((sequence.frames.height, sequence.frames.width))

    def add(self, result: FrameResult, event: Event) -> None:
        """Score the mask that a frame ended up with."""
        target = self.sequence.target(self.object_id, result.frame)
        assert target is not None
        if isinstance(event, Corrected):
            output = event.correction.output
        elif isinstance(event, Accepted):
            output = event.proposal.output
        else:
            assert isinstance(event, Tracked)
            output = event.prediction.output
        self.keep(result.frame, target if result.full_mask else self.learner.mask(output), target)

    def keep(self, frame: int, mask: Mask, target: Mask) -> None:
        """Score one frame by the rule of DAVIS, with void pixels as background of the truth."""
        self._values.append((iou(mask, target), boundary_f(mask, target)))
        if self.sequence.score is not None:
            self._kept.add(frame, PREDICTED, mask)
            self._kept.add(frame, TRUE, target)

    def means(self) -> dict[str, float | None]:
        """J and F without the last frame, as benchmarks take them; the first was the prompt and is not here."""
        j, f = np.mean(self._values[:-1], axis=0).tolist() if len(self._values) > 1 else (None, None)
        return {"j": j, "f": f}

    def scores(self) -> dict[str, float | None]:
        """What the benchmark itself would report of the object, by name; nothing where it has no rules."""
        if self.sequence.score is None or len(self.sequence.known_frames(self.object_id)) < 3:
            return {}
        found = self.sequence.score(self.object_id, self._judged())
        return {name: None if math.isnan(value) else value for name, value in found.items()}

    def _judged(self) -> Iterator[Judged]:
        for frame in self.sequence.known_frames(self.object_id):
            if (frame, TRUE) in self._kept:
                yield frame, self._kept[frame, PREDICTED], self._kept[frame, TRUE]
            else:  # the prompt, and before it nothing on either side
                target = self.sequence.target(self.object_id, frame)
                assert target is not None
                yield frame, target, target
