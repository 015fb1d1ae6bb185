"""The model's look at every image, on a thread of its own, so that labelling never waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from lit_widget.images.head import Head
from lit_widget.widget.worker import Job

from .pictures import PictureError, Pictures
from .to_view import Looking, LookReport

BATCH, FIRST_BATCH = 16, 2
"""Images that the model sees at once; few at first, so that there soon is one to label."""

TELL_EVERY_S = 0.25
MOST_PROBLEMS = 20
"""Sentences about unreadable images that a view is told."""


@runtime_checkable
class Encoder(Protocol):
    """A frozen model of images and texts, as `lit_widget.images.clip.Clip` is one."""

    name: str

    def pooled(self, images: Sequence[UInt8[np.ndarray, "_ _ 3"]]) -> Float[Tensor, "n d"]:
        """Pooled features of images, before the projection."""
        ...

    def head(self, class_names: Sequence[str]) -> Head:
        """From pooled features to scores of these classes."""
        ...


class Seen:
    """Pooled features, of the images that were looked at so far."""

    def __init__(self, n_images: int, width: int) -> None:
        self._rows = np.zeros((n_images, width), np.float32)
        self.known = np.zeros(n_images, bool)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, image: int) -> Float[Tensor, " d"]:
        """The features of one image.

        Raises:
            KeyError: if it was not looked at.
        """
        if not self.known[image]:
            raise KeyError(f"the model has not looked at image {image} yet")
        return torch.from_numpy(self._rows[image])

    def put(self, images: Sequence[int], features: Float[Tensor, "n d"]) -> None:
        """Keep the features of images."""
        self._rows[list(images)] = features.detach().float().cpu().numpy()
        self.known[list(images)] = True


class Look:
    """Looks at image after image; may be stopped and taken up again.

    Args:
        encoder: the model.
        pictures: the images.
        seen: takes the features.
        came: called with the images whose features have come.
        tell: sends a report to the views.
    """

    def __init__(
        self,
        encoder: Encoder,
        pictures: Pictures,
        seen: Seen,
        came: Callable[[list[int]], None],
        tell: Callable[[LookReport], None],
    ) -> None:
        self._encoder, self._pictures, self._seen = encoder, pictures, seen
        self._came, self._tell = came, tell
        self.problems: dict[int, str] = {}
        self.status: Looking = "waiting"
        self._left_s = 0.0

    @property
    def n_done(self) -> int:
        """Images that were looked at, the unreadable ones included."""
        return int(self._seen.known.sum()) + len(self.problems)

    def report(self) -> LookReport:
        """How far it is."""
        problems = list(self.problems.copy().values())
        left = round(self._left_s, 1) if self.status == "running" else 0.0
        return LookReport(self.status, self.n_done, len(self._pictures), len(problems), left, problems[:MOST_PROBLEMS])

    def run(self, job: Job) -> None:
        """Look at all that is left, until the job is cancelled."""
        self._now("running")
        started, told, before = time.monotonic(), time.monotonic(), self.n_done
        try:
            for batch in self._batches():
                if job.cancelled.is_set():
                    break
                self._look_at(batch)
                now, done = time.monotonic(), self.n_done
                self._left_s = (now - started) / max(1, done - before) * (len(self._pictures) - done)
                if now - told >= TELL_EVERY_S:
                    told = now
                    self._tell(self.report())
        finally:
            self._now("done" if self.n_done == len(self._pictures) else "stopped")

    def _batches(self) -> Iterator[list[int]]:
        left = [i for i in np.flatnonzero(~self._seen.known).tolist() if i not in self.problems]
        yield left[:FIRST_BATCH]
        for start in range(FIRST_BATCH, len(left), BATCH):
            yield left[start : start + BATCH]

    def _look_at(self, batch: list[int]) -> None:
        readable, pixels = [], []
        for image in batch:
            try:
                pixels.append(self._pictures[image])
                readable.append(image)
            except PictureError as error:
                self.problems[image] = str(error)
        if readable:
            with torch.inference_mode():
                self._seen.put(readable, self._encoder.pooled(pixels))
        self._came(readable)

    def _now(self, status: Looking) -> None:
        self.status = status
        self._tell(self.report())
