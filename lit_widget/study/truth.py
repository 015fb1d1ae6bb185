"""What a participant is to mask: one target per video, from arrays or from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from lit_widget.simulation.metrics.region import iou
from lit_widget.video.formats.matching import video_frames
from lit_widget.video.formats.registry import read_masks
from lit_widget.video.frames import Frames

from .planning import StudyError


def target_of(frames: Frames, truth: Any, name: str) -> Bool[np.ndarray, "t h w"]:
    """The target of a video on every frame.

    Args:
        frames: the video.
        truth: (T, H, W) of bool, or of numbers of which one but 0 occurs; or a file or folder of masks of one object.
        name: of the video.

    Raises:
        StudyError: if it does not fit the video, or is of several objects or of none.
        FormatError: if the masks of a file cannot be read, or are of another video.
    """
    shape = (len(frames), frames.height, frames.width)
    given = _from_file(frames, Path(truth), shape) if isinstance(truth, str | Path) else np.asarray(truth)
    if given.shape != shape or given.dtype.kind not in "biu":
        raise StudyError(f"the ground truth of {name!r} is {given.dtype} {given.shape}; its video takes bool {shape}")
    objects = np.unique(given[given != 0])
    if len(objects) != 1:
        raise StudyError(f"the ground truth of {name!r} shows {len(objects)} objects; a study takes one per video")
    return given != 0


def _from_file(frames: Frames, path: Path, shape: tuple[int, int, int]) -> np.ndarray:
    """Object ids, of which 0 is none."""
    masks = read_masks(path, None)
    places, ids = video_frames(masks, frames), np.zeros(shape, np.int32)
    for frame, object_id in masks.masks:
        ids[places[frame]][masks.masks[frame, object_id]] = object_id
    return ids


def mean_iou(masks: Bool[np.ndarray, "t h w"], target: Bool[np.ndarray, "t h w"]) -> float:
    """How well masks fit their target, mean over frames."""
    return float(np.mean([iou(mask, wanted) for mask, wanted in zip(masks, target, strict=True)]))
