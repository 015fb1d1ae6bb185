"""Scores of DAVIS-2017, semi-supervised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .sequence import Pair, Values, j_and_f_per_frame, without_ends


@dataclass(frozen=True)
class Statistics:
    """J or F of one object over a sequence, from 0 to 1.

    Attributes:
        mean: over frames.
        recall: share of the frames that are above 0.5.
        decay: mean of the first quarter minus that of the last.
    """

    mean: float
    recall: float
    decay: float


@dataclass(frozen=True)
class DavisScores:
    """One object, or the mean over the objects of a data set.

    Attributes:
        j: of the regions.
        f: of the outlines.
    """

    j: Statistics
    f: Statistics

    @property
    def j_and_f(self) -> float:
        """(J + F) / 2 of the means."""
        return (self.j.mean + self.f.mean) / 2


def davis_object(frames: Iterable[Pair]) -> DavisScores:
    """Score one object; the objects that count are those with an id up to the largest on the first frame.

    Args:
        frames: of the whole sequence; the first and the last are left out.

    Raises:
        ValueError: if no frame is left.
    """
    return DavisScores(*map(_statistics, j_and_f_per_frame(without_ends(frames))))


def davis_mean(objects: Iterable[DavisScores]) -> DavisScores:
    """Mean over the objects of all sequences.

    Raises:
        ValueError: if there is no object.
    """
    found = list(objects)
    if not found:
        raise ValueError("there are no objects to take the mean of; score at least one with davis_object")
    return DavisScores(_mean([each.j for each in found]), _mean([each.f for each in found]))


def _mean(of: list[Statistics]) -> Statistics:
    return Statistics(*np.mean([(each.mean, each.recall, each.decay) for each in of], axis=0).tolist())


def _statistics(values: Values) -> Statistics:
    # Quarters share their end with the next one's beginning. The official script holds the ends in eight bits and goes
    # wrong beyond 256 frames, which no DAVIS sequence has.
    ends = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(int) - 1
    first, last = values[ends[0] : ends[1] + 1], values[ends[3] : ends[4] + 1]
    return Statistics(float(values.mean()), float(np.mean(values > 0.5)), float(first.mean() - last.mean()))
