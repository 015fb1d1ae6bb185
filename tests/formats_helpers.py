"""Masks for the tests of formats."""

from dataclasses import replace

import numpy as np

from lit_widget.video.formats.mask_set import CompactMasks, Event, MaskObject, MaskSet
from lit_widget.video.frames import open_frames

HAT = MaskObject(1, "hat", "#D55E00")
BIKE = MaskObject(4, "Rad, größer", "#123456")


def mask_set(overlapping=True, on=(0, 2, 3, 5), **changes):
    """Two objects of odd shapes on some of seven frames, one of them gone on frame 5."""
    random = np.random.default_rng(0)
    masks = CompactMasks((13, 17))
    for frame in on:
        shape = random.random((13, 17)) > 0.5
        masks.add(frame, 1, shape)
        masks.add(frame, 4, (random.random((13, 17)) > 0.6) & (overlapping | ~shape) & (frame != 5))
    given = {"name": "clip", "size": (13, 17), "n_frames": 7, "objects": (HAT, BIKE), "masks": masks, "fps": 12.5}
    return MaskSet(**{**given, **changes})


def assert_same_masks(left, right):
    assert set(left.masks) == set(right.masks)
    for key in left.masks:
        assert np.array_equal(left.masks[key], right.masks[key]), key


def with_video(masks):
    """The same with frames to show, and events."""
    pictures = np.random.default_rng(1).integers(0, 256, (masks.n_frames, *masks.size, 3), np.uint8)
    events = (Event(0, 1, "prompted", 2), Event(3, 4, "corrected", 3, painted=True, update_s=0.25))
    return replace(masks, frames=open_frames(pictures), events=events)
