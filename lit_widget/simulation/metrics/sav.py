"""Scores of SA-V: J&F per masklet."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import dropwhile

from .sequence import Pair, Scores, j_and_f_per_frame, mean_scores, without_ends


def sav_object(frames: Iterable[Pair]) -> Scores:
    """Score one masklet. The data set's score is the mean over the masklets of all videos.

    Args:
        frames: those with ground truth (6 per second); the first and the last are left out, and so are those before
            either mask shows anything.

    Raises:
        ValueError: if no frame is left.
    """
    return mean_scores(*j_and_f_per_frame(dropwhile(_nothing, without_ends(frames))))


def _nothing(pair: Pair) -> bool:
    return not any(mask.any() for mask in pair)
