"""What a process does with memory that it has freed."""

from __future__ import annotations

import ctypes

KEPT_BYTES = 1 << 30
"""Freed memory that a worker keeps for its next unit."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h


def keep_freed_memory() -> bool:
    """Let this process take its own freed memory again instead of new memory from the system; whether it can.

    A Dask worker gives back all that it frees. Units free and take hundreds of megabytes many times a second, so that
    a third of their time would go to the system clearing pages.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no GNU C library, which alone has it
        return False
    return bool(mallopt(_TRIM_THRESHOLD, KEPT_BYTES) and mallopt(_MMAP_THRESHOLD, KEPT_BYTES))
