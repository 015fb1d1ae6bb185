"""The Kalman filter of a box that moves at constant velocity, one frame per step (Wojke et al., 2017, DeepSORT)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve

Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in pixels, both corners belonging to the object; four zeros for nothing."""

NOTHING: Box = (0.0, 0.0, 0.0, 0.0)

_POSITION, _VELOCITY = 1 / 20, 1 / 160
_MOTION = np.eye(8) + np.eye(8, k=4)
_OBSERVED = np.eye(4, 8)


@dataclass(frozen=True)
class Motion:
    """Where a box is believed to be and how it moves: centre x and y, width/height, height, and their velocities.

    Attributes:
        mean: (8,).
        covariance: (8, 8).
    """

    mean: Float[np.ndarray, " 8"]
    covariance: Float[np.ndarray, "8 8"]

    @classmethod
    def started(cls, box: Box) -> Motion:
        """At rest on a box."""
        observed = _observation(box)
        position, velocity = 2 * _POSITION * observed[3], 10 * _VELOCITY * observed[3]
        return cls(
            np.r_[observed, np.zeros(4)],
            _variances(position, position, 1e-2, position, velocity, velocity, 1e-5, velocity),
        )

    def predicted(self) -> Motion:
        """One frame later."""
        position, velocity = _POSITION * self.mean[3], _VELOCITY * self.mean[3]
        drift = _variances(position, position, 1e-2, position, velocity, velocity, 1e-5, velocity)
        return Motion(_MOTION @ self.mean, _MOTION @ self.covariance @ _MOTION.T + drift)

    def updated(self, box: Box) -> Motion:
        """After seeing a box."""
        position = _POSITION * self.mean[3]
        spread = _OBSERVED @ self.covariance @ _OBSERVED.T + _variances(position, position, 1e-1, position)
        gain = cho_solve(cho_factor(spread, lower=True), _OBSERVED @ self.covariance).T
        surprise = _observation(box) - _OBSERVED @ self.mean
        return Motion(self.mean + gain @ surprise, self.covariance - gain @ spread @ gain.T)

    @property
    def box(self) -> Box:
        """The box it is believed to be."""
        x, y, aspect, height = (float(each) for each in self.mean[:4])
        return x - aspect * height / 2, y - height / 2, x + aspect * height / 2, y + height / 2


def box_iou(left: Box, right: Box) -> float:
    """IoU of two boxes, 0 with nothing."""
    if NOTHING in (left, right):
        return 0.0
    width = max(0.0, min(left[2], right[2]) - max(left[0], right[0]))
    height = max(0.0, min(left[3], right[3]) - max(left[1], right[1]))
    union = _area(left) + _area(right) - width * height
    return width * height / union if union else 0.0


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _observation(box: Box) -> Float[np.ndarray, " 4"]:
    x0, y0, x1, y1 = box
    # A mask one pixel high, and an empty one, count as one pixel high.
    height = (y1 - y0) or 1.0
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / height, height])


def _variances(*deviations: float) -> Float[np.ndarray, "n n"]:
    return np.diag(np.square(deviations))
