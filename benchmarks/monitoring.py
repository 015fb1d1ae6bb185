"""How well a monitor tells right masks from wrong ones: predicted IoU as in the paper (Fig. 7-8), and what is learned.

python -m benchmarks.monitoring embedded:hard:110-116 --json benchmarks/results/monitoring-embedded.json
python -m benchmarks.monitoring PATH/TO/DAVIS --exclude caps --json benchmarks/results/monitoring-real.json

Two ways of watching. "tracking": nobody corrects, so that errors last; what was learned on no verdict of the video,
or after verdicts on its most doubtful frames, is scored on the other frames. "annotation": the user corrects every
error with LIT-LoRA; each frame is scored before its verdict, with all verdicts before it known.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from benchmarks.result import write_result
from benchmarks.shares import arguments_of, in_shares, share_of
from lit_widget.core.strategy import LitLora, Original
from lit_widget.core.types import Prediction, Proposal
from lit_widget.simulation.protocol import run_pair
from lit_widget.simulation.runner import run_simulation
from lit_widget.simulation.user import SimulatedUser
from lit_widget.video.feature_cache import FeatureCache
from lit_widget.video.learner import VideoLearner
from lit_widget.video.memory import MaskOutput
from lit_widget.video.models import find_entry, load_model
from lit_widget.video.quality import measure
from lit_widget.video.verdicts import Measurement, Prior, VerdictModel

TAUS = (0.5, 0.75)
VERDICTS = (0, 2, 5, 10)
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
PAPER_THRESHOLD = 0.8
LEARNED_THRESHOLD = 0.8
MODES = (("user", False), ("predicted-iou", False), ("learned", False), ("predicted-iou", True), ("learned", True))


# --- Watching ---------------------------------------------------------------------------------------------------------


@dataclass
class Pair:
    """What was measured on the judged frames of one object of one video.

    Attributes:
        video: its name.
        way: "tracking" or "annotation".
        tau: the user's threshold in annotation, 0 in tracking, where nothing is wrong enough to be corrected.
        measurements: one per judged frame.
        predicted_iou: the model's own estimates.
        iou: the truth.
        measure_s: seconds that one measurement took on average.
    """

    video: str
    way: str
    tau: float
    measurements: list[Measurement] = field(default_factory=list)
    predicted_iou: list[float] = field(default_factory=list)
    iou: list[float] = field(default_factory=list)
    measure_s: float = 0.0


class Recorder:
    """A monitor that has the user look at every frame, and measures the mask before they do."""

    def __init__(self, learner: VideoLearner, pair: Pair) -> None:
        self.learner, self.pair = learner, pair

    def alarm(self, prediction: Prediction[MaskOutput]) -> bool:
        """Measure; always true."""
        started = time.perf_counter()
        self.pair.measurements.append(measure(self.learner, prediction))
        self.pair.measure_s += time.perf_counter() - started
        self.pair.predicted_iou.append(prediction.output.iou)
        return True

    def accepts(self, prediction: Prediction[MaskOutput], proposal: Proposal[MaskOutput]) -> bool:
        """Never asked: the user validates."""
        return False

    def observe(self, prediction: Prediction[MaskOutput], *, right: bool) -> None:
        """Verdicts are replayed later."""


def watch(arguments: argparse.Namespace, share: int) -> list[Pair]:
    """Measure one share of the sequences."""
    model, update = load_model(arguments.model, device="cpu"), find_entry(arguments.model).update
    pairs = []
    for sequence in share_of(arguments, share):
        features = FeatureCache.of(model, sequence.frames)
        for object_id in sequence.objects:
            for tau in (0.0, *arguments.taus):
                pair = Pair(sequence.name, "annotation" if tau else "tracking", tau)
                learner = VideoLearner(model, sequence.frames, update=update, features=features)
                strategy = LitLora() if tau else Original()
                results = run_pair(
                    learner, sequence, object_id, strategy, SimulatedUser(tau=tau), monitor=Recorder(learner, pair)
                )
                if results:
                    pair.iou = [result.tracked_iou for result in results]
                    pair.measure_s /= len(results)
                    pairs.append(pair)
        print(f"{sequence.name} watched", flush=True)
    return pairs


def watch_all(arguments: argparse.Namespace) -> list[Pair]:
    """All sequences, shared among processes."""
    return sorted(
        (pair for part in in_shares(watch, arguments) for pair in part), key=lambda pair: (pair.video, pair.tau)
    )


# --- Scoring ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scored:
    """Frames with the truth and what two monitors say of them.

    Attributes:
        right: whether the IoU is at least tau.
        learned: probability of it.
        predicted_iou: the model's own estimate of the IoU.
    """

    right: np.ndarray
    learned: np.ndarray
    predicted_iou: np.ndarray

    @classmethod
    def join(cls, parts: Iterable[Scored]) -> Scored:
        """All frames together."""
        columns = zip(*((part.right, part.learned, part.predicted_iou) for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


def after_verdicts(pair: Pair, tau: float, n_verdicts: int, prior: Prior | None = None) -> Scored:
    """Judge the most doubtful frame so many times, then score the frames that nobody judged."""
    model = VerdictModel(tau, prior=prior)
    right, left = np.array(pair.iou) >= tau, np.arange(len(pair.iou))
    scores = model.score(pair.measurements)
    for _ in range(min(n_verdicts, len(left) - 1)):
        worst = left[np.argmin(scores[left])]
        model.observe(pair.measurements[worst], right=bool(right[worst]))
        left = left[left != worst]
        scores = model.score(pair.measurements)
    return Scored(right[left], scores[left], np.array(pair.predicted_iou)[left])


def before_each_verdict(pair: Pair, tau: float, prior: Prior | None = None) -> Scored:
    """Score every frame with the verdicts on all frames before it."""
    model, scores = VerdictModel(tau, prior=prior), []
    for measurement, iou in zip(pair.measurements, pair.iou, strict=True):
        scores.append(model.score([measurement])[0])
        model.observe(measurement, right=iou >= tau)
    return Scored(np.array(pair.iou) >= tau, np.array(scores), np.array(pair.predicted_iou))


def auroc(score: np.ndarray, right: np.ndarray) -> float:
    """Chance that a right mask has a higher score than a wrong one; NaN where there is only one kind."""
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    if not n_right or not n_wrong:
        return float("nan")
    ranks = rankdata(score)[right].sum()
    return float((ranks - n_right * (n_right + 1) / 2) / (n_right * n_wrong))


def agreement(score: np.ndarray, right: np.ndarray, threshold: float) -> dict[str, float]:
    """How a monitor that calls masks right from `threshold` on agrees with the truth (paper Fig. 7-8).

    `fpr` is the share of wrong masks that it passes, the corrections missed; `fnr` of right ones that it doubts.
    """
    passed = score >= threshold
    fpr = float(np.mean(passed[~right])) if (~right).any() else float("nan")
    fnr = float(np.mean(~passed[right])) if right.any() else float("nan")
    return {
        "threshold": threshold,
        "accuracy": float(np.mean(passed == right)),
        "balanced": 1 - (fpr + fnr) / 2,
        "fpr": fpr,
        "fnr": fnr,
    }


def false_alarms_at(score: np.ndarray, right: np.ndarray, missed: float) -> float:
    """Share of right masks that are doubted where at most this share of the wrong ones is missed."""
    if right.all():
        return 0.0
    cut = np.quantile(score[~right], 1 - missed, method="higher")
    return float(np.mean(score[right] <= cut))


def best(score: np.ndarray, right: np.ndarray, by: str = "accuracy") -> dict[str, float]:
    """The agreement at the threshold where it is highest, which only hindsight knows."""
    cuts = np.unique(np.concatenate([np.quantile(score, np.linspace(0, 1, 201)), [0.0, np.inf]]))
    return max((agreement(score, right, float(cut)) for cut in cuts), key=lambda row: np.nan_to_num(row[by]))


# --- Tables -----------------------------------------------------------------------------------------------------------


def situations(pairs: list[Pair]) -> dict[tuple[str, float, int | None], Scored]:
    """Scored frames by way of watching, tau, and verdicts known (`None`: all before the frame)."""
    tracked = [pair for pair in pairs if pair.way == "tracking"]
    found: dict[tuple[str, float, int | None], Scored] = {}
    for tau in TAUS:
        for n in VERDICTS:
            found["tracking", tau, n] = Scored.join(after_verdicts(pair, tau, n) for pair in tracked)
        annotated = [pair for pair in pairs if pair.way == "annotation" and pair.tau == tau]
        if annotated:
            found["annotation", tau, None] = Scored.join(before_each_verdict(pair, tau) for pair in annotated)
    return found


def comparison(found: dict[tuple[str, float, int | None], Scored]) -> pd.DataFrame:
    """One row per situation and monitor; `plain` is the accuracy of calling every mask right."""
    rows = []
    for (way, tau, verdicts), frames in found.items():
        for name, fixed in (("predicted-iou", PAPER_THRESHOLD), ("learned", LEARNED_THRESHOLD)):
            score = frames.predicted_iou if name == "predicted-iou" else frames.learned
            own = agreement(score, frames.right, fixed)
            hindsight = best(score, frames.right)
            rows.append(
                {
                    "way": way,
                    "tau": tau,
                    "verdicts": verdicts,
                    "monitor": name,
                    "frames": len(score),
                    "plain": float(frames.right.mean()),
                    "best_accuracy": hindsight["accuracy"],
                    "best_threshold": min(hindsight["threshold"], 1.0),
                    "best_balanced": best(score, frames.right, "balanced")["balanced"],
                    "auroc": auroc(score, frames.right),
                    "fnr_at_fpr_0.1": false_alarms_at(score, frames.right, 0.1),
                    **own,
                    "missed": round(own["fpr"] * (~frames.right).sum()) if (~frames.right).any() else 0,
                }
            )
    return pd.DataFrame(rows)


def curves(found: dict[tuple[str, float, int | None], Scored]) -> pd.DataFrame:
    """Accuracy, FPR and FNR by threshold (paper Fig. 7-8)."""
    rows = []
    for (way, tau, verdicts), frames in found.items():
        for name, score in (("predicted-iou", frames.predicted_iou), ("learned", frames.learned)):
            who = {"way": way, "tau": tau, "verdicts": verdicts, "monitor": name}
            rows += [{**who, **agreement(score, frames.right, threshold)} for threshold in THRESHOLDS]
    return pd.DataFrame(rows)


def run_modes(arguments: argparse.Namespace, share: int) -> pd.DataFrame:
    """LIT-LoRA with every monitor, triggering only and automatic, on one share of the sequences."""
    sources = share_of(arguments, share)
    parts = []
    for monitor, automatic in MODES:
        result = run_simulation(
            sources, strategies="lit-lora", model=arguments.model, monitor=monitor, automatic=automatic, progress=False
        )
        parts.append(result.records.assign(monitor=monitor, automatic=automatic))
        print(f"{monitor}{' automatic' * automatic} done", flush=True)
    return pd.concat(parts)


def modes_table(arguments: argparse.Namespace) -> pd.DataFrame:
    """One row per mode: means per pair."""
    records = pd.concat(in_shares(run_modes, arguments))
    columns = ["corrections", "accepted", "missed", "false_alarms", "annotation_s", "j_mean"]
    return records.groupby(["monitor", "automatic"], sort=False)[columns].mean().reset_index()


def main() -> None:
    """Watch, score, print and write."""
    parser = arguments_of(__doc__)
    parser.add_argument("--no-modes", action="store_true", help="leave out the simulations with monitors")
    arguments = parser.parse_args()
    arguments.taus = TAUS
    started = time.perf_counter()
    pairs = watch_all(arguments)
    found = situations(pairs)
    tables = {"comparison": comparison(found), "curves": curves(found)}
    if not arguments.no_modes:
        tables["modes"] = modes_table(arguments)
    for name in tables.keys() - {"curves"}:
        print(f"\n{name}:\n{tables[name].round(3).to_string(index=False)}")
    print(f"\n{len(pairs)} passes in {time.perf_counter() - started:.0f} s; one measurement takes ", end="")
    print(f"{1000 * np.mean([pair.measure_s for pair in pairs]):.0f} ms")
    if arguments.json:
        settings = {"sources": arguments.sources, "exclude": arguments.exclude, "model": arguments.model}
        settings["prior"] = Prior.load().fitted_on
        write_result(arguments.json, "monitoring", settings, tables)


if __name__ == "__main__":
    main()
