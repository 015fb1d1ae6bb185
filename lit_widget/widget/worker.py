"""One thread that does one thing at a time: whoever owns a model or a file runs here."""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakSet

REST_S = 0.4
"""After so many seconds without a question the worker does what can be done ahead."""

Asked = Callable[[], bool]


@dataclass
class Job:
    """Work in the queue, and the only ways to stop it.

    Attributes:
        number: counts the worker's jobs.
        work: what is done.
        dropped: what is done instead if it is cancelled before it begins.
        cancelled: asks it to stop.
        interrupted: asks it to do only what must not be lost, because the user goes on with something else.
    """

    number: int
    work: Callable[[Job], None]
    dropped: Callable[[], None] = lambda: None
    cancelled: threading.Event = field(default_factory=threading.Event)
    interrupted: threading.Event = field(default_factory=threading.Event)


class Worker:
    """A daemon thread with a queue.

    Args:
        name: of the thread.
        on_error: called on the thread with whatever a job raised; the thread goes on.
        ahead: called on the thread again and again once nothing was asked of it for a while, until it returns that
            there is nothing more to do; it returns soon after the function that it is given says that something is.
    """

    def __init__(
        self, name: str, on_error: Callable[[Exception], None], ahead: Callable[[Asked], bool] = lambda _: False
    ) -> None:
        self._queue: queue.Queue[Job | None] = queue.Queue()
        self._on_error, self._ahead = on_error, ahead
        self._idle = threading.Condition()
        self._waiting: list[Job] = []
        self._number = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"lit-{name}", daemon=True)
        self._thread.start()
        _OPEN.add(self)

    def submit(self, work: Callable[[Job], None], dropped: Callable[[], None] = lambda: None) -> Job:
        """Queue work; it gets its job, whose `cancelled` it must ask between steps.

        Raises:
            RuntimeError: if the worker was closed.
        """
        with self._idle:
            self.require_open()
            self._number += 1
            job = Job(self._number, work, dropped)
            self._waiting.append(job)
            self._queue.put(job)
        return job

    def require_open(self) -> None:
        """Refuse what would be lost.

        Raises:
            RuntimeError: if the worker was closed.
        """
        if self._closed:
            raise RuntimeError("the widget was closed; make a new one to go on")

    def nudge(self) -> None:
        """Leave what is done ahead, and begin anew with it in a while."""
        with suppress(RuntimeError):  # a closed worker does nothing ahead
            self.submit(lambda _: None)

    def cancel(self) -> None:
        """Ask the running job to stop and drop those behind it."""
        with self._idle:
            for job in self._waiting:
                job.cancelled.set()

    def interrupt(self) -> None:
        """Ask the running job and those behind it to do only what must not be lost."""
        with self._idle:
            for job in self._waiting:
                job.interrupted.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until nothing is queued or running; returns whether that came within `timeout` seconds.

        Raises:
            RuntimeError: on the worker's own thread, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a function that the widget calls cannot wait for the widget; do so in a cell")
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._idle:
            while self._waiting:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                # A bare wait would keep Ctrl-C from getting through.
                self._idle.wait(0.2 if left is None else min(left, 0.2))
        return True

    @property
    def busy(self) -> bool:
        """Whether a job is queued or running."""
        return bool(self._waiting)

    def close(self) -> None:
        """Cancel everything and end the thread."""
        self._end()
        self.cancel()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)

    def finish(self) -> None:
        """Do all that waits, and end the thread."""
        self._end()
        if threading.current_thread() is not self._thread:
            self.wait()
            self._thread.join()

    def _end(self) -> None:
        with self._idle:
            self._closed = True
            self._queue.put(None)

    def _next(self) -> Job | None:
        """The next job; what can be done ahead is done while there is none."""
        try:
            return self._queue.get(timeout=REST_S)
        except queue.Empty:
            # Nobody has asked for it, so that nobody is told; who does will meet the error again.
            with suppress(Exception):
                while self._queue.empty() and self._ahead(lambda: not self._queue.empty()):
                    pass
            return self._queue.get()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                if job.cancelled.is_set():
                    job.dropped()
                else:
                    job.work(job)
            except Exception as error:  # noqa: BLE001 - a failed job must not end the thread
                self._on_error(error)
            finally:
                with self._idle:
                    self._waiting.remove(job)
                    self._idle.notify_all()


_OPEN: WeakSet[Worker] = WeakSet()


@atexit.register
def _close_all() -> None:
    """A thread that is still in the middle of a computation when Python ends would abort the process."""
    for worker in list(_OPEN):
        worker.close()
