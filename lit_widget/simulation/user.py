"""The simulated user: sees where a mask is wrong and clicks there, as in the evaluation of SAM 2."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool

from lit_widget.video.depth import depth_of

Style = Literal["centre", "uniform"]


@dataclass(frozen=True)
class Click:
    """A point prompt in video pixels.

    Attributes:
        x: column, to the right.
        y: row, down.
        positive: whether the point belongs to the object.
    """

    x: float
    y: float
    positive: bool


def centre_click(
    predicted: Bool[np.ndarray, "h w"], target: Bool[np.ndarray, "h w"], valid: Bool[np.ndarray, "h w"] | None = None
) -> Click | None:
    """Click the wrong pixel that is farthest from any pixel that is not wrong in the same way.

    Missed and surplus pixels are two separate error maps, each taken whole; beyond the image nothing is wrong.
    The click is positive only if the farthest missed pixel lies strictly deeper than the farthest surplus one.
    Among pixels of equal depth the first in reading order is taken.

    Args:
        predicted: the mask to correct.
        target: the mask that is right.
        valid: where `target` is defined; elsewhere nothing is wrong. None: everywhere.

    Returns:
        The click, or None where nothing is wrong.
    """
    missed, surplus = _errors(predicted, target, valid)
    if not (missed.any() or surplus.any()):
        return None
    missed_depth, surplus_depth = depth_of(missed), depth_of(surplus)
    positive = bool(missed_depth.max() > surplus_depth.max())
    depth = missed_depth if positive else surplus_depth
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return Click(float(x), float(y), positive)


def _errors(
    predicted: Bool[np.ndarray, "h w"], target: Bool[np.ndarray, "h w"], valid: Bool[np.ndarray, "h w"] | None
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """The missed and the surplus pixels."""
    missed, surplus = target & ~predicted, predicted & ~target
    return (missed, surplus) if valid is None else (missed & valid, surplus & valid)


@dataclass(frozen=True)
class SimulatedUser:
    """A user with fixed habits and a random generator of their own.

    Attributes:
        tau: a mask whose IoU is below this is an error.
        max_clicks: clicks given at an error before the full mask is drawn.
        seed: of the generator behind the "uniform" style.
        style: "centre" clicks the centre of the error, "uniform" any wrong pixel.
    """

    tau: float = 0.5
    max_clicks: int = 3
    seed: int = 0
    style: Style = "centre"

    def __post_init__(self) -> None:
        if not isinstance(self.tau, Real) or not 0 <= self.tau <= 1:
            raise ValueError(f"tau is an IoU from 0 to 1, got {self.tau!r}")
        if self.max_clicks < 0:
            raise ValueError(f"max_clicks must not be negative, got {self.max_clicks}")
        if self.style not in get_args(Style):
            raise ValueError(f"unknown style of clicks {self.style!r}; choose one of {', '.join(get_args(Style))}")

    def is_error(self, iou: float) -> bool:
        """Whether a mask with this IoU needs a correction."""
        return iou < self.tau

    def click(
        self,
        predicted: Bool[np.ndarray, "h w"],
        target: Bool[np.ndarray, "h w"],
        valid: Bool[np.ndarray, "h w"] | None = None,
    ) -> Click | None:
        """The next click on a mask, or None where nothing is wrong; arguments as in `centre_click`."""
        if self.style == "centre":
            return centre_click(predicted, target, valid)
        missed, surplus = _errors(predicted, target, valid)
        wrong = np.argwhere(missed | surplus)
        if not len(wrong):
            return None
        y, x = self._random.choice(wrong)
        return Click(float(x), float(y), bool(target[y, x]))

    @cached_property
    def _random(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)
