"""What runs units: in this process, or in several on this machine."""

from __future__ import annotations

import multiprocessing
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import torch

from lit_widget.simulation.datasets import Sequence, open_sources
from lit_widget.video.models import load_model
from lit_widget.video.sam2 import FeatureCache, Sam2

from .store import UnitStore
from .units import Unit, run_unit

Report = Callable[[Unit, str | None], None]
"""Called with every unit that was run, and why it failed if it did."""


@dataclass(frozen=True)
class Setup:
    """What every worker needs.

    Attributes:
        out: folder of the results.
        model: options of `load_model`.
    """

    out: Path
    model: Mapping[str, str | None] = field(default_factory=dict)


def run_units(units: list[Unit], setup: Setup, report: Report, *, workers: int = 1) -> None:
    """Run the units that are not finished yet.

    A unit that fails, or whose process dies, is reported and the rest goes on. Results do not depend on the number of
    workers: each computes on one thread, as the only process does.

    Args:
        units: which.
        setup: what every worker needs.
        report: called after every unit, from one of several threads.
        workers: processes.

    Raises:
        ValueError: if there is not at least one worker.
    """
    if workers < 1:
        raise ValueError(f"there must be at least one worker, got {workers}")
    store = UnitStore(setup.out)
    waiting = [unit for unit in units if not store.done(unit)]
    if workers == 1:
        with _one_thread():
            for unit in waiting:
                report(unit, attempt(unit, setup))
        return
    pending = _Pending(waiting)
    stop = threading.Event()
    with ThreadPoolExecutor(workers) as threads:
        running = [threads.submit(_keep_busy, pending, setup, report, stop.is_set) for _ in range(workers)]
        try:
            for each in running:
                each.result()
        except BaseException:
            stop.set()
            raise


def attempt(unit: Unit, setup: Setup) -> str | None:
    """Run one unit in this process and keep its result; returns why it failed, or None."""
    store = UnitStore(setup.out)
    try:
        sequence, features = _video(setup, unit.source, unit.video)
        store.save(unit, run_unit(unit, sequence, _model(setup), features))
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the other units can still be run
        store.fail(unit, traceback.format_exc())
        return f"{type(error).__name__}: {error}"
    return None


class _Pending:
    """Units that nobody has begun, handed out so that a process stays with a video whose frames it has encoded."""

    def __init__(self, units: list[Unit]) -> None:
        self._videos: dict[tuple[str, str], deque[Unit]] = {}
        for unit in units:
            self._videos.setdefault((unit.source, unit.video), deque()).append(unit)
        self._begun: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def take(self, last: Unit | None) -> Unit | None:
        """The next unit for a process whose last one is given: of the same video, of a new one, or of any."""
        with self._lock:
            left = {video: len(units) for video, units in self._videos.items() if units}
            if not left:
                return None
            same = None if last is None else (last.source, last.video)
            video = same if same in left else max(left, key=lambda each: (each not in self._begun, left[each]))
            self._begun.add(video)
            return self._videos[video].popleft()


def _keep_busy(pending: _Pending, setup: Setup, report: Report, stopped: Callable[[], bool]) -> None:
    """Give one process of its own one unit after the other."""
    process, unit = _process(), None
    try:
        while not stopped() and (unit := pending.take(unit)) is not None:
            try:
                report(unit, process.submit(attempt, unit, setup).result())
            except BrokenProcessPool:
                reason = "its process died; perhaps memory did not suffice"
                UnitStore(setup.out).fail(unit, reason)
                report(unit, reason)
                process = _process()
    finally:
        process.shutdown()


def _process() -> ProcessPoolExecutor:
    # Started afresh, because a process that is forked while torch computes can hang.
    return ProcessPoolExecutor(
        1, multiprocessing.get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    )


@contextmanager
def _one_thread():  # noqa: ANN202 - a generator that the decorator turns into something else
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


# What a process keeps from one unit to the next: the model, the sources, and the encoded frames of one video.


@lru_cache(maxsize=1)
def _loaded(options: tuple[tuple[str, str | None], ...]) -> Sam2:
    return load_model(**dict(options))


def _model(setup: Setup) -> Sam2:
    return _loaded(tuple(sorted(setup.model.items())))


@lru_cache(maxsize=8)
def _opened(source: str) -> dict[str, Sequence]:
    return {sequence.name: sequence for sequence in open_sources([source])}


@lru_cache(maxsize=1)
def _encoded(options: tuple[tuple[str, str | None], ...], source: str, video: str) -> FeatureCache:
    model, frames = _loaded(options), _opened(source)[video].frames
    return FeatureCache(lambda index: model.encode(frames[index]))


def _video(setup: Setup, source: str, video: str) -> tuple[Sequence, FeatureCache]:
    return _opened(source)[video], _encoded(tuple(sorted(setup.model.items())), source, video)
