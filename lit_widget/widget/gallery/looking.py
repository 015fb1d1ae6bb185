"""The model's look at every image, on a thread of its own, so that labelling never waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from lit_widget.images.features import Encoder, FeatureStore
from lit_widget.images.head import Head
from lit_widget.widget.worker import Job

from .to_view import Looking, LookReport

FIRST_BATCH, BATCH = 2, 16
"""Images that the model sees at once; few at first, so that there soon is one to label."""

CHUNK = 256
"""Images that are put into their groups at once."""

TELL_EVERY_S = 0.25
MOST_PROBLEMS = 20
"""Sentences about unreadable images that a view is told."""


@runtime_checkable
class Model(Encoder, Protocol):
    """A frozen model of images and texts, as `lit_widget.images.clip.Clip` is one."""

    name: str

    def head(self, class_names: Sequence[str]) -> Head:
        """From pooled features to scores of these classes."""
        ...


class Look:
    """Looks at image after image; may be stopped and taken up again.

    Args:
        store: takes the features, on disk; what it has from an earlier time is not computed again.
        came: called with the first image whose features have come and the one after the last.
        tell: sends a report to the views.
    """

    def __init__(
        self, store: FeatureStore, came: Callable[[int, int], None], tell: Callable[[LookReport], None]
    ) -> None:
        self.store, self._came, self._tell = store, came, tell
        self.status: Looking = "waiting"
        self._given = 0
        self._began, self._began_at = 0.0, 0
        self._told = 0.0

    def report(self) -> LookReport:
        """How far it is."""
        done, total, problems = self.store.done, len(self.store), list(self.store.refused.copy().values())
        left = 0.0
        if self.status == "running" and done > self._began_at:
            left = (time.monotonic() - self._began) / (done - self._began_at) * (total - done)
        return LookReport(self.status, done, total, len(problems), round(left, 1), problems[:MOST_PROBLEMS])

    def run(self, job: Job) -> None:
        """Look at all that is left, until the job is cancelled."""
        self._began, self._began_at = time.monotonic(), self.store.done
        self._now("running")
        try:
            self._hand_over()
            self.store.fill(batch=FIRST_BATCH, progress=self._progress, cancelled=lambda: self._stop(job, first=True))
            self.store.fill(batch=BATCH, progress=self._progress, cancelled=lambda: self._stop(job, first=False))
        finally:
            self._now("done" if self.store.complete else "stopped")

    def _stop(self, job: Job, *, first: bool) -> bool:
        return job.cancelled.is_set() or (first and self.store.done > self._began_at)

    def _progress(self, done: int, total: int) -> None:
        self._hand_over()
        if time.monotonic() - self._told >= TELL_EVERY_S:
            self._told = time.monotonic()
            self._tell(self.report())

    def _hand_over(self) -> None:
        """Give on what has come, in parts that hold up nobody."""
        done = self.store.done
        for start in range(self._given, done, CHUNK):
            self._came(start, min(start + CHUNK, done))
        self._given = done

    def _now(self, status: Looking) -> None:
        self.status = status
        self._tell(self.report())
