"""How good masks are (J, F) and how sure a mean is (bootstrap intervals)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from numpy.typing import ArrayLike
from scipy.ndimage import distance_transform_edt

Mask = Bool[np.ndarray, "h w"]

_TOLERANCE = 0.008
"""Default tolerance of `boundary_f` as a share of the image's diagonal (DAVIS)."""


def iou(predicted: Mask, target: Mask, valid: Mask | None = None) -> float:
    """Intersection over union, J of DAVIS; 1 if both masks are empty.

    Args:
        predicted: one mask.
        target: the other.
        valid: pixels that count; None: all.
    """
    predicted, target = _counted(predicted, valid), _counted(target, valid)
    union = np.count_nonzero(predicted | target)
    return float(np.count_nonzero(predicted & target) / union) if union else 1.0


def boundary_f(predicted: Mask, target: Mask, tolerance_px: float | None = None) -> float:
    """F of DAVIS: how well the outlines of two masks agree.

    A boundary pixel is right if the other mask has a boundary pixel within the tolerance. F is the harmonic mean
    of the shares that are right on either side; 1 if neither mask has a boundary, 0 if only one has.

    Args:
        predicted: one mask.
        target: the other.
        tolerance_px: radius in pixels; None: 0.8 per cent of the diagonal, rounded up.
    """
    if tolerance_px is None:
        tolerance_px = float(math.ceil(_TOLERANCE * math.hypot(*target.shape)))
    ours, theirs = _boundary(predicted), _boundary(target)
    if not ours.any() or not theirs.any():
        return float(ours.any() == theirs.any())
    precision = _near(ours, theirs, tolerance_px)
    recall = _near(theirs, ours, tolerance_px)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def j_and_f(predicted: Mask, target: Mask, valid: Mask | None = None) -> float:
    """Mean of J and F of one mask; pixels that are not `valid` count as background in both masks."""
    predicted, target = _counted(predicted, valid), _counted(target, valid)
    return (iou(predicted, target) + boundary_f(predicted, target)) / 2


@dataclass(frozen=True)
class Scores:
    """Means over the frames of one object in one sequence, from 0 to 1.

    Attributes:
        j: mean IoU.
        f: mean boundary F.
        n_frames: frames that were scored.
    """

    j: float
    f: float
    n_frames: int

    @property
    def j_and_f(self) -> float:
        """(J + F) / 2 of the means."""
        return (self.j + self.f) / 2


def sequence_scores(frames: Iterable[tuple[Mask, Mask, Mask | None]]) -> Scores:
    """Score one object over the frames of a sequence.

    Args:
        frames: (predicted, target, valid) of every frame to score; may be a generator.

    Raises:
        ValueError: if there is no frame.
    """
    pairs = [
        (iou(predicted, target, valid), boundary_f(_counted(predicted, valid), _counted(target, valid)))
        for predicted, target, valid in frames
    ]
    if not pairs:
        raise ValueError("there are no frames to score")
    j, f = np.mean(pairs, axis=0)
    return Scores(float(j), float(f), len(pairs))


@dataclass(frozen=True)
class Interval:
    """An estimate with its bootstrap percentile interval, in the unit of the values.

    Attributes:
        estimate: from all values.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    estimate: float
    low: float
    high: float


def bootstrap_interval(values: ArrayLike, *, n: int = 10000, seed: int = 0, level: float = 0.95) -> Interval:
    """The mean of some values and its interval.

    Args:
        values: one per independent unit, for example per (video, object).
        n: number of resamples.
        seed: of the resampling.
        level: coverage of the interval.

    Raises:
        ValueError: if there are no values.
    """
    return _bootstrap(np.ones_like(values, float), values, n, seed, level)


def reduction_interval(
    baseline: ArrayLike, treated: ArrayLike, *, n: int = 10000, seed: int = 0, level: float = 0.95
) -> Interval:
    """By how many per cent a total fell, with an interval over pairs.

    The reduction is 100 · (1 − Σ treated / Σ baseline): a ratio of sums, so that pairs count by their size. It is
    NaN where the baseline sums to zero, and resamples in which it does are left out.

    Args:
        baseline: amount without the treatment, one per pair.
        treated: amount with it, in the same order.
        n: number of resamples.
        seed: of the resampling.
        level: coverage of the interval.

    Raises:
        ValueError: if there are no pairs or the lengths differ.
    """
    ratio = _bootstrap(baseline, treated, n, seed, level)
    return Interval(100 * (1 - ratio.estimate), 100 * (1 - ratio.high), 100 * (1 - ratio.low))


def _counted(mask: Mask, valid: Mask | None) -> Mask:
    return mask if valid is None else mask & valid


def _boundary(mask: Mask) -> Mask:
    """Pixels that differ from their eastern, southern or south-eastern neighbour."""
    # Repeating the last row and column leaves them only their neighbour to the east or south, and the corner none.
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask != padded[:-1, 1:]) | (mask != padded[1:, :-1]) | (mask != padded[1:, 1:])


def _near(points: Mask, others: Mask, radius_px: float) -> float:
    """Share of `points` that have one of `others` within the radius."""
    distance_px = np.asarray(distance_transform_edt(~others))
    return float(np.mean(distance_px[points] <= radius_px))


def _bootstrap(below: ArrayLike, above: ArrayLike, n: int, seed: int, level: float) -> Interval:
    """Σ above / Σ below and its interval over resampled pairs."""
    below, above = np.asarray(below, float), np.asarray(above, float)
    if len(below) != len(above) or not len(below):
        raise ValueError(f"an interval needs at least one value and pairs of them, got {len(below)} and {len(above)}")
    if not below.sum():
        return Interval(math.nan, math.nan, math.nan)
    random = np.random.default_rng(seed)
    ratios = []
    for _ in range(n):
        chosen = random.integers(len(below), size=len(below))
        if total := below[chosen].sum():
            ratios.append(above[chosen].sum() / total)
    low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(above.sum() / below.sum()), float(low), float(high))
