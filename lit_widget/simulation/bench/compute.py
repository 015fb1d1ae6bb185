"""What any process does with a unit, and what it keeps from one unit to the next."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch

from lit_widget.simulation.datasets import Sequence, open_sources
from lit_widget.video.feature_cache import FeatureCache
from lit_widget.video.models import load_model
from lit_widget.video.sam2 import Sam2

from .units import Unit, run_unit

Options = Mapping[str, str | None]
"""Options of `load_model`."""


@dataclass(frozen=True)
class Setup:
    """What every process needs.

    Attributes:
        model: options of `load_model`.
        places: where a unit's source is, if not where it says.
    """

    model: Options = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a unit.

    Attributes:
        result: what `run_unit` returned; None if it failed.
        reason: why it failed, in a line.
        details: the same with its traceback.
    """

    result: dict[str, Any] | None
    reason: str = ""
    details: str = ""


def compute(unit: Unit, setup: Setup, seat: int | None = None) -> Outcome:
    """Run a unit on one thread, so that sums do not depend on where; nothing is written.

    Args:
        unit: what to run.
        setup: model and data.
        seat: of this process among those of its machine, which says whose GPU is whose; None: it is alone.
    """
    with _ALONE, _one_thread():
        try:
            options = tuple(sorted(pinned(setup.model, seat, torch.cuda.device_count()).items()))
            source = setup.places.get(unit.source, unit.source)
            sequence, features = _opened(source)[unit.video], _encoded(options, source, unit.video)
            return Outcome(run_unit(unit, sequence, _loaded(options), features))
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the other units can still be run
            return Outcome(None, f"{type(error).__name__}: {error}", traceback.format_exc())


def pinned(model: Options, seat: int | None, n_devices: int) -> Options:
    """Options of `load_model` for one of several processes on a machine: seats take turns at its CUDA devices.

    A device that was asked for by name is left alone.
    """
    if seat is None or not n_devices or model.get("device") not in (None, "auto"):
        return model
    return {**model, "device": f"cuda:{seat % n_devices}"}


_ALONE = threading.Lock()
"""A process has one model and one video in memory, however many threads a Dask worker was given."""


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@lru_cache(maxsize=1)
def _loaded(options: tuple[tuple[str, str | None], ...]) -> Sam2:
    return load_model(**dict(options))


@lru_cache(maxsize=8)
def _opened(source: str) -> dict[str, Sequence]:
    return {sequence.name: sequence for sequence in open_sources([source])}


@lru_cache(maxsize=1)
def _encoded(options: tuple[tuple[str, str | None], ...], source: str, video: str) -> FeatureCache:
    return FeatureCache.of(_loaded(options), _opened(source)[video].frames)
