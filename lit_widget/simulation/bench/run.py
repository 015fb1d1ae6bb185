"""Run an experiment on data sets and write what was found."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from tqdm.auto import tqdm

from lit_widget.core.strategy import find_strategy
from lit_widget.simulation.datasets import open_sources, require_different, source_labels
from lit_widget.simulation.runner import environment, nothing_visible
from lit_widget.video.models import find_entry
from lit_widget.video.strategies import STRATEGIES

from .compute import Setup
from .experiments import Experiment, find_experiment
from .store import UnitStore
from .tables import events_table, records_table
from .units import Unit, list_units
from .work import require_workers, run_units

if TYPE_CHECKING:
    from distributed import Client


INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class BenchResult:
    """What an experiment found.

    Attributes:
        table: as the experiment makes it; empty if no pair was finished by all strategies.
        units: how many there are.
        finished: how many of them are finished, earlier runs included.
        failed: why each failed unit failed, by its key.
        files: what was written.
        stopped: why not all units were tried, if so.
    """

    table: pd.DataFrame
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

    def to_json(self) -> dict[str, Any]:
        """Plain data: the table and how complete it is, with `null` for what is undefined."""
        return {
            "complete": self.complete,
            "units": self.units,
            "finished": self.finished,
            "failed": dict(self.failed),
            "stopped": self.stopped,
            "table": json.loads(str(self.table.to_json(orient="records"))),
            "files": [str(path) for path in self.files],
        }


def run_bench(
    name: str,
    data: str | Iterable[str],
    *,
    out: str | Path,
    strategies: Iterable[str] | None = None,
    seeds: Iterable[int] = (0,),
    workers: int = 1,
    client: Client | None = None,
    limit: int | None = None,
    model: Mapping[str, str | None] | None = None,
    progress: bool = True,
) -> BenchResult:
    """Run an experiment and write its table, figure and trajectories.

    Units that are finished in `out` are not run again, so that an interrupted run goes on where it was; when all are,
    only the report is made anew.

    Args:
        name: one of `EXPERIMENTS`.
        data: a source for `open_sources`, or several.
        out: folder of the results.
        strategies: names, of which the first is the baseline; the experiment's own by default.
        seeds: of the user, the adapters' initial weights and dropout; results are means over them.
        workers: processes, each of which computes on one thread.
        client: of a Dask cluster (`distributed.Client`), whose workers then run the units; each needs the same versions
            as this process, and finds the data at the same path.
        limit: only that many (video, object) pairs of each source.
        model: options of `load_model`.
        progress: show a progress bar.

    Returns:
        What was found; interrupting (Ctrl-C), or a scheduler that is gone, returns what was done.

    Raises:
        ValueError: if a name is unknown, a source cannot be read, is given twice or shows no object, `out` cannot be
            written to, or workers of the cluster cannot run units.
    """
    experiment, options = find_experiment(name), dict(model or {})
    chosen = list(dict.fromkeys(find_strategy(each, STRATEGIES).name for each in strategies or experiment.strategies))
    entry = find_entry(options.get("name"), options.get("config")).name
    called = " ".join([entry, *(str(options[each]) for each in ("weights", "precision") if options.get(each))])
    given = [data] if isinstance(data, str) else list(data)
    require_different(given)
    sources = [(source, open_sources([source])) for source in given]
    units = _first(list_units(sources, experiment.arms(chosen), seeds, called), limit)
    if not units:
        called = source_labels(given)
        raise nothing_visible([(called[source], sequence) for source, found in sources for sequence in found])
    store, failed, stopped = UnitStore(out), {}, None
    require_workers(workers, client)
    store.prepare()
    try:
        with tqdm(total=len(units), disable=not progress, unit="unit") as bar:
            run_units(
                units,
                store,
                _reporter(bar, failed),
                setup=Setup(options),
                workers=workers,
                client=client,
                on_workers=lambda n: bar.set_description(f"{n} workers"),
            )
    except KeyboardInterrupt:
        stopped = INTERRUPTED
    except ConnectionError as error:
        stopped = str(error)
    return replace(_written(experiment, units, store, name), failed=failed, stopped=stopped)


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


def _written(experiment: Experiment, units: list[Unit], store: UnitStore, name: str) -> BenchResult:
    """The report, made from the finished units alone."""
    results, out = store.load(units), store.folder
    records = records_table(results)
    table = pd.DataFrame() if records.empty else experiment.table(records)
    files = []
    if not table.empty:
        files = [out / f"{name}.csv", out / f"{name}.png", out / f"{name}.json"]
        table.to_csv(files[0], index=False)
        events = events_table(results)
        experiment.figure(records, events).savefig(files[1], dpi=130)
        arms = [asdict(arm) for arm in dict.fromkeys(unit.arm for unit in units)]
        about = {"experiment": name, "arms": arms, "model": units[0].model, "versions": environment()}
        files[2].write_text(json.dumps({**about, "units": len(units), "finished": len(results)}, indent=1) + "\n")
        files.append(_save_rows(records, out / f"{name}-records"))
        files.append(_save_rows(events, out / f"{name}-trajectories"))
    return BenchResult(table, len(units), len(results), {}, files)


def _save_rows(rows: pd.DataFrame, path: Path) -> Path:
    """Rows as Parquet, or as packed CSV where pyarrow (extra `bench`) is not installed."""
    if find_spec("pyarrow") is not None:
        target = path.with_name(f"{path.name}.parquet")
        rows.to_parquet(target, index=False)
    else:
        target = path.with_name(f"{path.name}.csv.gz")
        rows.to_csv(target, index=False)
    return target
