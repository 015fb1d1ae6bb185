"""The report of an experiment, made from what its folder holds; neither data nor model is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from .experiments import EXPERIMENTS
from .store import UnitStore, write_whole
from .tables import events_table, records_table
from .text import report_text

INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class BenchResult:
    """What an experiment found.

    Attributes:
        table: as the experiment makes it; empty if no pair was finished by all strategies.
        settings: what it was made with: sources, strategies, seeds, model and so on.
        units: how many there are.
        finished: how many of them are finished, earlier runs included.
        failed: why each failed unit failed, by its key.
        files: what was written.
        stopped: why not all units were tried, if so.
    """

    table: pd.DataFrame
    settings: Mapping[str, Any]
    units: int
    finished: int
    failed: Mapping[str, str]
    files: list[Path]
    stopped: str | None = None

    @property
    def complete(self) -> bool:
        """Whether all units are finished."""
        return self.finished == self.units

    @property
    def exit_status(self) -> int:
        """For a command: 0 if all is done, 130 if the user stopped it, 1 if units failed or the cluster is gone."""
        if self.complete:
            return 0
        return 130 if self.stopped == INTERRUPTED else 1

    @property
    def text(self) -> str:
        """The table for a terminal, and what its columns mean."""
        return report_text(self.table, self.settings)

    def to_json(self) -> dict[str, Any]:
        """Plain data: the table and how complete it is, with `null` for what is undefined."""
        return {
            "complete": self.complete,
            "units": self.units,
            "finished": self.finished,
            "failed": dict(self.failed),
            "stopped": self.stopped,
            "settings": dict(self.settings),
            "table": json.loads(str(self.table.to_json(orient="records"))),
            "files": [str(path) for path in self.files],
        }


def save_plan(folder: Path, settings: Mapping[str, Any], keys: list[str], finished: int) -> Path:
    """Write `NAME.json`: what an experiment is made with, and the keys of its units."""
    path = folder / f"{settings['experiment']}.json"
    counts = {"units": len(keys), "finished": finished}
    write_whole(path, json.dumps({**settings, **counts, "keys": keys}, indent=1) + "\n")
    return path


def report_bench(folder: str | Path) -> list[BenchResult]:
    """Make the reports of all experiments in a folder anew, from the finished units in it.

    Args:
        folder: what `run_bench` was given as `out`.

    Raises:
        ValueError: if no experiment was run there.
    """
    store = UnitStore(folder)
    plans = [plan for path in sorted(store.folder.glob("*.json")) if (plan := _plan(path)) is not None]
    if not plans:
        raise ValueError(
            f"{folder} holds no experiment; give the folder that `lit-widget bench NAME --out` wrote NAME.json to"
        )
    return [write_report(store, settings, keys) for settings, keys in plans]


def write_report(store: UnitStore, settings: Mapping[str, Any], keys: list[str]) -> BenchResult:
    """Write table, figure and rows of the finished ones among some units.

    Args:
        store: where the units are, and the report will be.
        settings: what `NAME.json` holds.
        keys: of the units.
    """
    name, out, results = settings["experiment"], store.folder, store.load_keys(keys)
    experiment, records = EXPERIMENTS[name], records_table(results)
    table = pd.DataFrame() if records.empty else experiment.table(records)
    plan, files = save_plan(out, settings, keys, len(results)), []
    if not table.empty:
        files = [out / f"{name}.csv", out / f"{name}.png", plan]
        table.to_csv(files[0], index=False)
        events = events_table(results)
        experiment.figure(records, events).savefig(files[1], dpi=130)
        files.append(_save_rows(records, out / f"{name}-records"))
        files.append(_save_rows(events, out / f"{name}-trajectories"))
    return BenchResult(table, settings, len(keys), len(results), store.failures(keys), files)


def _plan(path: Path) -> tuple[dict[str, Any], list[str]] | None:
    """Settings and keys that a file holds, if it is the plan of an experiment."""
    try:
        found = json.loads(path.read_text())
    except ValueError:
        return None
    if not isinstance(found, dict) or found.get("experiment") not in EXPERIMENTS or "keys" not in found:
        return None
    keys = found.pop("keys")
    return {name: value for name, value in found.items() if name not in ("units", "finished")}, keys


def _save_rows(rows: pd.DataFrame, path: Path) -> Path:
    """Rows as Parquet, or as packed CSV where pyarrow (extra `bench`) is not installed."""
    if find_spec("pyarrow") is not None:
        target = path.with_name(f"{path.name}.parquet")
        rows.to_parquet(target, index=False)
    else:
        target = path.with_name(f"{path.name}.csv.gz")
        rows.to_csv(target, index=False)
    return target
