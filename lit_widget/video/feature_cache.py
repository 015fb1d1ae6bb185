"""Encoded frames that are kept, so that tracking the same frames again is quick."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from .sam2 import FrameFeatures


class FeatureCache:
    """Encoded frames, the least recently used dropped once they take more than `max_bytes`."""

    def __init__(self, encode: Callable[[int], FrameFeatures], *, max_bytes: int = 2**30) -> None:
        self._encode, self._max_bytes = encode, max_bytes
        self._kept: OrderedDict[int, FrameFeatures] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, frame: int) -> FrameFeatures:
        if frame in self._kept:
            self._kept.move_to_end(frame)
            return self._kept[frame]
        features = self._encode(frame)
        self._kept[frame] = features
        self._bytes += features.n_bytes
        while self._bytes > self._max_bytes and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].n_bytes
        return features

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()
        self._bytes = 0
