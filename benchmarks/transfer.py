"""What an adapter saved after one video brings to the next: of the same kind, and, for comparison, of another.

python -m benchmarks.transfer embedded:hard:110-116 --json benchmarks/results/transfer-embedded.json
"""

from __future__ import annotations

import argparse
import re
from itertools import groupby

import pandas as pd

from benchmarks.result import open_benchmark_sources, write_result
from benchmarks.shares import arguments_of, in_shares
from lit_widget.core.types import AdapterState
from lit_widget.simulation.datasets import Sequence
from lit_widget.simulation.metrics import reduction_interval
from lit_widget.simulation.protocol import run_pair
from lit_widget.simulation.user import SimulatedUser
from lit_widget.video.learner import VideoLearner
from lit_widget.video.models import load_model
from lit_widget.video.sam2 import Sam2
from lit_widget.video.strategies import STRATEGIES, learner_for

BEGINNINGS = ("fresh", "same kind", "other kind")


def kind_of(sequence: Sequence) -> str:
    """The kind of an embedded clip, without its seed."""
    return re.sub(r"-\d+$", "", sequence.name)


def annotated(model: Sam2, sequence: Sequence, strategy: str, begin: AdapterState | None) -> tuple[int, VideoLearner]:
    """Corrections of the first object when its adapter begins with what was learned before, and the learner after."""
    learner = learner_for(STRATEGIES[strategy], model, sequence.frames)
    object_id = sequence.objects[0]
    if begin is not None:
        learner.adapters.get(object_id).restore(begin)
    results = run_pair(learner, sequence, object_id, STRATEGIES[strategy], SimulatedUser())
    return sum(result.event == "corrected" for result in results), learner


def learned(learner: VideoLearner, object_id: int) -> AdapterState | None:
    """What a video taught, as `save_adapter` would keep it; None for nothing."""
    adapter = learner.adapters.trained(object_id)
    return None if adapter is None else adapter.snapshot()


def watch(arguments: argparse.Namespace, share: int) -> pd.DataFrame:
    """One row per clip and way to begin it: after the clip before it of its kind, and of the next kind."""
    model = load_model(arguments.model, device="cpu")
    clips = sorted(open_benchmark_sources(arguments.sources, arguments.exclude), key=lambda each: each.name)
    kinds = [list(group) for _, group in groupby(clips, key=kind_of)]
    rows = []
    for at in range(len(kinds))[share :: arguments.processes]:
        before = [annotated(model, each, arguments.strategy, None) for each in kinds[at]]
        others = [annotated(model, each, arguments.strategy, None)[1] for each in kinds[(at + 1) % len(kinds)][:-1]]
        for clip, (fresh, _), (_, same), other in zip(kinds[at][1:], before[1:], before[:-1], others, strict=True):
            begins = learned(same, 1), learned(other, 1)
            own = {"fresh": fresh}
            for name, begin in zip(BEGINNINGS[1:], begins, strict=True):
                own[name] = fresh if begin is None else annotated(model, clip, arguments.strategy, begin)[0]
            rows.append({"video": clip.name, "taught": begins[0] is not None, **own})
        print(f"{kind_of(kinds[at][0])} done", flush=True)
    return pd.DataFrame(rows)


def compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean corrections by beginning, and how many fewer than with a fresh adapter, in per cent."""
    table = []
    for name in BEGINNINGS:
        drop = reduction_interval(rows["fresh"].to_numpy(), rows[name].to_numpy())
        table.append(
            {
                "adapter": name,
                "clips": len(rows),
                "corrections": rows[name].mean(),
                "reduction_pct": drop.estimate,
                "low": drop.low,
                "high": drop.high,
            }
        )
    return pd.DataFrame(table)


def main() -> None:
    """Watch, print and write."""
    parser = arguments_of(__doc__)
    parser.add_argument("--strategy", default="lit-lora")
    arguments = parser.parse_args()
    rows = pd.concat(in_shares(watch, arguments))
    table = compared(rows)
    print(table.round(2).to_string(index=False))
    if arguments.json:
        settings = {key: getattr(arguments, key) for key in ("sources", "exclude", "model", "strategy")}
        write_result(arguments.json, "transfer", settings, {"compared": table, "clips": rows})


if __name__ == "__main__":
    main()
