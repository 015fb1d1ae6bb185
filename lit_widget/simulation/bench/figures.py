"""Figures of the experiments, made from the records and trajectories of finished units alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lit_widget.simulation.report import COLOURS, new_figure

from .tables import ALL, budget_table, labels, main_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def main_figure(records: pd.DataFrame, _: pd.DataFrame) -> Figure:
    """Mean corrections of all pairs by data set, τ and tracker, a bar per arm."""
    table = main_table(records)
    table = table.loc[table["pairs of"] == ALL]
    keys = ["data", "tau", "tracker"]
    groups = list(dict.fromkeys(table[keys].itertuples(index=False, name=None)))
    ways = list(dict.fromkeys(table["strategy"]))
    figure = new_figure(2.5 + 1.6 * len(groups), 3.4)
    axes = figure.subplots()
    for i, way in enumerate(ways):
        own = table.loc[table["strategy"] == way].set_index(keys)["corrections"]
        places = np.arange(len(groups)) + (i - (len(ways) - 1) / 2) * 0.8 / len(ways)
        axes.bar(places, own.reindex(groups), 0.8 / len(ways), label=way, color=COLOURS.get(way))
    axes.set_xticks(range(len(groups)), [f"{data}\nτ {tau:g}, {tracker}" for data, tau, tracker in groups])
    axes.legend(frameon=False)
    return _finished(figure, axes, "corrections per pair")


def tau_figure(records: pd.DataFrame, _: pd.DataFrame) -> Figure:
    """Mean corrections over τ, a line per arm, a panel per data set."""
    table = main_table(records)
    return _lines(table.loc[table["pairs of"] == ALL], "tau", "corrections", "τ", "corrections per pair")


def budget_figure(records: pd.DataFrame, _: pd.DataFrame) -> Figure:
    """Quality over budget as in the paper's figure 4, a line per arm, a panel per data set; the paper's dashed.

    It is of the paper's subset where any pair belongs to it, else of all pairs.
    """
    table = budget_table(records)
    selected = list(table.loc[table["pairs of"] != ALL, "data"])
    shown = (table["pairs of"] != ALL) | ~table["data"].isin(selected)
    return _lines(table.loc[shown], "budget", "score", "corrections given at most", "quality of the masks in %")


def analysis_figure(records: pd.DataFrame, events: pd.DataFrame) -> Figure:
    """Corrections per pair, sorted, and where in the video they are, a line per data set (paper figure 3)."""
    figure = new_figure(9.0, 3.4)
    tail, place = figure.subplots(1, 2)
    free, called = records.loc[records["budget"].isna()], labels(records)
    for source, own in free.groupby("source", sort=False):
        corrections = np.sort(own["corrections"])[::-1]
        tail.plot(100 * np.arange(1, len(own) + 1) / len(own), corrections, ".-", label=called[str(source)])
        if not events.empty:
            of_source = (events["source"] == source) & events["budget"].isna() & (events["event"] == "corrected")
            placed = events.loc[of_source].merge(own[["video", "object", "seed", "length"]])
            share, edges = np.histogram(placed["frame"] / placed["length"], bins=10, range=(0, 1))
            place.stairs(100 * share / max(share.sum(), 1), 100 * edges, label=called[str(source)])
    tail.set(xlabel="% of the pairs", title="Per video and object")
    place.set(xlabel="% of the video", title="Over the length of the videos")
    tail.legend(frameon=False)
    _finished(figure, place, "% of the corrections")
    return _finished(figure, tail, "corrections")


def _lines(table: pd.DataFrame, x: str, y: str, x_label: str, y_label: str) -> Figure:
    panels = list(dict.fromkeys(table["data"]))
    figure = new_figure(1.0 + 3.6 * len(panels), 3.4)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for way, own in table.loc[table["data"] == panel].groupby("strategy", sort=False):
            (line,) = axes.plot(own[x], own[y], ".-", label=way, color=COLOURS.get(str(way)))
            if "low" in own:
                axes.fill_between(own[x], own["low"], own["high"], alpha=0.2, color=line.get_color(), lw=0)
                axes.plot(own[x], own["paper"], "--", lw=1, color=line.get_color())
        axes.set(title=panel, xlabel=x_label)
        axes.legend(frameon=False)
        _finished(figure, axes, y_label)
    return figure


def _finished(figure: Figure, axes: Any, y_label: str) -> Figure:
    axes.set_ylabel(y_label)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
