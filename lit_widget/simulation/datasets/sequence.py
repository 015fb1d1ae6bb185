"""A video with ground truth, read when it is asked for, so that a whole data set opens quickly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Integer

from lit_widget.video.frames import Frames

VOID = 255
"""The id of pixels that ground truth leaves undecided."""

Mask = Bool[np.ndarray, "h w"]

Judged = tuple[int, Mask, Mask]
"""A frame with the predicted and the true mask of an object, in which void is background."""


class DatasetError(ValueError):
    """A data set is missing, laid out otherwise than expected, or contradicts itself."""


@dataclass(frozen=True)
class FrameTruth:
    """Ground truth of one frame.

    Attributes:
        masks: mask by object id, which may overlap; an object without one is not in the frame.
        valid: pixels whose truth is known.
    """

    masks: Mapping[int, Mask]
    valid: Mask


@dataclass(frozen=True)
class Sequence:
    """A video with ground truth, both read lazily.

    Attributes:
        name: what reports call it.
        frames: the video.
        annotated: the frames that have ground truth, ascending.
        read: reads the ground truth of one of those frames.
        appears: the first frame on which each object is visible, or a function that finds it when it is needed; None:
            found by reading all ground truth, once.
        known: the frames with ground truth of each object, where objects differ in that; None: all of `annotated`.
        score: what the sequence's benchmark reports of an object, by name: called with its id and its `known_frames` in
            their order, the prompted one taken as predicted rightly; None: there is no such benchmark.
    """

    name: str
    frames: Frames
    annotated: tuple[int, ...]
    read: Callable[[int], FrameTruth]
    appears: Mapping[int, int] | Callable[[], Mapping[int, int]] | None = None
    known: Mapping[int, tuple[int, ...]] | None = None
    score: Callable[[int, Iterable[Judged]], Mapping[str, float]] | None = None

    @property
    def objects(self) -> list[int]:
        """Ids of all objects that are ever visible."""
        return sorted(self._first)

    def annotated_frames(self, object_id: int) -> list[int]:
        """The frames with ground truth for an object: from the first on which it is visible, the one to prompt."""
        if object_id not in self._first:
            raise DatasetError(f"{self.name!r} has no object {object_id}; its objects are {self.objects}")
        return [frame for frame in self._frames_of(object_id) if frame >= self._first[object_id]]

    def known_frames(self, object_id: int) -> list[int]:
        """All frames with ground truth for an object, those before it is first visible included."""
        return list(self._frames_of(object_id))

    def target(self, object_id: int, frame: int) -> Mask | None:
        """The true mask of an object, empty where it is not visible; None if the frame is not annotated."""
        if frame not in self._frames_of(object_id):
            return None
        truth = self.read(frame)
        mask = truth.masks.get(object_id)
        return np.zeros_like(truth.valid) if mask is None else mask.copy()

    def valid(self, frame: int) -> Mask | None:
        """Where the truth of a frame is known, everything but void; None if the frame is not annotated."""
        return self.read(frame).valid.copy() if frame in self._annotated else None

    def _frames_of(self, object_id: int) -> Mapping[int, None]:
        return self._annotated if self.known is None else self._known.get(object_id, {})

    @cached_property
    def _annotated(self) -> Mapping[int, None]:
        """`annotated` in its order, but quick to look up."""
        return dict.fromkeys(self.annotated)

    @cached_property
    def _known(self) -> Mapping[int, Mapping[int, None]]:
        return {object_id: dict.fromkeys(frames) for object_id, frames in (self.known or {}).items()}

    @cached_property
    def _first(self) -> Mapping[int, int]:
        """The first frame on which each object is visible."""
        if self.appears is not None:
            return self.appears() if callable(self.appears) else self.appears
        first: dict[int, int] = {}
        for frame in self.annotated:
            for object_id, mask in self.read(frame).masks.items():
                if object_id not in first and mask.any():
                    first[object_id] = frame
        return first


def truth_from_ids(ids: Integer[np.ndarray, "h w"] | Mask) -> FrameTruth:
    """Ground truth from a map of object ids, or from a mask of object 1."""
    visible = set(np.unique(ids).tolist()) - {0, VOID}
    return FrameTruth({int(i): ids == i for i in visible}, ids != VOID)
