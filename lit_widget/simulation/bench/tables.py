"""Tables of the experiments, made from the records of finished units alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lit_widget.simulation.datasets import data_set, source_labels
from lit_widget.simulation.metrics import Interval, bootstrap_interval, reduction_interval
from lit_widget.simulation.runner import MANY_CORRECTIONS

from .paper import (
    BUDGET_SCORES,
    BUDGETS,
    CORRECTED_SCORES,
    PAIR_CORRECTIONS,
    UNCORRECTED_SCORES,
    column,
    printed_corrections,
    printed_minutes,
)
from .units import Arm

PAIR = ["video", "object"]
SCORE = "score "
"""What columns of records with a benchmark's own scores begin with."""
ALL = "all"


def records_table(results: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """One row per finished unit in which something was judged: what it is, and what it came to."""
    return pd.DataFrame(
        [{**_identity(each), **each["record"], **_scores(each)} for each in results if each["record"] is not None]
    )


def events_table(results: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """The trajectories: one row per correction or acceptance, with the unit it belongs to."""
    return pd.DataFrame([{**_identity(each), **event} for each in results for event in each["events"]])


def _identity(result: dict[str, Any]) -> dict[str, Any]:
    unit = dict(result["unit"])
    arm = unit.pop("arm")
    return {**unit, **arm, "way": Arm(**arm).way}


def _scores(result: dict[str, Any]) -> dict[str, float]:
    """The benchmark's own, or J and F where it has none."""
    j, f = (np.nan if result["record"][name] is None else result["record"][name] for name in ("j", "f"))
    found = result["scores"] or {"J&F": (j + f) / 2, "J": j, "F": f}
    return {f"{SCORE}{name}": np.nan if value is None else value for name, value in found.items()}


def main_table(records: pd.DataFrame) -> pd.DataFrame:
    """Corrections and minutes by data set, τ, tracker and arm, of all pairs and of those with many corrections.

    Reductions are in per cent against the first arm; "low" and "high" are 95 % bootstrap intervals over pairs, which
    one pair alone does not have. What the paper printed
    is beside its own data sets and subset. "missed" are errors that nobody corrected. The last columns score the
    resulting masks in per cent, by the rules of the data set's own benchmark.
    """
    rows, called = [], labels(records)
    for (source, tau, tracker), pairs in _groups(records, ["source", "tau", "tracker"]):
        for subset, chosen in _subsets(pairs["corrections"].iloc[:, 0]):
            corrections, minutes = pairs["corrections"].loc[chosen], pairs["annotation_s"].loc[chosen] / 60
            for way in corrections.columns:
                row = {"data": called[source], "tau": tau, "tracker": tracker, "pairs of": subset, "strategy": way}
                row |= {"pairs": len(corrections), **_mean(corrections[way], "corrections")}
                row |= _reduction(corrections, way, "corrections")
                row |= {"minutes": minutes[way].mean()}
                row |= _reduction(minutes, way, "minutes")
                row["missed"] = pairs["missed"].loc[chosen, way].mean()
                selected = subset != ALL
                row["corrections, paper"] = printed_corrections(source, tau, tracker, way) if selected else np.nan
                row["minutes, paper"] = printed_minutes(source, tau, tracker, way) if selected else np.nan
                row |= _benchmark({name: table.loc[chosen, way] for name, table in pairs.items()})
                rows.append(row)
    return pd.DataFrame(rows)


def budget_table(records: pd.DataFrame) -> pd.DataFrame:
    """Quality of the masks in per cent by data set, budget and arm, with a 95 % bootstrap interval over pairs.

    The paper's are of pairs with many corrections where the budget is not limited.
    """
    rows, called = [], labels(records)
    for source, unlimited in _unlimited(records):
        for (budget,), pairs in _groups(records.loc[records["source"] == source], ["budget"]):
            scores = quality(source, pairs)
            for subset, chosen in _subsets(unlimited):
                printed = BUDGET_SCORES.get(data_set(source) or "", {}) if subset != ALL else {}
                for way in scores.columns:
                    known = printed.get(way, [np.nan] * len(BUDGETS))[BUDGETS.index(int(budget))]
                    own = scores.loc[:, way].reindex(chosen)
                    row = {"data": called[source], "budget": int(budget), "pairs of": subset, "strategy": way}
                    row |= {"pairs": own.count(), **_mean(own, "score"), "is": score_of(source), "paper": known}
                    rows.append(row)
    return pd.DataFrame(rows)


def analysis_table(records: pd.DataFrame) -> pd.DataFrame:
    """Corrections of the baseline and what they are good for, of all pairs and of those with many (paper figure 3)."""
    rows, called = [], labels(records)
    for source, unlimited in _unlimited(records):
        own = records.loc[records["source"] == source]
        free = own.loc[own["budget"].isna()].assign(budget=-1)
        with_corrections, without = (
            quality(source, next(pairs for _, pairs in _groups(each, ["budget"]))).iloc[:, 0]
            for each in (free, own.loc[own["budget"] == 0])
        )
        at = column(source)
        for subset, chosen in _subsets(unlimited):
            row = {"data": called[source], "pairs of": subset, "pairs": len(chosen)}
            row |= {**_mean(unlimited.loc[chosen], "corrections"), "is": score_of(source)}
            row |= _mean(without.reindex(chosen), "without corrections")
            row |= _mean(with_corrections.reindex(chosen), "with corrections")
            for name, printed in (
                ("corrections", PAIR_CORRECTIONS),
                ("without corrections", UNCORRECTED_SCORES),
                ("with corrections", CORRECTED_SCORES),
            ):
                row[f"{name}, paper"] = np.nan if at is None else printed["all" if subset == ALL else "selected"][at]
            rows.append(row)
    return pd.DataFrame(rows)


def quality(source: str, pairs: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The score of the resulting masks in per cent by pair and arm."""
    j, f = pairs["j"].astype(float), pairs["f"].astype(float)
    return 100 * (j if score_of(source) == "J" else (j + f) / 2)


def score_of(source: str) -> str:
    """What the paper takes as the quality of masks: J on VOST, J&F elsewhere."""
    return "J" if (data_set(source) or "").startswith("vost") else "J&F"


def labels(records: pd.DataFrame) -> dict[str, str]:
    """What tables call each source: a name, not a place."""
    return source_labels(records["source"].unique())


def _benchmark(pairs: Mapping[str, pd.Series]) -> dict[str, float]:
    """A benchmark's scores in per cent: means over the objects that have them, and over seen and unseen ones alike."""
    found = {name.removeprefix(SCORE): 100 * table.mean() for name, table in pairs.items() if name.startswith(SCORE)}
    both = {
        name.removesuffix(" seen"): (found[name] + found.get(f"{name.removesuffix(' seen')} unseen", np.nan)) / 2
        for name in found
        if name.endswith(" seen")
    }
    return both | found


def _groups(records: pd.DataFrame, by: list[str]) -> Iterator[tuple[Any, dict[str, pd.DataFrame]]]:
    """(values of `by`, tables of each measure by pair and arm): means over seeds, of pairs that every arm finished."""
    for values, own in records.dropna(subset=by).groupby(by, sort=False):
        scores = [name for name in own.dropna(axis="columns", how="all") if str(name).startswith(SCORE)]
        tables = {
            name: own.pivot_table(index=PAIR, columns="way", values=name, dropna=False)
            for name in ("corrections", "annotation_s", "missed", "j", "f", *scores)
        }
        ways = list(dict.fromkeys(own["way"]))
        complete = tables["corrections"].reindex(columns=ways).dropna().index
        if len(complete):
            yield values, {name: table.reindex(complete, columns=ways) for name, table in tables.items()}


def _unlimited(records: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """(source, corrections by pair) of the first arm where the user corrects every error."""
    free = records.loc[records["budget"].isna()].assign(budget=-1)
    for (source, _), pairs in _groups(free, ["source", "budget"]):
        yield source, pairs["corrections"].iloc[:, 0]


def _subsets(corrections: pd.Series) -> Iterator[tuple[str, pd.Index]]:
    """All pairs, and those with many corrections if there are any."""
    yield ALL, corrections.index
    many = corrections.index[np.asarray(corrections) >= MANY_CORRECTIONS]
    if len(many):
        yield f"≥ {MANY_CORRECTIONS}", many


def _mean(values: pd.Series, name: str) -> dict[str, float]:
    """The mean of what is known, with its interval."""
    known, columns = values.dropna(), (name, f"{name} low", f"{name} high")
    if known.empty:
        return dict.fromkeys(columns, np.nan)
    return dict(zip(columns, _ends(bootstrap_interval(known), len(known)), strict=True))


def _ends(interval: Interval, n_pairs: int) -> tuple[float, float, float]:
    """Estimate, low and high; one pair alone has no interval."""
    return (interval.estimate, interval.low, interval.high) if n_pairs > 1 else (interval.estimate, np.nan, np.nan)


def _reduction(values: pd.DataFrame, way: str, name: str) -> dict[str, float]:
    columns, baseline = (f"fewer {name} %", f"fewer {name} % low", f"fewer {name} % high"), values.columns[0]
    if way == baseline:
        return dict.fromkeys(columns, np.nan)
    return dict(zip(columns, _ends(reduction_interval(values[baseline], values[way]), len(values)), strict=True))
