"""How sure it is that a mask is right: a prior fitted offline, updated by the verdicts given on the same video.

Logistic regression whose offset and weights may drift from their prior by a Gaussian process: what a verdict says
of the video as a whole, of masks with similar measurements, and of neighbouring frames. Laplace's approximation
makes an update a handful of small linear systems (Rasmussen and Williams, Gaussian Processes, section 3.4).
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit, logit

PRIOR = Path(__file__).parent / "quality.json"
MAX_VERDICTS = 200
"""Verdicts that count; older ones are forgotten, which bounds an update to a fraction of a millisecond per frame."""

_EXTREME = 4.0
"""Standardised measurements are limited to this, so that none decides alone where the prior has seen nothing."""
_NEWTON_STEPS, _HALVINGS, _CONVERGED = 50, 12, 1e-6


@dataclass(frozen=True)
class Measurement:
    """What can be said of one tracked mask without knowing the truth.

    Attributes:
        frame: its index.
        segment: masks tracked from the same locked frame of the same object share it.
        values: one number per name in `lit_widget.video.quality.FEATURES`.
    """

    frame: int
    segment: tuple[int, int]
    values: Float[np.ndarray, " k"]


@dataclass(frozen=True)
class Kernel:
    """How far verdicts on a video may move the prior, in units of the logit.

    Attributes:
        offset: of the whole video.
        drift: of masks whose measurements lie one standard deviation from the mean.
        local: of neighbouring frames in a segment.
        reach_frames: distance at which `local` has fallen to 1/e.
    """

    offset: float
    drift: float
    local: float
    reach_frames: float


@dataclass(frozen=True)
class Prior:
    """Logistic regression of "the IoU is at least tau" on measurements, for every tau at once.

    Attributes:
        features: names of the measurements.
        centre: their means on the clips that it was fitted on.
        spread: their standard deviations there.
        weights: one per standardised measurement.
        strictness: weight of logit(tau); negative.
        bias: constant term.
        kernel: how verdicts move it.
        fitted_on: where it comes from.
    """

    features: tuple[str, ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    strictness: float
    bias: float
    kernel: Kernel
    fitted_on: str

    def standardise(self, values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
        """Measurements in standard deviations from the mean, limited."""
        return np.clip((values - np.array(self.centre)) / np.array(self.spread), -_EXTREME, _EXTREME)

    def logits(self, standardised: Float[np.ndarray, "n k"], tau: float) -> Float[np.ndarray, " n"]:
        """Log odds that the IoU is at least `tau`, before any verdict."""
        return standardised @ np.array(self.weights) + self.strictness * float(logit(tau)) + self.bias

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path = PRIOR) -> Prior:
        """Read what `save` wrote, by default the one shipped with the package."""
        return _load(path)


@cache
def _load(path: Path) -> Prior:
    data: dict[str, Any] = json.loads(path.read_text())
    kernel = Kernel(**data.pop("kernel"))
    columns: dict[str, Any] = {key: tuple(value) for key, value in data.items() if isinstance(value, list)}
    return Prior(**{**data, **columns}, kernel=kernel)


class VerdictModel:
    """Probability that a mask is right, given its measurement and all verdicts so far.

    Args:
        tau: a mask is right from this IoU on, between 0 and 1, both excluded.
        prior: what is believed before the first verdict; the shipped one by default.
    """

    def __init__(self, tau: float = 0.5, *, prior: Prior | None = None) -> None:
        if not 0 < tau < 1:
            raise ValueError(f"a mask can be right or wrong only for a tau between 0 and 1, both excluded, got {tau}")
        self.tau, self.prior = tau, prior or Prior.load()
        self._verdicts: deque[tuple[Measurement, bool]] = deque(maxlen=MAX_VERDICTS)
        self._fitted: _Posterior | None = None

    def observe(self, measurement: Measurement, *, right: bool) -> None:
        """Take a verdict into account."""
        self._verdicts.append((measurement, right))
        self._fitted = None

    def is_judged(self, measurement: Measurement) -> bool:
        """Whether there is a verdict on just this measurement."""
        return any(judged is measurement for judged, _ in self._verdicts)

    def score(self, measurements: Sequence[Measurement]) -> Float[np.ndarray, " n"]:
        """Probability of each mask being right."""
        if not measurements:
            return np.zeros(0)
        asked = _Points.of(measurements, self.prior)
        mean, variance = asked.latent(self.prior, self.tau), asked.variance(self.prior.kernel)
        if self._verdicts:
            if self._fitted is None:
                known = _Points.of([measurement for measurement, _ in self._verdicts], self.prior)
                right = np.array([right for _, right in self._verdicts])
                self._fitted = _Posterior(known, right, self.prior, self.tau)
            shift, explained = self._fitted.at(asked, self.prior.kernel)
            mean, variance = mean + shift, np.maximum(variance - explained, 0)
        return expit(mean / _widening(variance))


@dataclass(frozen=True)
class _Points:
    """Measurements as arrays."""

    standardised: Float[np.ndarray, "n k"]
    frames: Float[np.ndarray, " n"]
    segments: list[tuple[int, int]]

    @classmethod
    def of(cls, measurements: Sequence[Measurement], prior: Prior) -> _Points:
        values = np.stack([each.values for each in measurements]).astype(float)
        frames = np.array([each.frame for each in measurements], dtype=float)
        return cls(prior.standardise(values), frames, [each.segment for each in measurements])

    def latent(self, prior: Prior, tau: float) -> Float[np.ndarray, " n"]:
        """Prior means; so wide that the probabilities are the regression's own while there is no verdict."""
        return prior.logits(self.standardised, tau) * _widening(self.variance(prior.kernel))

    def variance(self, kernel: Kernel) -> Float[np.ndarray, " n"]:
        return kernel.offset**2 + kernel.drift**2 * np.mean(self.standardised**2, axis=1) + kernel.local**2

    def covariance(self, other: _Points, kernel: Kernel) -> Float[np.ndarray, "n m"]:
        similar = self.standardised @ other.standardised.T / self.standardised.shape[1]
        near = np.exp(-np.abs(self.frames[:, None] - other.frames) / kernel.reach_frames)
        same = np.array([[left == right for right in other.segments] for left in self.segments])
        return kernel.offset**2 + kernel.drift**2 * similar + kernel.local**2 * near * same


