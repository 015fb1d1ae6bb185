"""What an experiment found, for a terminal: the table, and what its columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

FEW_PAIRS = 5
"""Intervals over fewer pairs deserve a word of caution."""

CORRECTION = (
    "A correction is a frame that the user had to fix by clicks or, where three did not do, by painting the mask."
)
FEWER = (
    "Fewer corrections and minutes are reductions in per cent against {baseline}. Minutes are the user's and the "
    "waiting for the adapter, as long as it took on the machine that ran it; missed are errors that nobody corrected. "
    "Scores of the final masks are in per cent, by the rules of the data set's benchmark: without the last frame that "
    "has ground truth, which the J of `lit-widget simulate` includes."
)
QUALITY = (
    "Scores are J or J&F of the final masks in per cent, without the last frame that has ground truth: with at most as "
    "many corrections as the budget says, or with and without all corrections of {baseline}."
)


def report_text(table: pd.DataFrame, settings: Mapping[str, Any]) -> str:
    """The table with its intervals in brackets, and below it a paragraph that explains it.

    Args:
        table: what an experiment made; not empty.
        settings: what it was made with.
    """
    known = table.dropna(axis="columns", how="all")
    unknown = [name for name in table if str(name).endswith("paper") and name not in known]
    shown = _with_intervals(table.drop(columns=unknown))
    lines = [shown.to_string(index=False, float_format="{:z.2f}".format, na_rep="–"), _legend(table, settings)]
    if unknown:
        lines.append("The paper has no such numbers of these data sets, so that its columns are left out.")
    if table["pairs"].between(1, FEW_PAIRS - 1).any():
        lines.append(
            f"Caution: an interval over fewer than {FEW_PAIRS} pairs says little; one pair alone has none (–)."
        )
    return "\n".join(lines)


def _legend(table: pd.DataFrame, settings: Mapping[str, Any]) -> str:
    taus = " and ".join(f"{tau:g}" for tau in dict.fromkeys(arm["tau"] for arm in settings["arms"]))
    seeds, counts = settings["seeds"], table.loc[table["pairs of"] == "all"].groupby("data", sort=False)["pairs"].max()
    pairs = ", ".join(f"{n} {'pair' if n == 1 else 'pairs'} of {data}" for data, n in counts.items())
    means = (
        f"Means per (video, object) over {pairs}, model {settings['model']}, tau {taus}, "
        f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}; in brackets 95 % bootstrap intervals "
        f"over pairs; pairs of ≥ 10 are those in which {settings['strategies'][0]} needs ten corrections or more."
    )
    columns = FEWER if "fewer corrections %" in table else QUALITY
    return f"{means} {CORRECTION} {columns.format(baseline=settings['strategies'][0])}"


def _with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Each estimate with its interval in one column."""
    bounded = [name for name in table if f"{name} low" in table and f"{name} high" in table]
    merged = table.copy()
    for name in bounded:
        ends = zip(table[name], table[f"{name} low"], table[f"{name} high"], strict=True)
        merged[name] = [_interval(*each) for each in ends]
    return merged.drop(columns=[f"{name} {end}" for name in bounded for end in ("low", "high")])


def _interval(estimate: float, low: float, high: float) -> str:
    if not np.isfinite(estimate):
        return "–"
    return f"{estimate:z.2f} –" if np.isnan(low) else f"{estimate:z.2f} [{low:z.2f}, {high:z.2f}]"
