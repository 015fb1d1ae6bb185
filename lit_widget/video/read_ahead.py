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
        self._thread: ThreadPoolExecutor | None = None
        self._next: tuple[int, Future[T]] | None = None
        self._last: int | None = None

    def __getitem__(self, frame: int) -> T:
        (expected, reading), last = self._next or (None, None), self._last
        self._next, self._last = None, frame
        result = reading.result() if reading and expected == frame else self._begin(frame).result()
        if last is not None and abs(step := frame - last) == 1 and 0 <= frame + step < self._n_frames:
            self._next = frame + step, self._begin(frame + step)
        return result

    def clear(self) -> None:
        """Let go of what was read ahead, and of the thread until it is needed again."""
        self._next = self._last = None
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
            self._thread = None

    def _begin(self, frame: int) -> Future[T]:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        return self._thread.submit(self._read, frame)
