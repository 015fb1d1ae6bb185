"""Scores of VOST: J over all of a transformation, and over its last quarter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .region import iou
from .sequence import Pair, require_frames, without_ends


@dataclass(frozen=True)
class VostScores:
    """One object, or the mean over objects, from 0 to 1.

    Attributes:
        j: mean IoU.
        j_tr: mean IoU of the last quarter, after most of the transformation.
    """

    j: float
    j_tr: float


def vost_object(frames: Iterable[Pair]) -> VostScores:
    """Score one object.

    Args:
        frames: those that have a mask file; the first and the last are left out. Void (255) is background and counts.

    Raises:
        ValueError: if no frame is left.
    """
    j = np.array([iou(*pair) for pair in without_ends(frames)])
    require_frames(len(j))
    return VostScores(float(j.mean()), float(j[int(0.75 * len(j)) :].mean()))


def vost_mean(objects: Iterable[VostScores]) -> VostScores:
    """Mean over the objects of all sequences."""
    found = [(each.j, each.j_tr) for each in objects]
    require_frames(len(found))
    return VostScores(*np.mean(found, axis=0).tolist())
