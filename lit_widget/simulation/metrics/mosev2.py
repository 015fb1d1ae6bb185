"""Scores of MOSEv2: J and an F that is strict with small objects, also where objects disappear and come back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool

from .boundary import boundary_f, diagonal_tolerance
from .region import Mask, areas
from .sequence import Pair, Values, require_frames, without_ends

AREA_SHARE = 0.1
"""Tolerance of the adaptive F as a share of the square root of the object's area."""


@dataclass(frozen=True)
class Mosev2Scores:
    """One object, or the mean over objects, from 0 to 1; NaN where no object disappears or comes back.

    Attributes:
        j: mean of the smoothed IoU.
        f_adaptive: mean of the adaptive F (Ḟ).
        f: mean of F with the tolerance that DAVIS uses.
        disappearance: mean of J and Ḟ over the times at which the object is gone (J&Ḟ_d).
        reappearance: mean of J and Ḟ over the times after it came back (J&Ḟ_r).
    """

    j: float
    f_adaptive: float
    f: float
    disappearance: float
    reappearance: float

    @property
    def j_and_f_adaptive(self) -> float:
        """J&Ḟ, the benchmark's main score."""
        return (self.j + self.f_adaptive) / 2

    @property
    def j_and_f(self) -> float:
        """J&F."""
        return (self.j + self.f) / 2


def mosev2_object(frames: Iterable[Pair]) -> Mosev2Scores:
    """Score one object.

    Args:
        frames: of the whole video; the first and the last are left out.

    Raises:
        ValueError: if no frame is left.
    """
    rows = [(smoothed_iou(*pair), *adaptive_f(*pair), not pair[1].any()) for pair in without_ends(frames)]
    require_frames(len(rows))
    j, f_adaptive, f, absent = np.array(rows, float).T
    gone, back = absence_runs(absent.astype(bool))
    both = (j + f_adaptive) / 2
    return Mosev2Scores(
        float(j.mean()), float(f_adaptive.mean()), float(f.mean()), _mean_of_runs(both, gone), _mean_of_runs(both, back)
    )


def mosev2_mean(objects: Iterable[Mosev2Scores]) -> Mosev2Scores:
    """Mean over the objects of all videos; those that never disappear or come back do not count there."""
    found = list(objects)
    require_frames(len(found))
    return Mosev2Scores(
        _mean([each.j for each in found]),
        _mean([each.f_adaptive for each in found]),
        _mean([each.f for each in found]),
        _mean([each.disappearance for each in found]),
        _mean([each.reappearance for each in found]),
    )


def smoothed_iou(predicted: Mask, target: Mask) -> float:
    """J of MOSEv2: (intersection + 1) / (union + 1), so that a speck where nothing is does not cost everything."""
    both, either = areas(predicted, target)
    return (both + 1) / (either + 1)


def adaptive_f(predicted: Mask, target: Mask) -> tuple[float, float]:
    """Ḟ and F of one frame.

    The tolerance of Ḟ is a tenth of the root of the object's area, rounded up, and at most 0.8 per cent of the image's
    diagonal. Where that limit holds it is not rounded, for F neither.
    """
    limit_px = max(diagonal_tolerance(target), 1.0)  # no image of the data set is so small that one pixel is too much
    area = int(np.count_nonzero(target))
    tolerance_px = math.ceil(AREA_SHARE * math.sqrt(area)) if area else math.inf
    if tolerance_px < limit_px:
        return boundary_f(predicted, target, float(tolerance_px)), boundary_f(predicted, target)
    # The official tool draws a disc on a grid that begins at minus its radius. If that is no whole number, the middle
    # of the grid, which is where the disc is put, lies beside the disc's centre.
    f = boundary_f(predicted, target, limit_px, offset_px=math.ceil(limit_px) - limit_px)
    return f, f


def absence_runs(absent: Bool[np.ndarray, " frames"]) -> tuple[list[slice], list[slice]]:
    """The runs of frames on which an object is gone, and those on which it is back.

    A run begins where the object disappears (or comes back) and lasts until it comes back (or disappears) or to the
    end. What is there, or gone, on the first frame began before it and is no run.
    """
    changes = [*(np.flatnonzero(absent[1:] != absent[:-1]) + 1).tolist(), len(absent)]
    runs = [slice(start, end) for start, end in pairwise(changes)]
    return [run for run in runs if absent[run.start]], [run for run in runs if not absent[run.start]]


def _mean_of_runs(values: Values, runs: Sequence[slice]) -> float:
    return _mean([float(values[run].mean()) for run in runs])


def _mean(values: Sequence[float]) -> float:
    """Mean of what is not NaN."""
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else math.nan
