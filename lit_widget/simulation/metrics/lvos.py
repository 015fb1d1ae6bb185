"""Scores of LVOS v2: J and F of categories seen and not seen in training, weighted equally."""

from __future__ import annotations

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
        v: standard deviation of (J + F) / 2 over frames: how unsteady the masks are.
        unseen: whether its video's category is not in the training set.
    """

    scores: Scores
    v: float
    unseen: bool


@dataclass(frozen=True)
class LvosScores:
    """Means over objects; NaN for a group without objects, and for what is made of it.

    Attributes:
        j_seen: mean IoU over the objects of categories in the training set.
        f_seen: mean F over them.
        j_unseen: mean IoU over the objects of other categories.
        f_unseen: mean F over them.
        v: mean of `v` over all objects.
    """

    j_seen: float
    f_seen: float
    j_unseen: float
    f_unseen: float
    v: float

    @property
    def j(self) -> float:
        """Mean of the J of both groups, whatever their sizes."""
        return (self.j_seen + self.j_unseen) / 2

    @property
    def f(self) -> float:
        """Mean of the F of both groups."""
        return (self.f_seen + self.f_unseen) / 2

    @property
    def j_and_f(self) -> float:
        """Mean of the four."""
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
    return LvosObject(Scores(float(j.mean()), float(f.mean()), len(j)), float(np.std((j + f) / 2)), unseen)


def lvos_mean(objects: Iterable[LvosObject]) -> LvosScores:
    """Means over the objects of all videos."""
    found = list(objects)
    groups = [_means([each.scores for each in found if each.unseen == unseen]) for unseen in (False, True)]
    v = float(np.mean([each.v for each in found])) if found else float("nan")
    return LvosScores(*groups[0], *groups[1], v)


def _means(scores: list[Scores]) -> tuple[float, float]:
    if not scores:
        return float("nan"), float("nan")
    return float(np.mean([each.j for each in scores])), float(np.mean([each.f for each in scores]))