def _widening(variance: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """By how much a logit shrinks when a logistic is averaged over a Gaussian: MacKay's approximation."""
    return np.sqrt(1 + np.pi / 8 * variance)


class _Posterior:
    """Laplace's approximation around the most probable logits of the judged masks."""

    def __init__(self, known: _Points, right: Bool[np.ndarray, " n"], prior: Prior, tau: float) -> None:
        covariance = known.covariance(known, prior.kernel)
        mean = known.latent(prior, tau)
        logits = mean + covariance @ _mode(covariance, mean, right)
        self._known = known
        self._pull = right - expit(logits)
        self._root = np.sqrt(expit(logits) * expit(-logits))
        self._system = np.eye(len(mean)) + self._root[:, None] * covariance * self._root

    def at(self, asked: _Points, kernel: Kernel) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """By how much the verdicts move the logits, and how much of their prior variance they take away."""
        covariance = asked.covariance(self._known, kernel)
        weighted = covariance * self._root
        explained = np.sum(weighted * np.linalg.solve(self._system, weighted.T).T, axis=1)
        return covariance @ self._pull, explained


def _mode(
    covariance: Float[np.ndarray, "n n"], mean: Float[np.ndarray, " n"], right: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """The most probable logits as `mean + covariance @ result`, by Newton's method with halved steps."""
    sign = np.where(right, 1.0, -1.0)

    def surprise(dual: Float[np.ndarray, " n"]) -> float:
        shift = covariance @ dual
        return float(dual @ shift / 2 + np.logaddexp(0, -sign * (mean + shift)).sum())

    dual = np.zeros(len(mean))
    value = surprise(dual)
    for _ in range(_NEWTON_STEPS):
        shift = covariance @ dual
        chance = expit(mean + shift)
        root = np.sqrt(chance * (1 - chance))
        target = root**2 * shift + right - chance
        system = np.eye(len(mean)) + root[:, None] * covariance * root
        step = target - root * np.linalg.solve(system, root * (covariance @ target)) - dual
        scales = 0.5 ** np.arange(_HALVINGS)
        scale = next((scale for scale in scales if surprise(dual + scale * step) < value - _CONVERGED), None)
        if scale is None:
            break
        dual = dual + scale * step
        value = surprise(dual)
    return dual
