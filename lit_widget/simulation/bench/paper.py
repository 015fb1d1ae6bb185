"""What the paper printed, to set beside what is measured.

Its tables have columns for VOST, LVOSv2, MOSEv2, SA-V val and SA-V test. One row of each half of table 1 holds the
numbers of another; here they are recomputed from the reductions that it prints.
"""

from __future__ import annotations

SOURCES = {"vost/val": 0, "lvosv2/valid": 1, "mosev2/train": 2, "sav/val": 3, "sav/test": 4}
"""Column of a data set and split."""

CORRECTIONS = {
    (0.5, "original"): [27.43, 33.59, 31.48, 20.66, 20.90],
    (0.5, "lit-lora"): [18.24, 25.75, 25.74, 16.91, 16.23],
    (0.75, "original"): [40.40, 56.32, 41.47, 27.48, 29.83],
    (0.75, "lit-lora"): [30.85, 45.00, 34.43, 22.55, 24.49],
}
"""Mean corrections by τ and strategy, of pairs with at least ten in the baseline."""

MINUTES = {
    (0.5, "original"): [18.42, 14.83, 22.49, 12.90, 13.09],
    (0.5, "lit-lora"): [12.91, 11.86, 18.00, 10.01, 10.73],
    (0.75, "original"): [39.47, 46.15, 41.96, 26.18, 28.16],
    (0.75, "lit-lora"): [31.01, 36.65, 33.15, 21.13, 23.00],
}
"""Mean minutes of annotation, likewise."""

BUDGETS = [0, 2, 4, 6, 8]

BUDGET_SCORES = {
    "vost/val": {"original": [38.2, 41.9, 46.4, 50.9, 55.1], "lit-lora": [38.2, 45.9, 50.6, 57.0, 60.6]},
    "lvosv2/valid": {"original": [70.5, 70.3, 70.9, 74.6, 77.1], "lit-lora": [70.5, 72.1, 73.1, 78.3, 80.8]},
    "mosev2/train": {"original": [52.7, 57.0, 60.5, 64.3, 68.5], "lit-lora": [52.7, 59.8, 64.3, 68.3, 72.2]},
    "sav/val": {"original": [63.8, 64.5, 67.1, 69.8, 73.2], "lit-lora": [63.8, 66.4, 68.6, 72.5, 75.5]},
    "sav/test": {"original": [61.8, 64.2, 67.3, 70.3, 72.8], "lit-lora": [61.8, 65.9, 71.0, 73.3, 76.9]},
}
"""Scores of the masks by budget, read off figure 4 to about 0.3: J on VOST, J&F elsewhere."""


def column(source: str) -> int | None:
    """The column of the paper's tables that a source fills, if any: `NAME:PATH` or `NAME/SPLIT:PATH`."""
    name = data_set(source)
    return None if name is None else SOURCES.get(name)


def data_set(source: str) -> str | None:
    """The name and split of a public data set; None for a folder or an embedded source."""
    from lit_widget.simulation.datasets import DATASETS

    name, _, path = source.partition(":")
    name, _, split = name.partition("/")
    return f"{name}/{split or DATASETS[name].split}" if path and name in DATASETS else None
