"""Where a model runs and how precisely, and plain words for a device that cannot run it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

import torch

from .catalogue import OPTIONS, ModelError

Precision = Literal["float32", "bfloat16"]
"""Of tracking; updates are always in float32."""


def choose_device(wish: str | None = None) -> torch.device:
    """The device of that name; without one the first that is there of CUDA, MPS and the CPU.

    Raises:
        ModelError: if there is no such device.
    """
    if wish in (None, "auto"):
        best = [kind for kind, count in _counts().items() if count]
        return torch.device(best[0])
    try:
        device = torch.device(wish)
    except RuntimeError:
        device = None
    if device is None or device.type not in _counts():
        raise ModelError(f"unknown device {wish!r}; choose from auto, {OPTIONS['device']}")
    count = _counts()[device.type]
    if (device.index or 0) >= count:
        there = f"has {count}" if count else "has none"
        raise ModelError(
            f"there is no device {wish!r}: of {device.type.upper()} devices that torch {torch.__version__} can use, "
            f"this machine {there}",
            {"device": "auto"},
        )
    return device


def choose_precision(wish: str | None, device: torch.device) -> Precision:
    """The precision of that name; without one bfloat16 on CUDA devices that compute in it, else float32.

    Raises:
        ModelError: if there is no such precision.
    """
    if wish in (None, "auto"):
        # Older devices only emulate bfloat16, more slowly than they compute in float32.
        fast = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
        return "bfloat16" if fast else "float32"
    for precision in get_args(Precision):
        if wish == precision:
            return precision
    raise ModelError(f"unknown precision {wish!r}; choose from auto, {', '.join(get_args(Precision))}")


class FullMemoryError(ModelError):
    """A device that ran out of memory."""


@contextmanager
def explained(name: str, device: torch.device) -> Iterator[None]:
    """Turn a device's own errors into a sentence about the model and the way out.

    Raises:
        FullMemoryError: when memory runs out.
        ModelError: when the device lacks an operation; other errors pass.
    """
    try:
        yield
    except RuntimeError as error:
        elsewhere = [] if device.type == "cpu" else [{"device": "cpu"}]
        if isinstance(error, torch.OutOfMemoryError) or _names(error, "out of memory", "allocate memory"):
            problem = f"{device} ran out of memory with {name}; free some, choose a smaller model or a shorter video"
            raise FullMemoryError(problem, *elsewhere) from error
        if isinstance(error, NotImplementedError) or _names(error, "no kernel image"):
            problem = f"{device} lacks an operation of {name} in torch {torch.__version__} ({_first_line(error)})"
            raise ModelError(problem, *elsewhere) from error
        raise


def _counts() -> dict[str, int]:
    """How many devices there are of every kind that models run on, the best kind first."""
    return {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available()), "cpu": 1}


def _names(error: Exception, *phrases: str) -> bool:
    return any(phrase in str(error).lower() for phrase in phrases)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:120]
