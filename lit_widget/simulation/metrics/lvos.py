"""Scores of LVOS v2: J and F of categories seen and not seen in training, weighted equally."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from .sequence import Pair, Scores, j_and_f_per_frame

STEP = 5
"""Frames between two with ground truth."""


@dataclass(frozen=True)
class LvosObject:
    """One object.

    Attributes:
        scores: means of J and F.
        v: standard deviation of (J + F) / 2 over frames: how unsteady the masks are. As in the official script, the
            variance is rounded to four digits first.
        unseen: whether its video's category is not in the training set.
    """

    scores: Scores
    v: float
    unseen: bool


@dataclass(frozen=True)
class LvosGroup:
    """Means over the objects of a group, NaN if there are none.

    Attributes:
        j: mean IoU.
        f: mean F.
        v: mean of their `v`.
    """

    j: float
    f: float
    v: float


@dataclass(frozen=True)
class LvosScores:
    """Both groups; their mean does not depend on their sizes.

    Attributes:
        seen: objects of categories in the training set.
        unseen: objects of other categories.
    """

    seen: LvosGroup
    unseen: LvosGroup

    @property
    def j(self) -> float:
        """Mean of the groups' J."""
        return (self.seen.j + self.unseen.j) / 2

    @property
    def f(self) -> float:
        """Mean of the groups' F."""
        return (self.seen.f + self.unseen.f) / 2

    @property
    def v(self) -> float:
        """Mean of the groups' V."""
        return (self.seen.v + self.unseen.v) / 2

    @property
    def j_and_f(self) -> float:
        """Mean of J and F of both groups."""
        return (self.j + self.f) / 2


def lvos_frames(start: int, end: int) -> range:
    """Numbers of the frames that are visited: those of the object's `frame_range`, without its end."""
    return range(start, end, STEP)


def lvos_object(frames: Iterable[Pair], frame_nums: int, *, unseen: bool) -> LvosObject:
    """Score one object.

    Args:
        frames: the frames of `lvos_frames`; the first is left out, and so is the one with index `frame_nums` - 1.
        frame_nums: from the object's `frame_range`. There are two fewer scores than that; those for which there is no
            frame are 0.
        unseen: whether the video is listed in `unseen_videos.txt`.

    Raises:
        ValueError: if no frame is left, or if there are more frames than `frame_nums`.
    """
    rest = iter(frames)
    found_j, found_f = j_and_f_per_frame(islice(rest, 1, max(frame_nums - 1, 1)))
    surplus = sum(1 for _ in rest) - 1
    if surplus > 0:
        raise ValueError(f"there are {frame_nums + surplus} frames but frame_nums is {frame_nums}; give the meta's own")
    j, f = (np.pad(each, (0, frame_nums - 2 - len(each))) for each in (found_j, found_f))
    v = math.sqrt(round(float(np.var((j + f) / 2)), 4))
    return LvosObject(Scores(float(j.mean()), float(f.mean()), len(j)), v, unseen)


def lvos_mean(objects: Iterable[LvosObject]) -> LvosScores:
    """Means over the objects of all videos."""
    found = list(objects)
    return LvosScores(*(_mean([each for each in found if each.unseen == unseen]) for unseen in (False, True)))


def _mean(group: list[LvosObject]) -> LvosGroup:
    if not group:
        return LvosGroup(math.nan, math.nan, math.nan)
    return LvosGroup(*np.mean([(each.scores.j, each.scores.f, each.v) for each in group], axis=0).tolist())
