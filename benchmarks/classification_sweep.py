"""Choose what the paper's live classification leaves open, on development seeds that no reported number uses.

python -m benchmarks.classification_sweep --json benchmarks/results/classification-sweep.json

One value after the other is varied; the best one is kept for those that follow. What was measured is kept in
`--rows`, so that a run that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks.result import write_result
from lit_widget.images.clip import Clip
from lit_widget.images.datasets.embedded import embedded_images
from lit_widget.images.head import ALPHA
from lit_widget.images.learner import UPDATE
from lit_widget.images.losses import LossConfig
from lit_widget.images.sources import ImageSet
from lit_widget.simulation.classify import ClassifyOptions, classify

SEEDS = range(10)
PER_CLASS = 8
BEGIN = {"learning_rate": 1e-3, "alpha": 8.0, "margin": 1.0, "margin_weight": 1.0, "decay": 1e-4}
GRID = {
    "learning_rate": (2e-4, 5e-4, 1e-3, 2e-3, 4e-3),
    "alpha": (4.0, 8.0, 16.0),
    "margin": (0.5, 1.0, 2.0),
    "margin_weight": (0.0, 1.0, 4.0),
    "decay": (0.0, 1e-4, 1e-2),
}
DEFAULT = {"learning_rate": UPDATE.rate, "alpha": ALPHA, **vars(LossConfig())}


def measured(values: dict[str, float], sets: list[ImageSet], clip: Clip, cache: str) -> dict[str, float]:
    """Corrections with these values."""
    options = ClassifyOptions(
        strategies=("original", "lit-lora"),
        shuffles=0,
        alpha=values["alpha"],
        update=replace(UPDATE, learning_rate=values["learning_rate"]),
        loss=LossConfig(values["margin"], values["margin_weight"], values["decay"]),
        cache=cache,
    )
    result = classify(sets, clip, options).result
    own = result.summary.set_index("strategy").loc["lit-lora"]
    return {key: float(own[key]) for key in ("groups", "corrections", "reduction_pct", "update_ms")}


def main() -> None:
    """One row per setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, default=Path("classification-sweep.jsonl"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    clip, sets = Clip.load(), [embedded_images(seed, per_class=PER_CLASS) for seed in SEEDS]
    best, rows = dict(BEGIN), []
    lines = given.rows.read_text().splitlines() if given.rows.exists() else []
    known = {tuple(values): found for values, found in map(json.loads, lines)}
    with tempfile.TemporaryDirectory() as cache:
        for name, choices in GRID.items():
            for value in choices:
                values = {**best, name: value}
                place = tuple(values.values())
                if place not in known:
                    known[place] = measured(values, sets, clip, cache)
                    with given.rows.open("a") as file:
                        file.write(json.dumps([place, known[place]]) + "\n")
                rows.append({"varied": name, **values, **known[place]})
                print(rows[-1], flush=True)
            own = [row for row in rows if row["varied"] == name]
            best[name] = max(own, key=lambda row: row["reduction_pct"])[name]
    print("best:", best, "default:", DEFAULT)
    if given.json:
        settings = {"sources": [images.name for images in sets], "per_class": PER_CLASS, "chosen": best}
        write_result(given.json, "classification-sweep", settings, {"settings": pd.DataFrame(rows)})


if __name__ == "__main__":
    main()
