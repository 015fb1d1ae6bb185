"""Original, LIT-LoRA and the learning-free controls on the same videos, with bootstrap intervals.

python -m benchmarks.compare embedded:hard:110-116 --json benchmarks/results/compare-embedded-0.5.json
python -m benchmarks.compare PATH/TO/DAVIS --exclude caps --json benchmarks/results/compare-real-0.5.json
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import pandas as pd

from benchmarks.result import write_result
from benchmarks.shares import arguments_of, in_shares, share_of
from lit_widget.simulation.metrics import reduction_interval
from lit_widget.simulation.report import summary_text
from lit_widget.simulation.runner import SimulationResult, run_simulation
from lit_widget.video.models import find_entry

COMPARED = ("original", "token-0", "previous-mask", "lit-lora")
CONTROLS = ("token-0", "previous-mask")


def run_share(arguments: argparse.Namespace, share: int) -> SimulationResult:
    """All strategies on one share of the sequences."""
    update = find_entry(arguments.model).update
    if arguments.learning_rate is not None:
        update = replace(update, learning_rate=arguments.learning_rate)
    return run_simulation(
        share_of(arguments, share),
        strategies=arguments.strategies.split(","),
        model=arguments.model,
        tau=arguments.tau,
        seed=arguments.seed,
        update=update,
        progress=share == 0,
    )


def run(arguments: argparse.Namespace) -> SimulationResult:
    """All sequences, shared among processes."""
    parts = in_shares(run_share, arguments)
    records = pd.concat([part.records for part in parts]).sort_values(["video", "object", "strategy"])
    events = pd.concat([part.events for part in parts]).sort_values(["video", "object", "strategy", "frame"])
    complete = all(part.complete for part in parts)
    return SimulationResult(records.reset_index(drop=True), events.reset_index(drop=True), parts[0].settings, complete)


def against_controls(result: SimulationResult) -> pd.DataFrame:
    """How many fewer corrections LIT-LoRA needs than each control and than the better one, in per cent."""
    table = result.paired("corrections")
    controls = [name for name in CONTROLS if name in table]
    if not controls or "lit-lora" not in table:
        return pd.DataFrame()
    better = min(controls, key=lambda name: table[name].sum())
    rows = [{"control": name, "better": name == better, **saved(table, name, "lit-lora")} for name in controls]
    return pd.DataFrame(rows)


def beyond_the_paper(result: SimulationResult) -> pd.DataFrame:
    """How many fewer corrections LIT-plus needs than LIT-LoRA and than its own learning-free part, in per cent."""
    table = result.paired("corrections")
    rivals = [name for name in ("lit-lora", "close-up") if name in table and "lit-plus" in table]
    return pd.DataFrame([{"against": name, **saved(table, name, "lit-plus")} for name in rivals])


def saved(table: pd.DataFrame, rival: str, strategy: str) -> dict[str, float]:
    """The rival's mean corrections, and how many fewer the strategy needs, in per cent with a bootstrap interval."""
    drop = reduction_interval(table[rival].to_numpy(), table[strategy].to_numpy())
    mean = table[rival].mean()
    return {"corrections": mean, "reduction_pct": drop.estimate, "low": drop.low, "high": drop.high}


def corrected_in_both(result: SimulationResult) -> pd.DataFrame:
    """IoU of the final masks of LIT-LoRA and of the baseline, on the frames that the user corrected in both runs.

    A painted mask counts as 1, so that the shares painted are given too.
    """
    if "lit-lora" not in result.settings["strategies"]:
        return pd.DataFrame()
    corrected = result.events[result.events["event"] == "corrected"].set_index(["video", "object", "frame"])
    runs = {name: corrected[corrected["strategy"] == name] for name in (result.baseline, "lit-lora")}
    shared = runs[result.baseline].index.intersection(runs["lit-lora"].index)
    return pd.DataFrame(
        {
            "strategy": name,
            "frames": len(shared),
            "iou": events.loc[shared, "iou"].mean(),
            "painted_pct": 100 * events.loc[shared, "full_mask"].mean(),
        }
        for name, events in runs.items()
    )


def by_group(result: SimulationResult) -> pd.DataFrame:
    """Mean corrections per strategy by kind of clip, or by sequence."""
    records = result.records.assign(group=result.records["video"].str.replace(r"-\d+$", "", regex=True))
    return records.pivot_table(index="group", columns="strategy", values="corrections").reset_index()


def main() -> None:
    """Run, print and write."""
    parser = arguments_of(__doc__)
    parser.add_argument("--strategies", default=",".join(COMPARED))
    parser.add_argument("--tau", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--learning-rate", type=float)
    arguments = parser.parse_args()
    result = run(arguments)
    controls, beyond = against_controls(result), beyond_the_paper(result)
    shared, groups = corrected_in_both(result), by_group(result)
    print(summary_text(result))
    print("\nLIT-LoRA against the controls:\n", controls.round(2).to_string(index=False))
    print("\nLIT-plus against others:\n", beyond.round(2).to_string(index=False))
    print("\nOn frames corrected in both:\n", shared.round(3).to_string(index=False))
    print("\nCorrections by group:\n", groups.round(1).to_string(index=False))
    if arguments.json:
        settings = {**result.settings, "sources": arguments.sources, "exclude": arguments.exclude}
        tables = {"summary": result.summary, "controls": controls, "beyond": beyond, "corrected_in_both": shared}
        tables |= {"groups": groups, "pairs": result.records}
        write_result(arguments.json, "compare", settings, {k: t for k, t in tables.items() if len(t)})


if __name__ == "__main__":
    main()
