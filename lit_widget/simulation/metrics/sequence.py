"""Scores of one object over the frames of a sequence, read one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Float

from .boundary import boundary_f
from .region import Mask, counted, iou

Values = Float[np.ndarray, " frames"]

Pair = tuple[Mask, Mask]
"""The predicted and the true mask of one object in one frame; void pixels are background unless said otherwise."""


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


def j_and_f(predicted: Mask, target: Mask, valid: Mask | None = None) -> float:
    """Mean of J and F of one mask; pixels that are not `valid` count as background in both masks."""
    predicted, target = counted(predicted, valid), counted(target, valid)
    return (iou(predicted, target) + boundary_f(predicted, target)) / 2


def sequence_scores(frames: Iterable[tuple[Mask, Mask, Mask | None]]) -> Scores:
    """Score one object over the frames of a sequence.

    Args:
        frames: (predicted, target, valid) of every frame to score; may be a generator.

    Raises:
        ValueError: if there is no frame.
    """
    j, f = j_and_f_per_frame((counted(predicted, valid), counted(target, valid)) for predicted, target, valid in frames)
    return mean_scores(j, f)


def mean_scores(j: Values, f: Values) -> Scores:
    """Means of J and F per frame."""
    return Scores(float(j.mean()), float(f.mean()), len(j))


def j_and_f_per_frame(frames: Iterable[Pair]) -> tuple[Values, Values]:
    """J and F of every frame.

    Raises:
        ValueError: if there is no frame.
    """
    values = np.array([(iou(*pair), boundary_f(*pair)) for pair in frames], float).reshape(-1, 2)
    require_frames(len(values))
    return values[:, 0], values[:, 1]


def without_ends(frames: Iterable[Pair]) -> Iterator[Pair]:
    """All but the first frame, which shows the prompt, and the last, which DAVIS and its heirs leave out, too."""
    rest = islice(frames, 1, None)
    for held in rest:
        for following in rest:
            yield held
            held = following  # noqa: PLW2901 - one frame is held back until it is known not to be the last


def require_frames(n: int) -> None:
    """Refuse to take a mean of nothing."""
    if not n:
        raise ValueError("there are no frames to score; give at least one, and three where the ends are left out")
