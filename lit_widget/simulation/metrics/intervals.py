"""How sure a mean or a ratio over pairs is: bootstrap percentile intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


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
