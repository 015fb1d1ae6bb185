"""Figures of the experiments, made from the records and trajectories of finished units alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lit_widget.simulation.report import new_figure

from .styles import styles
from .tables import ALL, analysis_table, budget_table, labels, main_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def main_figure(records: pd.DataFrame, _: pd.DataFrame) -> Figure:
    """Mean corrections of all pairs by data set, τ and tracker, a bar with its interval per arm."""
    table = main_table(records)
    table = table.loc[table["pairs of"] == ALL]
    keys = ["data", "tau", "tracker"]
    groups = list(dict.fromkeys(table[[*keys, "pairs"]].itertuples(index=False, name=None)))
    looks = styles(table["strategy"])
    figure = new_figure(4.0 + max(1.6, 0.3 * len(looks)) * len(groups), 3.6)
    axes = figure.subplots()
    for i, (way, look) in enumerate(looks.items()):
        own = table.loc[table["strategy"] == way].set_index(keys).reindex([group[:3] for group in groups])
        places = np.arange(len(groups)) + (i - (len(looks) - 1) / 2) * 0.8 / len(looks)
        _bars(axes, places, own, "corrections", 0.8 / len(looks), label=way, color=look.colour, hatch=look.hatch)
    axes.set_xticks(range(len(groups)), [f"{data}\nτ {tau:g}, {tracker}\nn = {n}" for data, tau, tracker, n in groups])
    figure.legend(frameon=False, loc="outside right upper")
    figure.suptitle(_title(records, bars=True), fontsize=10)
    return _finished(figure, axes, "corrections per pair")


def tau_figure(records: pd.DataFrame, _: pd.DataFrame) -> Figure:
    """Mean corrections over τ, a line with its interval per arm, a panel per data set."""
    table = main_table(records)
    figure = _lines(table.loc[table["pairs of"] == ALL], "tau", "corrections", "τ", "corrections per pair")
    figure.suptitle(_title(records), fontsize=10)
    return figure


def budget_figure(records: pd.DataFrame, _: pd.DataFrame) -> Figure:
    """Quality over budget as in the paper's figure 4, a line per arm, a panel per data set; the paper's are crosses.

    It is of the paper's subset where any pair belongs to it, else of all pairs.
    """
    table = budget_table(records)
    selected = list(table.loc[table["pairs of"] != ALL, "data"])
    shown = (table["pairs of"] != ALL) | ~table["data"].isin(selected)
    figure = _lines(table.loc[shown], "budget", "score", "corrections given at most", "quality of the masks in %")
    figure.suptitle(_title(records), fontsize=10)
    return figure


def analysis_figure(records: pd.DataFrame, events: pd.DataFrame) -> Figure:
    """Corrections per pair, sorted, where in the video they are, and what they do for the masks (paper figure 3)."""
    figure = new_figure(13.0, 3.6)
    tail, place, good = figure.subplots(1, 3)
    free, called = records.loc[records["budget"].isna()], labels(records)
    looks = styles(called.values())
    for source, own in free.groupby("source", sort=False):
        name = called[str(source)]
        line = {"color": looks[name].colour, "label": f"{name}, n = {len(own[['video', 'object']].drop_duplicates())}"}
        corrections = np.sort(own["corrections"])[::-1]
        tail.plot(100 * np.arange(1, len(own) + 1) / len(own), corrections, marker=looks[name].marker, ms=4, **line)
        if not events.empty:
            of_source = (events["source"] == source) & events["budget"].isna() & (events["event"] == "corrected")
            placed = events.loc[of_source].merge(own[["video", "object", "seed", "length"]])
            share, edges = np.histogram(placed["frame"] / placed["length"], bins=10, range=(0, 1))
            place.stairs(100 * share / max(share.sum(), 1), 100 * edges, linestyle=looks[name].dashes, **line)
    tail.set(xlim=(0, 103), xlabel="% of the pairs", title="Per video and object")
    place.set(xlim=(0, 100), xlabel="% of the video", title="Over the length of the videos")
    table = analysis_table(records)
    table = table.loc[table["pairs of"] == ALL]
    for i, (name, colour) in enumerate((("without corrections", "#999999"), ("with corrections", "#0072B2"))):
        _bars(good, np.arange(len(table)) + 0.4 * i - 0.2, table, name, 0.4, label=name, color=colour)
    good.set_xticks(range(len(table)), list(table["data"]))
    good.set(title="What they are good for")
    good.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)
    tail.legend(frameon=False)
    figure.suptitle(_title(records, bars=True), fontsize=10)
    _finished(figure, place, "% of the corrections")
    _finished(figure, good, f"{' or '.join(dict.fromkeys(table['is']))} of the masks in %")
    return _finished(figure, tail, "corrections")


def _title(records: pd.DataFrame, *, bars: bool = False) -> str:
    """The model, and how sure the numbers are."""
    drawn = "whiskers" if bars else "bands"
    return f"{', '.join(dict.fromkeys(records['model']))} · {drawn}: 95 % bootstrap intervals over pairs"


def _bars(axes: Any, places: np.ndarray, table: pd.DataFrame, name: str, width: float, **look: Any) -> None:
    """Bars of a column, with whiskers where there is an interval."""
    middle = table[name].to_numpy(float)
    ends = (middle - table[f"{name} low"].to_numpy(float), table[f"{name} high"].to_numpy(float) - middle)
    axes.bar(places, middle, width, edgecolor="white", linewidth=0.5, **look)
    axes.errorbar(places, middle, np.clip(ends, 0, None), fmt="none", ecolor="#404040", elinewidth=1, capsize=2)


def _lines(table: pd.DataFrame, x: str, y: str, x_label: str, y_label: str) -> Figure:
    panels, looks = list(dict.fromkeys(table["data"])), styles(table["strategy"])
    figure = new_figure(1.0 + 3.8 * len(panels), 3.6)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        data = table.loc[table["data"] == panel]
        for i, (way, own) in enumerate(data.groupby("strategy", sort=False)):
            look = looks[str(way)]
            # Later lines are thinner and dashed, so that those below them are seen where they agree.
            line = {"color": look.colour, "ls": look.dashes, "lw": max(1.2, 3 - 0.6 * i)}
            axes.plot(own[x], own[y], marker=look.marker, ms=max(3, 7 - i), label=way, **line)
            axes.fill_between(own[x], own[f"{y} low"], own[f"{y} high"], alpha=0.15, color=look.colour, lw=0)
            if "paper" in own and own["paper"].notna().any():
                axes.plot(own[x], own["paper"], "x", color=look.colour, label=f"{way}, paper")
        axes.set(title=f"{panel}, n = {data['pairs'].max()}", xlabel=x_label)
        axes.legend(frameon=False)
        _finished(figure, axes, y_label)
    return figure


def _finished(figure: Figure, axes: Any, y_label: str) -> Figure:
    axes.set_ylabel(y_label)
    axes.spines[["top", "right"]].set_visible(False)
    if not axes.dataLim.y1 > 0:  # nothing but zeros has no scale of its own
        axes.set_ylim(0, 1)
    return figure
