"""Sequences made of arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lit_widget.video.frames import Frames, open_frames

from .sequence import DatasetError, FrameTruth, Mask, Sequence, truth_from_ids


def sequence_from_arrays(frames: object, masks: object, name: str) -> Sequence:
    """Make a sequence of arrays.

    Args:
        frames: anything that `open_frames` reads, for example (t, h, w, 3) uint8.
        masks: (t, h, w) bool for one object with id 1; or (t, h, w) integers with object ids, 0 background and
            255 void; or a dictionary of object id to (t, h, w) bool, whose masks may overlap.
        name: what reports call it.

    Returns:
        The sequence, for `run_simulation`.

    Raises:
        DatasetError: if the masks do not fit the frames.

    Example:
        ```python
        sequence = sequence_from_arrays(clip.frames, clip.target, "mine")
        run_simulation(sequence, strategies=["original"])
        ```
    """
    frames = open_frames(frames)
    annotated = tuple(range(len(frames)))
    if isinstance(masks, Mapping):
        by_object = _by_object(masks, frames)
        valid = np.ones((frames.height, frames.width), bool)
        return Sequence(
            name, frames, annotated, lambda t: FrameTruth({i: mask[t] for i, mask in by_object.items()}, valid)
        )
    ids = _fitting(masks, frames, "given")
    return Sequence(name, frames, annotated, lambda t: truth_from_ids(ids[t]))


def sequence_from_masks(frames: object, object_id: int, masks: Mapping[int, Mask], name: str) -> Sequence:
    """Make a sequence of one object with ground truth on some frames only.

    Args:
        frames: anything that `open_frames` reads.
        object_id: id of the object.
        masks: (h, w) bool by frame.
        name: what reports call it.

    Returns:
        The sequence, for `run_simulation`.

    Example:
        ```python
        sequence = sequence_from_masks("clip.mp4", 1, {0: clip.target[0], 5: clip.target[5]}, "mine")
        ```
    """
    frames = open_frames(frames)
    valid = np.ones((frames.height, frames.width), bool)
    return Sequence(name, frames, tuple(sorted(masks)), lambda t: FrameTruth({object_id: masks[t]}, valid))


def _by_object(masks: Mapping, frames: Frames) -> dict[int, np.ndarray]:
    """A dictionary of masks, checked."""
    by_object = {i: _fitting(mask, frames, f"of object {i}") for i, mask in masks.items()}
    for i, mask in by_object.items():
        if not isinstance(i, int) or i < 1 or mask.dtype != bool:
            raise DatasetError(f"masks by object need integers from 1 up and bool arrays, got {i!r} and {mask.dtype}")
    return by_object


def _fitting(masks: object, frames: Frames, which: str) -> np.ndarray:
    """Masks as an array, checked against the frames."""
    array = np.asarray(masks)
    wanted = (len(frames), frames.height, frames.width)
    if array.shape != wanted:
        raise DatasetError(f"the masks {which} have shape {array.shape} but the frames need {wanted} (t, h, w)")
    if array.dtype != bool and (array.dtype.kind not in "iu" or array.min() < 0):
        raise DatasetError(f"the masks {which} must be bool or object ids from 0 up, got {array.dtype}; convert them")
    return array
