"""What runs units: this process, several on this machine, or a Dask cluster."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TYPE_CHECKING

from .cluster import run_on_cluster
from .compute import Outcome, Setup, compute
from .pending import Pending
from .store import UnitStore
from .units import Unit

if TYPE_CHECKING:
    from distributed import Client

Report = Callable[[Unit, str | None], None]
"""Called with every unit that was run, and why it failed if it did."""

Keep = Callable[[Unit, Outcome], None]


def run_units(
    units: list[Unit],
    store: UnitStore,
    report: Report,
    *,
    setup: Setup | None = None,
    workers: int = 1,
    client: Client | None = None,
    on_workers: Callable[[int], None] | None = None,
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
        on_workers: told how many workers a cluster has, whenever that changes.

    Raises:
        ValueError: if there is not at least one worker, there are both processes and a cluster, or workers of the
            cluster cannot run units.
        ConnectionError: if the cluster is gone.
    """
    require_workers(workers, client)
    setup = setup or Setup()
    waiting, keep = [unit for unit in units if not store.done(unit)], partial(_keep, store, report)
    if client is not None:
        run_on_cluster(waiting, setup, keep, client, on_workers or (lambda _: None))
    elif workers > 1:
        _run_on_processes(waiting, setup, keep, workers)
    else:
        for unit in waiting:
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


def _run_on_processes(units: list[Unit], setup: Setup, keep: Keep, workers: int) -> None:
    pending, stop = Pending(units), threading.Event()
    with ThreadPoolExecutor(workers) as threads:
        running = [
            threads.submit(_keep_busy, pending, partial(compute, setup=setup, seat=seat), keep, stop.is_set)
            for seat in range(workers)
        ]
        try:
            for each in running:
                each.result()
        except BaseException:
            stop.set()
            raise


def _keep_busy(pending: Pending, run: Callable[[Unit], Outcome], keep: Keep, stopped: Callable[[], bool]) -> None:
    """Give one process of its own one unit after the other."""
    process, unit = _process(), None
    try:
        while not stopped() and (unit := pending.take(unit)) is not None:
            try:
                outcome = process.submit(run, unit).result()
            except BrokenProcessPool:
                reason = "its process died; perhaps memory did not suffice"
                outcome, process = Outcome(None, reason, reason), _process()
            keep(unit, outcome)
    finally:
        process.shutdown()


def _process() -> ProcessPoolExecutor:
    # Started afresh, because a process that is forked while torch computes can hang.
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
