"""What runs units: this process, several on this machine, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from .cluster import run_on_cluster
from .compute import Outcome, Setup, compute
from .processes import Processes
from .store import UnitStore
from .units import Unit
from .watch import Watch

if TYPE_CHECKING:
    from distributed import Client

Report = Callable[[Unit, str | None], None]
"""Called with every unit that was run, and why it failed if it did."""


def run_units(
    units: list[Unit],
    store: UnitStore,
    report: Report,
    *,
    setup: Setup | None = None,
    workers: int = 1,
    client: Client | None = None,
    watch: Watch | None = None,
) -> None:
    """Run the units that are not finished yet; only this process writes.

    A unit that fails, or whose process dies, is reported and the rest goes on. Results do not depend on who computes
    them: each process does on one thread.

    Args:
        units: which.
        store: where results are kept.
        report: called after every unit, from one of several threads.
        setup: what every worker needs.
        workers: processes on this machine.
        client: of a Dask cluster, whose workers run the units instead.
        watch: told how it goes; it can end the run before all units were begun.

    Raises:
        ValueError: if there is not at least one worker, there are both processes and a cluster, or workers of the
            cluster cannot run units.
        ConnectionError: if the cluster is gone.
    """
    require_workers(workers, client)
    setup, watch = setup or Setup(), watch or Watch()
    waiting, keep = [unit for unit in units if not store.done(unit)], partial(_keep, store, report)
    if client is not None:
        run_on_cluster(waiting, setup, keep, client, watch)
    elif workers > 1:
        Processes(waiting, setup, keep, watch, workers).run()
    else:
        for unit in waiting:
            if watch.stopped():
                break
            watch.begun(unit)
            keep(unit, compute(unit, setup))


def require_workers(workers: int, client: Client | None) -> None:
    """Refuse what nobody can run.

    Raises:
        ValueError: if there is not at least one worker, or there are both processes and a cluster.
    """
    if workers < 1:
        raise ValueError(f"there must be at least one worker, got {workers}")
    if workers > 1 and client is not None:
        raise ValueError("units run on processes of this machine or on a Dask cluster; give workers or one of those")


def _keep(store: UnitStore, report: Report, unit: Unit, outcome: Outcome) -> None:
    if outcome.result is not None:
        store.save(unit, outcome.result)
        report(unit, None)
    else:
        store.fail(unit, outcome.details)
        report(unit, outcome.reason)
