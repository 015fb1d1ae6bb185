"""F: how well the outlines of two masks agree."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial import KDTree

from .region import Mask

DIAGONAL_SHARE = 0.008
"""Tolerance of F as a share of the image's diagonal (DAVIS)."""


def boundary_f(predicted: Mask, target: Mask, tolerance_px: float | None = None, *, offset_px: float = 0.0) -> float:
    """F of DAVIS: how well the outlines of two masks agree.

    A boundary pixel is right if the other mask has a boundary pixel within the tolerance, which is what dilation with
    a disc finds. F is the harmonic mean of the shares that are right on either side; 1 if neither mask has a boundary,
    0 if only one has.

    Args:
        predicted: one mask.
        target: the other.
        tolerance_px: radius in pixels; None: 0.8 per cent of the diagonal, rounded up.
        offset_px: moves the centre of the disc down and right; only an evaluator whose disc is off centre needs it.
    """
    if tolerance_px is None:
        tolerance_px = float(math.ceil(diagonal_tolerance(target)))
    ours, theirs = boundary_points(predicted), boundary_points(target)
    if not len(ours) or not len(theirs):
        return float(len(ours) == len(theirs))
    precision = _near(ours, theirs, tolerance_px, offset_px)
    recall = _near(theirs, ours, tolerance_px, offset_px)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def diagonal_tolerance(mask: Mask) -> float:
    """0.8 per cent of the image's diagonal in pixels, not rounded."""
    return DIAGONAL_SHARE * math.hypot(*mask.shape)


def boundary_points(mask: Mask) -> np.ndarray:
    """(n, 2) row and column of the pixels that differ from their eastern, southern or south-eastern neighbour."""
    # Repeating the last row and column leaves them only their neighbour to the east or south, and the corner none.
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return np.argwhere((mask != padded[:-1, 1:]) | (mask != padded[1:, :-1]) | (mask != padded[1:, 1:]))


def _near(points: np.ndarray, others: np.ndarray, radius_px: float, offset_px: float) -> float:
    """Share of `points` that have one of `others` within the disc."""
    distance_px, _ = KDTree(others + offset_px).query(points)
    return float(np.mean(distance_px <= radius_px))
