"""A video of one's own with masks in any format that is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lit_widget.video.formats.mask_set import FormatError, MaskSet
from lit_widget.video.formats.registry import read_masks, with_video
from lit_widget.video.frames import VideoError, open_frames

from .sequence import DatasetError, FrameTruth, Sequence


def open_masks(video: str | Path, masks: str | Path) -> Sequence:
    """Make a sequence of a video and the masks of its objects.

    Args:
        video: anything that `open_frames` reads: a video file or a folder of frames.
        masks: file or folder in a format that `lit_widget.video.formats` reads. An object without a mask on a frame is
            not annotated there, one with an empty mask is not to be seen.

    Raises:
        DatasetError: if one of them cannot be read or they do not belong together.
    """
    try:
        frames = open_frames(str(video))
    except VideoError as error:
        raise DatasetError(f"the video cannot be used: {error}") from None
    try:
        found = with_video(read_masks(masks), frames)
    except FormatError as error:
        raise DatasetError(f"the ground truth cannot be used: {error}") from None
    if not found.masks:
        raise DatasetError(f"the ground truth {masks} holds no mask; give masks of the objects to annotate")
    known = {each.id: tuple(found.annotated(each.id)) for each in found.objects}
    return Sequence(found.name, frames, tuple(found.annotated()), _reader(found), known=known)


def _reader(found: MaskSet) -> Callable[[int], FrameTruth]:
    objects: dict[int, list[int]] = {}
    for frame, each in found.masks:
        objects.setdefault(frame, []).append(each)
    valid = np.ones(found.size, bool)
    return lambda frame: FrameTruth({each: found.masks[frame, each] for each in objects[frame]}, valid)
