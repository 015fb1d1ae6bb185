"""Pooled features of a set of images on disk: computed once, resumed where it was stopped, read by a memory map.

A store is a folder with two files. `features.f32` holds one row of float32 per image, in order; its size says how many
are done. `refused.jsonl` names the images that could not be read; their rows are NaN.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from .learner import Features
from .sources import ImageError, ImageSet

BATCH = 64
"""Images that are in memory at once."""


@runtime_checkable
class Encoder(Protocol):
    """What turns images into features; a `Clip` fits."""

    @property
    def width(self) -> int:
        """Numbers per image."""
        ...

    @property
    def digest(self) -> str:
        """Tells encoders apart."""
        ...

    def pooled(self, images: Sequence[ndarray]) -> Float[Tensor, "n d"]:
        """Features of images."""
        ...


def cache_folder() -> Path:
    """Where features are kept unless another folder is given: `lit-widget` in `$XDG_CACHE_HOME` or `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lit-widget" / "features"


class FeatureStore:
    """Features of a set of images, in their order.

    A store belongs to one encoder and one set of images as they are now: with other weights, or if a file changed, it
    is another folder. Two processes that fill the same store write the same bytes.

    Args:
        images: what to compute features of.
        encoder: how.
        folder: holds a folder per store; `cache_folder()` by default.

    Attributes:
        refused: why an image could not be read, by its index.
    """

    def __init__(self, images: ImageSet, encoder: Encoder, folder: str | Path | None = None) -> None:
        self.images, self._encoder = images, encoder
        self.folder = Path(folder or cache_folder()).expanduser() / _key(images, encoder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._rows, self._refusals = self.folder / "features.f32", self.folder / "refused.jsonl"
        self._rows.touch()
        self._refusals.touch()
        self._mapped: ndarray | None = None
        self.refused = {at: why for at, why in self._read_refusals() if at < self.done}

    def __len__(self) -> int:
        return len(self.images)

    @property
    def done(self) -> int:
        """Images from the first on that have been looked at."""
        return min(len(self), self._rows.stat().st_size // (4 * self._encoder.width))

    @property
    def complete(self) -> bool:
        """Whether every image has been looked at."""
        return self.done == len(self)

    def __getitem__(self, image: int) -> Float[Tensor, " d"]:
        """The features of one image.

        Raises:
            IndexError: if there is no such image, or it has not been looked at yet.
            ImageError: if it could not be read.
        """
        if image in self.refused:
            raise ImageError(self.refused[image])
        if not 0 <= image < len(self):
            raise IndexError(f"there is no image {image}; images are 0 to {len(self) - 1}")
        if self._mapped is None or image >= len(self._mapped):
            if image >= self.done:
                raise IndexError(f"the features of image {image} are not computed yet; {self.done} of {len(self)} are")
            self._mapped = np.memmap(self._rows, np.float32, "r", shape=(self.done, self._encoder.width))
        return torch.from_numpy(np.array(self._mapped[image]))

    def fill(
        self,
        *,
        batch: int = BATCH,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Compute what is missing; what is done stays, however this ends.

        Args:
            batch: images that are in memory at once.
            progress: told how many are done, and of how many, after each batch.
            cancelled: asked before each batch.

        Returns:
            Whether the store is complete; `refused` tells which images could not be read, and why.
        """
        while (start := self.done) < len(self):
            if cancelled():
                return False
            self._append(start, range(start, min(start + batch, len(self))))
            if progress is not None:
                progress(self.done, len(self))
        return True

    def _append(self, start: int, members: range) -> None:
        """Write the next rows."""
        images: dict[int, ndarray] = {}
        for image in members:
            try:
                images[image] = self.images.read(image)
            except ImageError as error:
                self.refused[image] = str(error)
        with self._refusals.open("a") as file:
            file.writelines("\n" + json.dumps([at, why]) for at, why in self.refused.items() if at in members)
        rows = np.full((len(members), self._encoder.width), np.nan, np.float32)
        if images:
            rows[[image - start for image in images]] = self._encoder.pooled(list(images.values())).numpy()
        with self._rows.open("r+b") as file:
            file.seek(start * rows.shape[1] * 4)
            file.write(rows.tobytes())

    def _read_refusals(self) -> list[tuple[int, str]]:
        """Images that could not be read, and why; a line that was cut off belongs to rows that are not there."""
        found = []
        for line in self._refusals.read_text().splitlines():
            try:
                at, why = json.loads(line)
            except ValueError:
                continue
            found.append((at, why))
        return found


class ChosenFeatures:
    """Some of the features, in the order given.

    Args:
        features: all of them.
        images: which.
    """

    def __init__(self, features: Features, images: Sequence[int]) -> None:
        self._features, self._images = features, images

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, image: int) -> Float[Tensor, " d"]:
        """The features of one image."""
        return self._features[self._images[image]]


def readable(store: FeatureStore) -> tuple[ImageSet, Features]:
    """The images that could be read, and their features, both numbered anew.

    Args:
        store: a complete one.

    Returns:
        Images and features in the same order.

    Raises:
        ImageError: if there is none, or the store is not complete.
    """
    if not store.complete:
        raise ImageError(
            f"{store.done} of {len(store)} images of {store.images.name} have features; fill the store first"
        )
    kept = [image for image in range(len(store)) if image not in store.refused]
    if not kept:
        raise ImageError(f"no image of {store.images.name} could be read: {next(iter(store.refused.values()))}")
    return store.images.only(kept), ChosenFeatures(store, kept)


def _key(images: ImageSet, encoder: Encoder) -> str:
    found = hashlib.sha256(f"{encoder.digest} {encoder.width}\n".encode())
    for source in images.sources:
        found.update(f"{source.key}\n".encode())
    return found.hexdigest()[:24]
