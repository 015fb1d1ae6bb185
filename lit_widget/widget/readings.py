"""What can be read from the widget."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from lit_widget.video.adaptation import VideoItem
from lit_widget.video.frames import Frames
from lit_widget.video.trackers import TrackerInfo

from .annotation import Annotation
from .confidence import DOUBTFUL, NO_MASK, next_doubtful

if TYPE_CHECKING:
    import pandas as pd


class Readings:
    """The properties and methods of `LITWidget` that tell masks and how they came about."""

    _annotation: Annotation
    _item: Callable[[int, int | None], VideoItem]
    frame_index: Any

    @property
    def frames(self) -> Frames:
        """The video."""
        return self._annotation.learner.frames

    @property
    def tracker(self) -> TrackerInfo:
        """The tracker, and what it can do."""
        return self._annotation.learner.tracker.info

    @property
    def corrections(self) -> list[int]:
        """Frames of the active object that were corrected."""
        return self._frames_with("corrected")

    @property
    def accepted(self) -> list[int]:
        """Frames of the active object on which a proposal was accepted."""
        return self._frames_with("accepted")

    @property
    def proposal(self) -> Bool[np.ndarray, "h w"] | None:
        """The open proposal's mask; `None` without one."""
        held = self._annotation.proposal
        return None if held is None else self._annotation.learner.mask(held.proposals[0].output)

    @property
    def adapter_version(self) -> int:
        """How often the active object's adapter was trained."""
        return sum(adapter.version for adapter in self._annotation.learner.adapters.of(self._annotation.active))

    def mask(self, frame: int, *, object_id: int | None = None) -> Bool[np.ndarray, "h w"] | None:
        """The mask of an object on a frame.

        Args:
            frame: which, from 0.
            object_id: whose; the active object's by default.

        Returns:
            (H, W) bool, or `None` where there is none.

        Raises:
            ValueError: if there is no such frame or object.
        """
        return self._annotation.mask_of(self._item(frame, object_id))

    def masks(self, *, object_id: int | None = None) -> Bool[np.ndarray, "t h w"]:
        """The masks of an object on all frames.

        Args:
            object_id: whose; the active object's by default.

        Returns:
            (T, H, W) bool, empty where there is none.

        Raises:
            ValueError: if there is no such object.
        """
        stack = np.zeros((len(self.frames), self.frames.height, self.frames.width), dtype=bool)
        for frame in range(len(stack)):
            mask = self.mask(frame, object_id=object_id)
            if mask is not None:
                stack[frame] = mask
        return stack

    def next_doubtful(self, *, below: float = DOUBTFUL / 100, object_id: int | None = None) -> int | None:
        """Show the next frame whose mask is doubtful: the worst of its stretch, behind the frame shown.

        Args:
            below: probability, from 0 to 1, from which on a mask is not doubtful.
            object_id: whose masks.

        Returns:
            The frame, or `None` if no mask is doubtful.
        """
        owner = self._item(0, object_id).object
        frame = next_doubtful(self._annotation.confidence.strip(owner), self.frame_index, round(100 * below))
        if frame is not None:
            self.frame_index = frame
        return frame

    def confidence(self, *, object_id: int | None = None) -> Float[np.ndarray, " t"]:
        """How sure an object's masks are.

        Args:
            object_id: whose; the active object's by default.

        Returns:
            (T,) from 0 to 1 by frame; 1 where you settled one, NaN without a mask.

        Raises:
            ValueError: if there is no such object.
        """
        strip = np.frombuffer(self._annotation.confidence.strip(self._item(0, object_id).object), np.uint8)
        return np.where(strip == NO_MASK, np.nan, strip / 100)

    @property
    def changed(self) -> list[int]:
        """Frames of the active object whose mask the latest tracking, undo or redo made other than it was."""
        runs = self._annotation.changes.runs(self._annotation.active)
        return [frame for first, last in runs for frame in range(first, last + 1)]

    @property
    def scores(self) -> pd.DataFrame:
        """One row per mask, by object and frame.

        Columns are `object`, `frame`, `status` ("prompted", "tracked", "corrected" or "accepted"), `predicted_iou`
        (the model's own estimate of its mask), `object_score` (logit of the object being visible) and `confidence`
        (from 0 to 1; 1 where you settled the mask).
        """
        import pandas as pd

        rows = []
        for each in self._annotation.names:
            confidence = self.confidence(object_id=each)
            for frame, record in sorted(dict(self._annotation.learner.bank(each).records).items()):
                output = record.output
                score = float(output.object_score)
                rows.append((each, frame, record.status, float(output.iou), score, float(confidence[frame])))
        return pd.DataFrame(rows, columns=["object", "frame", "status", "predicted_iou", "object_score", "confidence"])

    def _frames_with(self, status: str) -> list[int]:
        records = self._annotation.learner.bank(self._annotation.active).records
        return sorted(frame for frame, record in records.items() if record.status == status)
