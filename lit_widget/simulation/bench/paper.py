"""What the paper printed, to set beside what is measured.

Its tables have columns for VOST, LVOSv2, MOSEv2, SA-V val and SA-V test. One row of each half of table 1 holds the
numbers of another; here they are recomputed from the reductions that it prints.
"""

from __future__ import annotations

import math

from lit_widget.simulation.datasets import data_set

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

VOST_CORRECTIONS = {
    "replace-original": 32.47,
    "lora-no-cl": 21.43,
    "memory-adapter": 18.84,
    "three-loras": 17.87,
    "lit-ft": 17.46,
    "lit-lora, 3/3": 18.74,
    "lit-lora, 5/5": 19.03,
    "lit-lora, 3/1": 17.73,
    "lit-lora, 5/1": 17.64,
}
"""Mean corrections of the ablations on VOST at τ 0.5, likewise."""

TRACKER_CORRECTIONS = {
    "dam4sam": {"original": 34.60, "lit-lora": 22.46},
    "samurai": {"original": 26.96, "lit-lora": 21.23},
}
"""Mean corrections with other trackers on VOST at τ 0.5, likewise."""

PAIR_CORRECTIONS = {"all": [18.6, 16.8, 8.0, 9.0, 10.0], "selected": [27.4, 33.6, 24.2, 20.7, 20.9]}
"""Mean corrections of the baseline at τ 0.5, of all pairs and of those with at least ten (figure 3b)."""

UNCORRECTED_SCORES = {"all": [51.6, 83.9, 80.5, 78.5, 79.8], "selected": [38.2, 70.5, 52.5, 63.8, 61.8]}
"""Scores of the masks without corrections, read off figure 3c to about 0.5: J on VOST, J&F elsewhere."""

CORRECTED_SCORES = {"all": [73.7, 92.6, 93.5, 93.5, 88.6], "selected": [66.4, 87.8, 87.5, 91.0, 79.0]}
"""Scores of the masks with corrections, likewise."""

BUDGETS = [0, 2, 4, 6, 8]

BUDGET_SCORES = {
    "vost/val": {"original": [38.2, 41.9, 46.4, 50.9, 55.1], "lit-lora": [38.2, 45.9, 50.6, 57.0, 60.6]},
    "lvosv2/valid": {"original": [70.5, 70.3, 70.9, 74.6, 77.1], "lit-lora": [70.5, 72.1, 73.1, 78.3, 80.8]},
    "mosev2/train": {"original": [52.7, 57.0, 60.5, 64.3, 68.5], "lit-lora": [52.7, 59.8, 64.3, 68.3, 72.2]},
    "sav/val": {"original": [63.8, 64.5, 67.1, 69.8, 73.2], "lit-lora": [63.8, 66.4, 68.6, 72.5, 75.5]},
    "sav/test": {"original": [61.8, 64.2, 67.3, 70.3, 72.8], "lit-lora": [61.8, 65.9, 71.0, 73.3, 76.9]},
}
"""Scores of the masks by budget, read off figure 4 to about 0.3: J on VOST, J&F elsewhere."""


def printed_corrections(source: str, tau: float, tracker: str, way: str) -> float:
    """What the paper has for an arm on a source, of pairs with at least ten corrections; NaN if nothing."""
    at = column(source)
    if at is None:
        return math.nan
    if tracker != "sam2":
        return TRACKER_CORRECTIONS.get(tracker, {}).get(way, math.nan) if (at, tau) == (0, 0.5) else math.nan
    if (tau, way) in CORRECTIONS:
        return CORRECTIONS[tau, way][at]
    return VOST_CORRECTIONS.get(way, math.nan) if (at, tau) == (0, 0.5) else math.nan


def printed_minutes(source: str, tau: float, tracker: str, way: str) -> float:
    """Likewise for minutes."""
    at = column(source)
    known = None if at is None or tracker != "sam2" else MINUTES.get((tau, way))
    return math.nan if known is None or at is None else known[at]


def column(source: str) -> int | None:
    """The column of the paper's tables that a source fills, if any: `NAME:PATH` or `NAME/SPLIT:PATH`."""
    name = data_set(source)
    return None if name is None else SOURCES.get(name)
