"""What runs units: in this process, or in several on this machine."""

from __future__ import annotations

import multiprocessing
import queue
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
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
        units: which; those of one video should follow each other.
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
    videos: queue.SimpleQueue[list[Unit]] = queue.SimpleQueue()
    for _, group in groupby(waiting, key=lambda unit: (unit.source, unit.video)):
        videos.put(list(group))
    stop = threading.Event()
    with ThreadPoolExecutor(workers) as threads:
        running = [threads.submit(_keep_busy, videos, setup, report, stop.is_set) for _ in range(workers)]
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


def _keep_busy(
    videos: queue.SimpleQueue[list[Unit]], setup: Setup, report: Report, stopped: Callable[[], bool]
) -> None:
    """Give one process of its own the units of one video after the other."""
    process = _process()
    try:
        while True:
            for unit in videos.get_nowait():
                if stopped():
                    return
                try:
                    report(unit, process.submit(attempt, unit, setup).result())
                except BrokenProcessPool:
                    reason = "its process died; perhaps memory did not suffice"
                    UnitStore(setup.out).fail(unit, reason)
                    report(unit, reason)
                    process = _process()
    except queue.Empty:
        return
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
