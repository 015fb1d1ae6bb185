"""Run units on several processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker

from .compute import Outcome, Setup, compute
from .pending import Pending
from .units import Unit
from .watch import Watch


class Processes:
    """Processes, each of which is kept busy by a thread of this one.

    Args:
        units: which to run.
        setup: model and data.
        keep: called with every unit and what became of it.
        watch: told how it goes.
        number: of processes.
    """

    def __init__(
        self, units: list[Unit], setup: Setup, keep: Callable[[Unit, Outcome], None], watch: Watch, number: int
    ) -> None:
        self.pending, self.setup, self.keep, self.watch, self.number = Pending(units), setup, keep, watch, number
        self._pids: dict[int, int] = {}
        self._killed = threading.Event()

    def run(self) -> None:
        """Run the units; an exception, such as a second Ctrl-C, kills the processes."""
        with ThreadPoolExecutor(self.number, initializer=_leave_interrupts_to_the_main_thread) as threads:
            running = [threads.submit(self._keep_busy, seat) for seat in range(self.number)]
            try:
                for each in running:
                    each.result()
            except BaseException:
                self._kill()
                raise

    def _keep_busy(self, seat: int) -> None:
        """Give one process of its own one unit after the other."""
        process, unit = self._start(seat), None
        try:
            while not self._over() and (unit := self.pending.take(unit)) is not None:
                self.watch.begun(unit)
                try:
                    outcome = process.submit(compute, unit, self.setup, seat).result()
                except BrokenProcessPool:
                    if self._killed.is_set():
                        raise
                    reason = "its process died; perhaps memory did not suffice"
                    outcome, process = Outcome(None, reason, reason), self._start(seat)
                self.keep(unit, outcome)
        finally:
            process.shutdown()

    def _start(self, seat: int) -> ProcessPoolExecutor:
        # Started afresh, because a process that is forked while torch computes can hang.
        process = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        self._pids[seat] = process.submit(os.getpid).result()
        return process

    def _over(self) -> bool:
        return self._killed.is_set() or self.watch.stopped()

    def _kill(self) -> None:
        self._killed.set()
        for pid in self._pids.values():
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue


def _leave_interrupts_to_the_main_thread() -> None:
    """Processes that this thread starts inherit that Ctrl-C is not for them."""
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()  # which would undo the next line when the first process starts
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
