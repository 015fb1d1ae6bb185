"""Tables and figures of the experiments, made from the records of finished units alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lit_widget.simulation.metrics import bootstrap_interval, reduction_interval
from lit_widget.simulation.report import COLOURS, new_figure
from lit_widget.simulation.runner import MANY_CORRECTIONS

from .paper import BUDGET_SCORES, BUDGETS, CORRECTIONS, MINUTES, column, data_set

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAIR = ["video", "object"]


def records_table(results: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """One row per finished unit in which something was judged: what it is, and what it came to."""
    return pd.DataFrame([{**_identity(each), **each["record"]} for each in results if each["record"] is not None])


def events_table(results: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """The trajectories: one row per correction or acceptance, with the unit it belongs to."""
    return pd.DataFrame([{**_identity(each), **event} for each in results for event in each["events"]])


def _identity(result: dict[str, Any]) -> dict[str, Any]:
    unit = dict(result["unit"])
    arm = unit.pop("arm")
    return {**unit, **arm}


def main_table(records: pd.DataFrame) -> pd.DataFrame:
    """Corrections and minutes by data set, τ and strategy, of all pairs and of those with many corrections.

    Reductions are in per cent against the first strategy, with a 95 % bootstrap interval over pairs. What the paper
    printed is beside its own data sets and subset.
    """
    rows = []
    for source, tau, pairs in _groups(records, "tau"):
        baseline = pairs["corrections"].columns[0]
        everyone = pairs["corrections"].index
        many = everyone[np.asarray(pairs["corrections"][baseline]) >= MANY_CORRECTIONS]
        for subset, chosen in (("all", everyone), (f"≥ {MANY_CORRECTIONS}", many)):
            corrections, minutes = pairs["corrections"].loc[chosen], pairs["annotation_s"].loc[chosen] / 60
            for strategy in corrections.columns if len(chosen) else ():
                row = {"data": label(source), "tau": tau, "pairs of": subset, "strategy": strategy}
                row |= {"pairs": len(corrections), "corrections": corrections[strategy].mean()}
                row |= _reduction(corrections, baseline, strategy, "corrections")
                row |= {"minutes": minutes[strategy].mean()}
                row |= _reduction(minutes, baseline, strategy, "minutes")
                at = column(source) if subset != "all" else None
                for name, printed in (("corrections", CORRECTIONS), ("minutes", MINUTES)):
                    known = printed.get((tau, strategy))
                    row[f"{name}, paper"] = np.nan if at is None or known is None else known[at]
                rows.append(row)
    return pd.DataFrame(rows)


def budget_table(records: pd.DataFrame) -> pd.DataFrame:
    """Quality of the masks in per cent by data set, budget and strategy, with a 95 % bootstrap interval over pairs.

    It is J on VOST and J&F elsewhere, over pairs with many corrections where there are any, as the paper has it.
    """
    rows = []
    for source, budget, pairs in _groups(records, "budget"):
        j, f = pairs["j"].astype(float), pairs["f"].astype(float)
        is_vost = (data_set(source) or "").startswith("vost")
        scores = 100 * (j if is_vost else (j + f) / 2)
        for strategy in scores.columns:
            interval = bootstrap_interval(scores[strategy].dropna())
            printed = BUDGET_SCORES.get(data_set(source) or "", {}).get(strategy)
            rows.append(
                {
                    "data": label(source),
                    "budget": int(budget),
                    "strategy": strategy,
                    "pairs": len(scores),
                    "score": interval.estimate,
                    "low": interval.low,
                    "high": interval.high,
                    "is": "J" if is_vost else "J&F",
                    "paper": np.nan if printed is None else printed[BUDGETS.index(int(budget))],
                }
            )
    return pd.DataFrame(rows)


def label(source: str) -> str:
    """What tables call a source: a name, not a place."""
    name = data_set(source)
    return name or (source if source.startswith("embedded:") else Path(source).name)


def main_figure(records: pd.DataFrame) -> Figure:
    """Mean corrections of all pairs by data set and τ, a bar per strategy."""
    table = main_table(records)
    table = table[table["pairs of"] == "all"]
    groups = list(dict.fromkeys(zip(table["data"], table["tau"], strict=True)))
    strategies = list(dict.fromkeys(table["strategy"]))
    figure = new_figure(2.5 + 1.6 * len(groups), 3.4)
    axes = figure.subplots()
    for i, strategy in enumerate(strategies):
        own = table[table["strategy"] == strategy].set_index(["data", "tau"])["corrections"]
        places = np.arange(len(groups)) + (i - (len(strategies) - 1) / 2) * 0.8 / len(strategies)
        axes.bar(places, own.reindex(groups), 0.8 / len(strategies), label=strategy, color=COLOURS.get(strategy))
    axes.set_xticks(range(len(groups)), [f"{data}\nτ {tau:g}" for data, tau in groups])
    return _finished(figure, axes, "corrections per pair")


def tau_figure(records: pd.DataFrame) -> Figure:
    """Mean corrections over τ, a line per strategy, a panel per data set."""
    table = main_table(records)
    return _lines(table.loc[table["pairs of"] == "all"], "tau", "corrections", "τ", "corrections per pair")


def budget_figure(records: pd.DataFrame) -> Figure:
    """Quality over budget as in the paper's figure 4, a line per strategy, a panel per data set; the paper's dashed."""
    return _lines(budget_table(records), "budget", "score", "corrections given at most", "quality of the masks in %")


def _groups(records: pd.DataFrame, by: str) -> Iterator[tuple[str, float, dict[str, pd.DataFrame]]]:
    """(source, value of `by`, tables of each measure by pair and strategy): means over seeds, of complete pairs."""
    strategies = list(dict.fromkeys(records["strategy"]))
    for source in dict.fromkeys(records["source"]):
        for value in sorted(set(records[by])):
            own = records[(records["source"] == source) & (records[by] == value)]
            tables = {
                name: own.pivot_table(index=PAIR, columns="strategy", values=name, dropna=False)
                for name in ("corrections", "annotation_s", "j", "f")
            }
            finished = [strategy for strategy in strategies if strategy in tables["corrections"]]
            complete = tables["corrections"].reindex(columns=finished).dropna().index
            if len(complete):
                yield source, value, {n: table.reindex(complete, columns=finished) for n, table in tables.items()}


def _reduction(values: pd.DataFrame, baseline: str, strategy: str, name: str) -> dict[str, float]:
    columns = f"fewer {name} %", f"{name} low", f"{name} high"
    if strategy == baseline:
        return dict.fromkeys(columns, np.nan)
    drop = reduction_interval(values[baseline], values[strategy])
    return dict(zip(columns, (drop.estimate, drop.low, drop.high), strict=True))


def _lines(table: pd.DataFrame, x: str, y: str, x_label: str, y_label: str) -> Figure:
    panels = list(dict.fromkeys(table["data"]))
    figure = new_figure(1.0 + 3.6 * len(panels), 3.4)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for strategy, own in table[table["data"] == panel].groupby("strategy", sort=False):
            colour = COLOURS.get(str(strategy))
            (line,) = axes.plot(own[x], own[y], ".-", label=strategy, color=colour)
            if "low" in own:
                axes.fill_between(own[x], own["low"], own["high"], alpha=0.2, color=line.get_color(), lw=0)
                axes.plot(own[x], own["paper"], "--", lw=1, color=line.get_color())
        axes.set(title=panel, xlabel=x_label)
        _finished(figure, axes, y_label)
    return figure


def _finished(figure: Figure, axes: Any, y_label: str) -> Figure:
    axes.set_ylabel(y_label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure
