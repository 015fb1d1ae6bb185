"""Run an experiment on data sets and write what was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lit_widget.core.strategy import find_strategy
from lit_widget.simulation.datasets import Sequence, open_sources, require_different, source_labels
from lit_widget.simulation.runner import environment, nothing_visible
from lit_widget.video.devices import choose_device, choose_precision
from lit_widget.video.models import find_entry
from lit_widget.video.strategies import STRATEGIES

from .compute import Setup
from .experiments import find_experiment
from .progress import Progress
from .report import INTERRUPTED, BenchResult, save_plan, write_report
from .store import UnitStore
from .units import Unit, list_units
from .watch import interruptible
from .work import require_workers, run_units

if TYPE_CHECKING:
    from distributed import Client


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
    entry, seeds = find_entry(options.get("name"), options.get("config")), list(seeds)
    called = " ".join([entry.name, *(str(options[each]) for each in ("weights", "precision") if options.get(each))])
    given = [data] if isinstance(data, str) else list(data)
    units = _first(list_units(_opened(given), experiment.arms(chosen), seeds, called), limit)
    require_workers(workers, client)
    settings = {
        "experiment": name,
        "sources": given,
        "strategies": chosen,
        "seeds": seeds,
        "limit": limit,
        "model": called,
        **_machine(options, client),
        "update": asdict(entry.update),
        "arms": [asdict(arm) for arm in dict.fromkeys(unit.arm for unit in units)],
        "versions": environment(),
    }
    store, keys, stopped = UnitStore(out), [unit.key for unit in units], None
    store.prepare()
    finished = sum(store.done(unit) for unit in units)
    save_plan(store.folder, settings, keys, finished)
    with closing(Progress(len(units), finished, show=progress)) as bar, interruptible() as interrupted:
        try:
            run_units(
                units,
                store,
                bar.report,
                setup=Setup(options),
                workers=workers,
                client=client,
                watch=bar.watch(interrupted.is_set),
            )
        except KeyboardInterrupt:
            stopped = INTERRUPTED
        except ConnectionError as error:
            stopped = str(error)
    if interrupted.is_set():
        stopped = INTERRUPTED
    return replace(write_report(store, settings, keys), failed=bar.failed, stopped=stopped)


def _opened(given: list[str]) -> list[tuple[str, list[Sequence]]]:
    """The sequences of each source, in which there is something to annotate."""
    require_different(given)
    sources = [(source, open_sources([source])) for source in given]
    if not any(sequence.objects for _, found in sources for sequence in found):
        called = source_labels(given)
        raise nothing_visible([(called[source], sequence) for source, found in sources for sequence in found])
    return sources


def _machine(options: Mapping[str, str | None], client: Client | None) -> dict[str, str]:
    """Device and precision; workers of a cluster choose theirs unless they are told."""
    wishes = {name: options.get(name) for name in ("device", "precision")}
    if client is not None:
        return {name: wish or "auto" for name, wish in wishes.items()}
    device = choose_device(wishes["device"])
    return {"device": str(device), "precision": choose_precision(wishes["precision"], device)}


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
