"""Masks painted over the frames they belong to."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, UInt8
from scipy.ndimage import binary_dilation

OPACITY = 0.45


def overlay(
    frame: UInt8[np.ndarray, "h w 3"],
    masks: Iterable[tuple[str, Bool[np.ndarray, "h w"]]],
    *,
    opacity: float = OPACITY,
    outline: int = 0,
) -> UInt8[np.ndarray, "h w 3"]:
    """A frame with masks painted over it, the later ones over the earlier.

    Args:
        frame: RGB.
        masks: each with its colour, `#rrggbb`.
        opacity: of the paint.
        outline: pixels around each mask in its full colour, and as many in white around these.
    """
    painted = frame.astype(np.float32)
    for colour, mask in masks:
        rgb = np.array([*bytes.fromhex(colour[1:])], dtype=np.float32)
        painted[mask] += (rgb - painted[mask]) * opacity
        if outline:
            inner, outer = (np.asarray(binary_dilation(mask, iterations=n), bool) for n in (outline, 2 * outline))
            painted[outer & ~inner], painted[inner & ~mask] = 255, rgb
    return painted.astype(np.uint8)
