"""Frames are read while the model is at work on the one before: decoding and resizing need no more than one core."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class ReadAhead(Generic[T]):
    """What is read of frames; once they are asked for in order, forwards or backwards, the next is read in a thread.

    Errors in reading a frame are raised when that frame is asked for.

    Args:
        read: reads a frame; called by one thread at a time.
        n_frames: of the video.
    """

    def __init__(self, read: Callable[[int], T], n_frames: int) -> None:
        self._read, self._n_frames = read, n_frames
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        self._next: tuple[int, Future[T]] | None = None
        self._last: int | None = None

    def __getitem__(self, frame: int) -> T:
        (expected, reading), last = self._next or (None, None), self._last
        self._next, self._last = None, frame
        result = reading.result() if reading and expected == frame else self._thread.submit(self._read, frame).result()
        if last is not None and abs(step := frame - last) == 1 and 0 <= frame + step < self._n_frames:
            self._next = frame + step, self._thread.submit(self._read, frame + step)
        return result

    def clear(self) -> None:
        """Let go of what was read ahead."""
        self._next = self._last = None
