"""Run an experiment on data sets and write what was found."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from lit_widget.core.strategy import find_strategy
from lit_widget.simulation.datasets import open_sources
from lit_widget.simulation.runner import environment
from lit_widget.video.models import find_entry
from lit_widget.video.strategies import STRATEGIES

from .experiments import Experiment, find_experiment
from .store import UnitStore
from .tables import events_table, records_table
from .units import Unit, list_units
from .work import Setup, run_units


@dataclass(frozen=True)
class BenchResult:
    """What an experiment found.

    Attributes:
        table: as the experiment makes it; empty if no pair was finished by all strategies.
        units: how many there are.
        finished: how many of them are finished, earlier runs included.
        failed: why each failed unit failed, by its key.
        files: what was written.
    """

    table: pd.DataFrame
    units: int
    finished: int
    failed: Mapping[str, str]
    files: list[Path]

    @property
    def complete(self) -> bool:
        """Whether all units are finished."""
        return self.finished == self.units


def run_bench(
    name: str,
    data: Iterable[str],
    *,
    out: str | Path,
    strategies: Iterable[str] | None = None,
    seeds: Iterable[int] = (0,),
    workers: int = 1,
    limit: int | None = None,
    model: Mapping[str, str | None] | None = None,
    progress: bool = True,
) -> BenchResult:
    """Run an experiment and write its table, figure and trajectories.

    Units that are finished in `out` are not run again, so that an interrupted run goes on where it was; when all are,
    only the report is made anew.

    Args:
        name: one of `EXPERIMENTS`.
        data: sources for `open_sources`.
        out: folder of the results.
        strategies: names, of which the first is the baseline; the experiment's own by default.
        seeds: of the user, the adapters' initial weights and dropout; results are means over them.
        workers: processes, each of which computes on one thread.
        limit: only that many (video, object) pairs of each source.
        model: options of `load_model`.
        progress: show a progress bar.

    Returns:
        What was found; interrupting (Ctrl-C) returns what was done.

    Raises:
        ValueError: if a name is unknown or a source cannot be read.
    """
    experiment, options = find_experiment(name), dict(model or {})
    chosen = list(dict.fromkeys(find_strategy(each, STRATEGIES).name for each in strategies or experiment.strategies))
    entry = find_entry(options.get("name"), options.get("config")).name
    called = " ".join([entry, *(str(options[each]) for each in ("weights", "precision") if options.get(each))])
    sources = [(source, open_sources([source])) for source in data]
    units = _first(list_units(sources, experiment.arms(chosen), seeds, called), limit)
    setup, failed = Setup(Path(out), options), {}
    try:
        with tqdm(total=len(units), disable=not progress, unit="unit") as bar:
            run_units(units, setup, _reporter(bar, failed), workers=workers)
    except KeyboardInterrupt:
        pass
    return _written(experiment, units, setup, name, failed)


def _first(units: list[Unit], limit: int | None) -> list[Unit]:
    """The units of the first pairs of each source."""
    if limit is None:
        return units
    if limit < 1:
        raise ValueError(f"limit is a number of pairs, at least one, got {limit}")
    pairs: dict[str, dict[tuple[str, int], None]] = {}
    for unit in units:
        pairs.setdefault(unit.source, {})[unit.video, unit.object] = None
    kept = {source: set(list(found)[:limit]) for source, found in pairs.items()}
    return [unit for unit in units if (unit.video, unit.object) in kept[unit.source]]


def _reporter(bar: tqdm, failed: dict[str, str]) -> Callable[[Unit, str | None], None]:
    def report(unit: Unit, reason: str | None) -> None:
        if reason is not None:
            failed[unit.key] = reason
            bar.write(f"failed: {unit.video}, object {unit.object}, {unit.arm}: {reason}", file=sys.stderr)
        bar.update()

    return report


def _written(
    experiment: Experiment, units: list[Unit], setup: Setup, name: str, failed: Mapping[str, str]
) -> BenchResult:
    """The report, made from the finished units alone."""
    results = UnitStore(setup.out).load(units)
    records = records_table(results)
    table = pd.DataFrame() if records.empty else experiment.table(records)
    files = []
    if not table.empty:
        files = [setup.out / f"{name}.csv", setup.out / f"{name}.png", setup.out / f"{name}.json"]
        table.to_csv(files[0], index=False)
        events = events_table(results)
        experiment.figure(records, events).savefig(files[1], dpi=130)
        arms = [asdict(arm) for arm in dict.fromkeys(unit.arm for unit in units)]
        about = {"experiment": name, "arms": arms, "model": units[0].model, "versions": environment()}
        files[2].write_text(json.dumps({**about, "units": len(units), "finished": len(results)}, indent=1) + "\n")
        files.append(_save_rows(records, setup.out / f"{name}-records"))
        files.append(_save_rows(events, setup.out / f"{name}-trajectories"))
    return BenchResult(table, len(units), len(results), failed, files)


def _save_rows(rows: pd.DataFrame, path: Path) -> Path:
    """Rows as Parquet, or as packed CSV where pyarrow (extra `bench`) is not installed."""
    if find_spec("pyarrow") is not None:
        target = path.with_name(f"{path.name}.parquet")
        rows.to_parquet(target, index=False)
    else:
        target = path.with_name(f"{path.name}.csv.gz")
        rows.to_csv(target, index=False)
    return target
