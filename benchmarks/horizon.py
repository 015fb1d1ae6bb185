"""How far ahead one correction helps: the first error is learned, and later proposals are measured but not offered.

python -m benchmarks.horizon embedded:hard:110-116 --json benchmarks/results/horizon-embedded.json
python -m benchmarks.horizon PATH/TO/DAVIS --exclude caps --json benchmarks/results/horizon-real.json

The user corrects every error, as with the frozen tracker, so that all strategies are asked about the same masks.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from benchmarks.result import write_result
from benchmarks.shares import arguments_of, in_shares, share_of
from lit_widget.core.learner import LiveLearner
from lit_widget.core.strategy import Strategy
from lit_widget.core.types import Correction, Prediction, UpdateReport
from lit_widget.simulation.metrics import bootstrap_interval
from lit_widget.simulation.protocol import Annotator, run_pair
from lit_widget.simulation.user import SimulatedUser
from lit_widget.video.feature_cache import FeatureCache
from lit_widget.video.models import load_model
from lit_widget.video.strategies import STRATEGIES, learner_for

AHEAD = (1, 5, 20, 50)
MEASURED = ("close-up", "lit-lora", "lit-plus")


@dataclass(frozen=True)
class Probe(Strategy):
    """Teaches a strategy one correction and measures what it would propose on the frames after it."""

    name: ClassVar[str] = "probe"
    help: ClassVar[str] = "measures proposals without offering them"
    inner: Strategy
    annotator: Annotator
    taught: list[int] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def revise(self, learner: LiveLearner, prediction: Prediction) -> Prediction:
        """Measure the best proposal and let the prediction stand."""
        frame, object_id = prediction.item
        ahead = frame - self.taught[0] if self.taught else 0
        if 0 < ahead <= max(AHEAD) and frame in self.annotator.sequence.annotated_frames(object_id):
            tracked = self.annotator.iou(frame, prediction.output)
            proposals = self.inner.propose(learner, prediction)
            proposed = max((self.annotator.iou(frame, each.output) for each in proposals), default=tracked)
            self.rows.append({"ahead": ahead, "tracked": tracked, "proposed": proposed})
        return prediction

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Learn the first correction that teaches anything."""
        if self.taught:
            return None
        report = self.inner.learn(learner, prediction, correction)
        if correction.target is not None and correction.target.shown.any():
            self.taught.append(prediction.item.frame)
        return report


def watch(arguments: argparse.Namespace, share: int) -> pd.DataFrame:
    """One row per frame after the first error, strategy and pair."""
    model, user = load_model(arguments.model, device="cpu"), SimulatedUser(tau=arguments.tau)
    parts = []
    for sequence in share_of(arguments, share):
        features = FeatureCache.of(model, sequence.frames)
        for object_id in sequence.objects:
            for name in MEASURED:
                learner = learner_for(STRATEGIES[name], model, sequence.frames, features=features)
                probe = Probe(STRATEGIES[name], Annotator(learner, sequence, object_id, user))
                run_pair(learner, sequence, object_id, probe, user)
                parts.append(pd.DataFrame(probe.rows).assign(video=sequence.name, object=object_id, strategy=name))
        print(f"{sequence.name} watched", flush=True)
    return pd.concat(parts)


def reach(rows: pd.DataFrame, tau: float) -> pd.DataFrame:
    """By strategy and distance: IoU tracked and proposed just there, and errors since the distance before, rescued.

    `gain` is in IoU, with a bootstrap interval over pairs.
    """
    table = []
    for name in MEASURED:
        own, nearer = rows[rows["strategy"] == name], 0
        for ahead in AHEAD:
            there = own[own["ahead"] == ahead]
            errors = own[(own["ahead"] > nearer) & (own["ahead"] <= ahead) & (own["tracked"] < tau)]
            nearer = ahead
            if there.empty:
                continue
            gain = bootstrap_interval((there["proposed"] - there["tracked"]).to_numpy())
            table.append(
                {
                    "strategy": name,
                    "ahead": ahead,
                    "pairs": len(there),
                    "tracked": there["tracked"].mean(),
                    "proposed": there["proposed"].mean(),
                    "gain": gain.estimate,
                    "low": gain.low,
                    "high": gain.high,
                    "errors": len(errors),
                    "rescued_pct": 100 * float(np.mean(errors["proposed"] >= tau)) if len(errors) else None,
                }
            )
    return pd.DataFrame(table)


def main() -> None:
    """Watch, print and write."""
    parser = arguments_of(__doc__)
    parser.add_argument("--tau", type=float, default=0.5)
    arguments = parser.parse_args()
    table = reach(pd.concat(in_shares(watch, arguments)), arguments.tau)
    print(table.round(3).to_string(index=False))
    if arguments.json:
        settings = {key: getattr(arguments, key) for key in ("sources", "exclude", "model", "tau")}
        write_result(arguments.json, "horizon", settings, {"reach": table})


if __name__ == "__main__":
    main()
