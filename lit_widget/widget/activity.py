"""What the worker is doing, told to the views often enough to look alive and seldom enough to cost nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from . import worker
from .to_view import Job, JobKind, JobStatus, ToView

TELL_EVERY_S = 0.1


@dataclass
class Activity:
    """One job as the views see it: kind, progress, seconds left, and whether to stop.

    Attributes:
        job: the worker's, which may be asked to stop.
        kind: what is done.
        post: sends a message.
        total: number of steps, 0 while unknown.
        note: one line shown beside the progress.
        reached: the last frame that was tracked to.
        stopped: whether it was told to stop, and heard it before it was done.
    """

    job: worker.Job
    kind: JobKind
    post: Callable[[ToView], None]
    total: int = 0
    note: str = ""
    done: int = 0
    reached: int | None = None
    stopped: bool = False
    _started: float = field(default_factory=time.monotonic)
    _told: float = 0.0

    def cancelled(self) -> bool:
        """Whether all is to stop; asked between steps."""
        self.stopped |= self.job.cancelled.is_set()
        return self.job.cancelled.is_set()

    def interrupted(self) -> bool:
        """Whether tracking is to stop; asked between frames."""
        self.stopped |= self.job.interrupted.is_set()
        return self.cancelled() or self.job.interrupted.is_set()

    def step(self, done: int, total: int | None = None) -> bool:
        """Say how many steps are done; returns whether the views were told just now."""
        self.done = done
        self.total = self.total if total is None else total
        now = time.monotonic()
        if now - self._told < TELL_EVERY_S:
            return False
        self._told = now
        self.tell("running")
        return True

    def enter(self, kind: JobKind, total: int, note: str = "") -> None:
        """Go on to another kind of work within the same job."""
        self.kind, self.total, self.note, self.done = kind, total, note, 0
        self._started = time.monotonic()
        self.tell("running")

    def tell(self, status: JobStatus) -> None:
        """Post the present state."""
        left = 0.0
        if 0 < self.done < self.total:
            left = (time.monotonic() - self._started) / self.done * (self.total - self.done)
        self.post(Job(self.job.number, self.kind, status, self.done, self.total, round(left, 1), self.note))

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Tell the views that it begins, and at the end whether it was done, cancelled, interrupted or failed."""
        self.tell("running")
        try:
            yield
        except BaseException:
            self.tell("failed")
            raise
        interrupted = self.kind == "track" and self.job.interrupted.is_set()
        self.tell("cancelled" if self.job.cancelled.is_set() else "interrupted" if interrupted else "done")
