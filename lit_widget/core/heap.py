"""What a process does with memory that it has freed."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

KEPT_BYTES = 1 << 30
"""Freed memory that a worker keeps for its next unit."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h


def keep_freed_memory() -> bool:
    """Let this process take its own freed memory again instead of new memory from the system; whether it can.

    A Dask worker gives back all that it frees. Units free and take hundreds of megabytes many times a second, so that
    a third of their time would go to the system clearing pages.
    """
    mallopt = _of_gnu("mallopt")
    return bool(mallopt and mallopt(_TRIM_THRESHOLD, KEPT_BYTES) and mallopt(_MMAP_THRESHOLD, KEPT_BYTES))


def give_back_freed_memory() -> bool:
    """Give back to the system what was freed between what is still used; whether it can.

    A video leaves thousands of gaps, which would count as the kernel's memory until it ends.
    """
    trim = _of_gnu("malloc_trim")
    if trim:
        trim(0)
    return trim is not None


def _of_gnu(name: str) -> Callable[..., int] | None:
    """A function that only the GNU C library has."""
    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
