"""Who is told how a run goes, and can end it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from .units import Unit

ENDING = "interrupted: the unit under way ends first; press Ctrl-C again to stop now"


@dataclass(frozen=True)
class Watch:
    """What a run calls, from any thread.

    Attributes:
        begun: told every unit that somebody begins with.
        workers: told how many workers a cluster has, whenever that changes.
        stopped: asked before a unit is begun whether none should be.
    """

    begun: Callable[[Unit], None] = lambda _: None
    workers: Callable[[int], None] = lambda _: None
    stopped: Callable[[], bool] = lambda: False


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Ctrl-C sets the event and says so; from the second on it raises `KeyboardInterrupt`, as it does elsewhere."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only that one gets signals
        yield asked
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.stderr.write(f"\n{ENDING}\n")
        sys.stderr.flush()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
