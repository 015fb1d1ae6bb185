"""Fit the quality estimator's prior on development clips, which no reported number uses; run it after new weights.

python -m benchmarks.fit_quality embedded:hard:200-209

The regression is fitted on the frames of tracking and of annotation together, for several tau at once. How far
verdicts may move it is chosen by log loss on clips that the regression has not seen.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from benchmarks.monitoring import TAUS, Pair, Scored, after_verdicts, auroc, before_each_verdict, watch_all
from lit_widget.video.quality import FEATURES
from lit_widget.video.verdicts import PRIOR, Kernel, Prior

FITTED_TAUS = (0.2, 0.35, 0.5, 0.65, 0.75, 0.85)
RIDGE = 0.01
FOLDS = 5
REPORTING_SEEDS = range(100, 200)
RIGID = Kernel(0.0, 0.0, 0.0, 8.0)
KERNELS = [Kernel(*each) for each in product((1.0, 2.0), (0.0, 0.5, 1.0), (1.0, 2.0), (8.0, 16.0))]


def fit(pairs: Sequence[Pair], fitted_on: str) -> Prior:
    """Ridge-penalised logistic regression of "IoU at least tau" on measurements and logit(tau), by Newton's method."""
    values = np.array([measurement.values for pair in pairs for measurement in pair.measurements])
    iou = np.array([value for pair in pairs for value in pair.iou])
    centre, spread = values.mean(0), np.maximum(values.std(0), 1e-6)
    empty = Prior(
        tuple(FEATURES), tuple(centre.tolist()), tuple(spread.tolist()), (), 0.0, 0.0, RIGID, fitted_on
    )  # fmt: skip
    known = empty.standardise(values)
    columns = [np.column_stack([known, np.full(len(iou), logit(tau)), np.ones(len(iou))]) for tau in FITTED_TAUS]
    inputs, right = np.concatenate(columns), np.concatenate([iou >= tau for tau in FITTED_TAUS])
    penalty = np.full(inputs.shape[1], RIDGE)
    penalty[-2:] = 1e-6
    weights = np.zeros(inputs.shape[1])
    for _ in range(30):
        chance = expit(inputs @ weights)
        slope = inputs.T @ (chance - right) / len(right) + penalty * weights
        bend = (inputs * (chance * (1 - chance))[:, None]).T @ inputs / len(right) + np.diag(penalty)
        weights -= np.linalg.solve(bend, slope)
    *own, strictness, bias = weights.tolist()
    return replace(empty, weights=tuple(own), strictness=strictness, bias=bias)


def held_out(pairs: Sequence[Pair], fitted_on: str) -> list[tuple[Prior, list[Pair]]]:
    """Priors together with the pairs that they were not fitted on; all clips of a seed stay together."""
    seeds = sorted({_seed(pair) for pair in pairs})
    folds = []
    for fold in range(min(FOLDS, len(seeds))):
        out = set(seeds[fold::FOLDS])
        prior = fit([pair for pair in pairs if _seed(pair) not in out], fitted_on)
        folds.append((prior, [pair for pair in pairs if _seed(pair) in out]))
    return folds


def scored(folds: list[tuple[Prior, list[Pair]]], kernel: Kernel, tau: float, way: str) -> Scored:
    """Held-out frames of one way of watching: after five verdicts in tracking, before each verdict in annotation."""
    parts = []
    for fitted, pairs in folds:
        prior = replace(fitted, kernel=kernel)
        own = [pair for pair in pairs if pair.way == way]
        parts += [
            after_verdicts(pair, tau, 5, prior) if way == "tracking" else before_each_verdict(pair, tau, prior)
            for pair in own
        ]
    return Scored.join(parts)


def log_loss(frames: Scored) -> float:
    """Mean negative logarithm of the probability given to what was true."""
    given = np.where(frames.right, frames.learned, 1 - frames.learned)
    return float(-np.log(np.clip(given, 1e-6, 1)).mean())


def choose_kernel(folds: list[tuple[Prior, list[Pair]]]) -> Kernel:
    """The kernel with the least log loss, averaged over ways of watching and tau."""

    def loss(kernel: Kernel) -> float:
        return float(np.mean([log_loss(scored(folds, kernel, tau, way)) for tau in TAUS for way in WAYS]))

    losses = {kernel: loss(kernel) for kernel in [RIGID, *KERNELS]}
    chosen = min(losses, key=losses.__getitem__)
    print(f"log loss {losses[RIGID]:.4f} without learning from verdicts, {losses[chosen]:.4f} with {chosen}")
    return chosen


WAYS = ("tracking", "annotation")


def _seed(pair: Pair) -> int:
    return int(pair.video.rsplit("-", 1)[1])


def main() -> None:
    """Watch, fit, choose and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", help="embedded clips of development seeds")
    parser.add_argument("--model", default="pocket")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=PRIOR)
    arguments = parser.parse_args()
    arguments.exclude, arguments.taus = "", (0.5,)
    pairs = watch_all(arguments)
    if any(_seed(pair) in REPORTING_SEEDS or _seed(pair) >= 300 for pair in pairs):
        parser.error("seeds 100 to 199 are for reported numbers and those from 300 on for the demo; take others")
    fitted_on = f"{arguments.model}, {' '.join(arguments.sources)}"
    folds = held_out(pairs, fitted_on)
    kernel = choose_kernel(folds)
    for tau in TAUS:
        for way in WAYS:
            frames = scored(folds, kernel, tau, way)
            print(f"{way}, tau {tau}: AUROC {auroc(frames.learned, frames.right):.3f} on held-out development clips")
    replace(fit(pairs, fitted_on), kernel=kernel).save(arguments.out)
    print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
