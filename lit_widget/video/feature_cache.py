"""Encoded frames that are kept, so that tracking the same frames again is quick."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from lit_widget.core.shelf import Memo, Shelf, Shelved

from .sam2 import FrameFeatures

MOST_BYTES = 16 * 2**30
"""Default bound on all encoded frames, most of which lie in a file: some 900 frames of SAM 2.1, 30,000 of pocket."""


class FeatureCache:
    """Encoded frames on a shelf, the least recently used dropped once they take more than `max_bytes`.

    Args:
        encode: gives the features of a frame.
        shelf: keeps them, the newest in memory.
        max_bytes: bound on what they take in memory and in the shelf's file.
    """

    def __init__(
        self, encode: Callable[[int], FrameFeatures], *, shelf: Shelf | None = None, max_bytes: int = MOST_BYTES
    ) -> None:
        self.shelf = shelf or Shelf()
        self._encode, self._max_bytes = encode, max_bytes
        self._kept: OrderedDict[int, ShelvedFeatures] = OrderedDict()
        self._bytes = 0

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
        """Let go of all, and move what else is on the shelf out of memory."""
        self._kept.clear()
        self._bytes = 0
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
