"""Run units on a Dask cluster, whose workers may come, go and die; results come back to the caller, who keeps them."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_widget.core.heap import keep_freed_memory
from lit_widget.simulation.datasets import absolute_source
from lit_widget.simulation.runner import environment

from .compute import Outcome, Setup, compute
from .pending import Pending
from .units import Unit
from .watch import Watch

if TYPE_CHECKING:
    from distributed import Client

DEATHS = 3
"""Workers that may die on a unit before it counts as failed."""

POLL_S = 0.5
"""How often workers are counted while no unit finishes."""

CONNECT_S = 20

GATHER_S = 60
"""How long a worker may take to hand over a result, which is some kilobytes."""


def connect(address: str) -> Client:
    """A client of the cluster at an address such as `tcp://10.0.0.1:8786`, or in a scheduler file.

    Raises:
        ValueError: if Dask is not installed or there is no scheduler.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ValueError('a cluster needs Dask: pip install "lit-widget[cluster]"') from None
    _hush()
    options: dict[str, Any] = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    options |= {"timeout": CONNECT_S, "set_as_default": False}
    try:
        return Client(**options)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"there is no Dask scheduler at {address!r} ({error}); give its address, such as tcp://10.0.0.1:8786, or "
            "its scheduler file"
        ) from None


def run_on_cluster(
    units: list[Unit],
    setup: Setup,
    keep: Callable[[Unit, Outcome], None],
    client: Client,
    watch: Watch,
) -> None:
    """Run units; a worker has one at a time, and stays with a video as long as it has units.

    A unit whose worker dies is run by another; if workers keep dying on it, it has failed.

    Args:
        units: which.
        setup: model and data; relative paths in it are made absolute.
        keep: called with every unit and what became of it.
        client: of the cluster.
        watch: told how it goes; it can end the run before all units were begun.

    Raises:
        ValueError: if a worker cannot run units at all, or has other versions than this process.
        ConnectionError: if the cluster is gone.
    """
    with _reachable(client):
        _Foreman(units, setup, keep, client, watch).run()


@dataclass(frozen=True)
class _Running:
    unit: Unit
    future: Any


class _Foreman:
    """Gives workers units and takes what they made of them."""

    def __init__(
        self,
        units: list[Unit],
        setup: Setup,
        keep: Callable[[Unit, Outcome], None],
        client: Client,
        watch: Watch,
    ) -> None:
        self.setup, self.keep, self.watch = anywhere(setup, units), keep, watch
        # What its methods return is typed for clients within an event loop, too.
        self.client: Any = client
        self.pending, self.seats, self.deaths = Pending(units), Seats(), Counter[Unit]()
        self.running: dict[str, _Running] = {}
        self.last: dict[str, Unit] = {}
        self.woken = threading.Event()

    def run(self) -> None:
        n_workers = None
        try:
            while self.running or (self.pending and not self.watch.stopped()):
                workers = list(self.client.nthreads())
                if len(workers) != n_workers:
                    n_workers = len(workers)
                    self.watch.workers(n_workers)
                for gone in set(self.last) - set(workers):
                    self.bury(gone)
                for worker in workers:
                    self.employ(worker)
                self.woken.wait(POLL_S)
                self.woken.clear()
                for worker in [each for each, running in self.running.items() if running.future.done()]:
                    self.collect(worker)
        finally:
            for running in self.running.values():
                running.future.cancel()

    def employ(self, worker: str) -> None:
        """Give a worker without a unit the next one."""
        if self.watch.stopped() or worker in self.running or (unit := self.pending.take(self.last.get(worker))) is None:
            return
        self.watch.begun(unit)
        seat = self.seats.take(worker)
        # Without a worker of its own a unit would be queued where another video's frames are encoded.
        future = self.client.submit(run_on_worker, unit, self.setup, seat, environment(), workers=[worker], pure=False)
        future.add_done_callback(lambda _: self.woken.set())
        self.running[worker], self.last[worker] = _Running(unit, future), unit

    def collect(self, worker: str) -> None:
        """Keep what a worker made of its unit."""
        from distributed import KilledWorker

        done = self.running.pop(worker)
        error = done.future.exception() if done.future.status == "error" else None
        if done.future.status == "finished":
            try:
                outcome = done.future.result(timeout=GATHER_S)
            except TimeoutError:  # the worker died before anybody asked for its result
                done.future.cancel()
                self.mourn(done.unit)
            else:
                self.keep(done.unit, outcome)
        elif isinstance(error, KilledWorker):
            self.mourn(done.unit)
        elif error is not None:
            raise ValueError(f"the worker {worker} cannot run units: {error}") from error
        else:  # the scheduler forgot it
            self.pending.put_back(done.unit)

    def bury(self, worker: str) -> None:
        """Take back what a worker that is no more was given."""
        self.seats.free(worker)
        del self.last[worker]
        if worker in self.running:
            lost = self.running.pop(worker)
            lost.future.cancel()
            self.mourn(lost.unit)

    def mourn(self, unit: Unit) -> None:
        """A worker died on a unit: let another try, unless that was tried often enough."""
        self.deaths[unit] += 1
        if self.deaths[unit] < DEATHS:
            self.pending.put_back(unit)
        else:
            reason = f"{DEATHS} workers died on it; perhaps memory did not suffice"
            self.keep(unit, Outcome(None, reason, reason))


class Seats:
    """Numbers from 0 up for the workers of each machine, so that each can have a GPU of its own.

    A worker keeps its number; that of one that is gone goes to the next that comes.
    """

    def __init__(self) -> None:
        self._taken: dict[tuple[str, int], str] = {}

    def take(self, worker: str) -> int:
        """The number of the worker with that address."""
        machine, number = worker.rpartition(":")[0], 0
        while self._taken.setdefault((machine, number), worker) != worker:
            number += 1
        return number

    def free(self, worker: str) -> None:
        """Let another worker have a number."""
        self._taken = {place: each for place, each in self._taken.items() if each != worker}


def run_on_worker(unit: Unit, setup: Setup, seat: int, expected: dict[str, str]) -> Outcome:
    """What a worker does with a unit.

    Raises:
        ValueError: if its versions are not those that are expected, since its numbers would not be either.
    """
    there = environment()
    differing = [name for name in expected if name != "python" and there.get(name) != expected[name]]
    if differing:
        said = ", ".join(f"{name} {there.get(name)} instead of {expected[name]}" for name in differing)
        raise ValueError(f"it has {said}; install the same versions everywhere")
    keep_freed_memory()
    return compute(unit, setup, seat)


def anywhere(setup: Setup, units: list[Unit]) -> Setup:
    """The same setup for processes that were started in other folders."""
    model = {
        name: str(Path(value).resolve()) if name in ("weights", "config") and value and Path(value).exists() else value
        for name, value in setup.model.items()
    }
    return Setup(model, {unit.source: absolute_source(unit.source) for unit in units} | dict(setup.places))


def _hush() -> None:
    """Keep Dask from printing its own account of what the caller is told in a sentence."""
    for name in ("distributed", "distributed.client", "asyncio", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for handler in logging.getLogger("distributed").handlers:  # which its other loggers share
        handler.setLevel(logging.CRITICAL)


@contextmanager
def _reachable(client: Any) -> Iterator[None]:
    """Say it in a sentence if the scheduler is gone."""
    try:
        yield
    except OSError as error:
        from distributed.comm import CommClosedError

        # A connection may be reset before the client itself has heard of its end.
        if client.status != "running" or isinstance(error, CommClosedError):
            raise ConnectionError("the Dask scheduler is gone") from error
        raise
