"""Encoded frames that are kept, so that tracking the same frames again is quick."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch

from lit_widget.core.shelf import MEMORY_BYTES, Memo, Shelf, Shelved

from .frames import Frames
from .read_ahead import ReadAhead
from .sam2 import FrameFeatures, Sam2

MOST_BYTES = 16 * 2**30
"""Default bound on all encoded frames, most of which lie in a file: some 900 frames of SAM 2.1, 30,000 of pocket."""


GPU_MEMORY_BYTES = 2**30
"""Default bound on what a GPU's memory keeps of them, and of masks; elsewhere it is that of any shelf."""


def default_memory(device: torch.device) -> int:
    """How many bytes of encoded frames and masks to keep in memory."""
    return GPU_MEMORY_BYTES if device.type == "cuda" else MEMORY_BYTES


class FeatureCache:
    """Encoded frames on a shelf, the least recently used dropped once they take more than `max_bytes`.

    Args:
        encode: gives the features of a frame.
        shelf: keeps them, the newest in memory.
        max_bytes: bound on what they take in memory and in the shelf's file.
        forget: lets go of what `encode` holds itself.
    """

    def __init__(
        self,
        encode: Callable[[int], FrameFeatures],
        *,
        shelf: Shelf | None = None,
        max_bytes: int = MOST_BYTES,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self.shelf = shelf or Shelf()
        self._encode, self._max_bytes, self._forget = encode, max_bytes, forget
        self._kept: OrderedDict[int, ShelvedFeatures] = OrderedDict()
        self._bytes = 0

    @classmethod
    def of(cls, model: Sam2, frames: Frames, *, memory: int | None = None) -> FeatureCache:
        """A video as a model sees it, with so many bytes of it in memory."""
        shelf = Shelf(default_memory(model.device) if memory is None else memory)
        pixels = ReadAhead(lambda frame: model.pixels(frames[frame]), len(frames))
        return cls(lambda frame: model.encode_pixels(pixels[frame]), shelf=shelf, forget=pixels.clear)

    def __getitem__(self, frame: int) -> FrameFeatures:
        if frame in self._kept:
            self._kept.move_to_end(frame)
            return self._kept[frame].features
        self._kept[frame] = kept = ShelvedFeatures(self.shelf, self._encode(frame))
        self._bytes += kept.n_bytes
        while self._bytes > self._max_bytes and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].n_bytes
        return kept.features

    def __contains__(self, frame: int) -> bool:
        return frame in self._kept

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()
        self._bytes = 0
        self._forget()
        self.shelf.clear_memory()


class ShelvedFeatures:
    """Features of a frame whose tensors are on a shelf; the positional encoding is one for all frames."""

    def __init__(self, shelf: Shelf, features: FrameFeatures) -> None:
        self._top, self._begun = shelf.put(features.top), Memo(shelf)
        self._high_res: tuple[Shelved, Shelved] = shelf.put(features.high_res[0]), shelf.put(features.high_res[1])
        self._position = features.top_position

    @property
    def features(self) -> FrameFeatures:
        """All of them, in memory."""
        finest, finer = self._high_res
        return FrameFeatures(self._top.tensor, self._position, (finest.tensor, finer.tensor), self._begun)

    @property
    def n_bytes(self) -> int:
        """What they take, in memory or in the file, without what is made of them later."""
        return self._top.n_bytes + sum(each.n_bytes for each in self._high_res)
