"""The masks of one video as a value: what every format writes and reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from jaxtyping import Bool

from lit_widget.video.frames import IMAGE_FPS, Frames

from .rle import decode, encode

Mask = Bool[np.ndarray, "h w"]

Key = tuple[int, int]
"""(frame, object id)."""

Step = Callable[[int, int], None]
"""Told how many of how many frames are done; whatever it raises stops the work."""

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
"""Okabe and Ito's colours, for objects whose file gives none."""


def unwatched(_done: int, _total: int) -> None:
    """A step for work that nobody watches."""


class FormatError(ValueError):
    """A file that cannot be read or written as a format; the sentence says why and what to do."""


@dataclass(frozen=True)
class MaskObject:
    """One object of a video.

    Attributes:
        id: from 1 up.
        name: as users read it.
        colour: `#rrggbb`.
    """

    id: int
    name: str
    colour: str

    @classmethod
    def unnamed(cls, object_id: int) -> MaskObject:
        """An object of which only the id is known."""
        return cls(object_id, f"object {object_id}", COLOURS[(object_id - 1) % len(COLOURS)])


@dataclass(frozen=True)
class Event:
    """One prompt, correction or accepted proposal.

    Attributes:
        frame: where.
        object_id: of which object.
        kind: "prompted", "corrected" or "accepted".
        n_clicks: clicks that it took.
        painted: whether the whole mask was given by hand.
        update_s: seconds that the adapter's update took, 0 without one.
    """

    frame: int
    object_id: int
    kind: str
    n_clicks: int = 0
    painted: bool = False
    update_s: float = 0.0


@dataclass(frozen=True)
class MaskSet:
    """All masks of one video.

    Attributes:
        name: of the video.
        size: (height, width) in pixels.
        n_frames: length of the video.
        objects: by ascending id.
        masks: mask by frame and object id, decoded when asked for; a missing key says that nothing is known there,
            an empty mask that the object is not to be seen.
        frame_names: names of all frames without suffix; empty where they have none of their own.
        fps: frames per second.
        frames: the video itself, for formats that show it.
        events: how the masks came about, by frame.
    """

    name: str
    size: tuple[int, int]
    n_frames: int
    objects: tuple[MaskObject, ...]
    masks: Mapping[Key, Mask] = field(repr=False)
    frame_names: tuple[str, ...] = ()
    fps: float = IMAGE_FPS
    frames: Frames | None = field(default=None, repr=False)
    events: tuple[Event, ...] = field(default=(), repr=False)

    def annotated(self, object_id: int | None = None) -> list[int]:
        """The frames with a mask of an object, or of any, ascending."""
        return sorted({frame for frame, each in self.masks if object_id in (None, each)})

    def each_frame(self, step: Step) -> Iterator[tuple[int, dict[int, Mask]]]:
        """Every frame that has masks, with its masks by object id, one frame in memory at a time."""
        by_frame: dict[int, list[int]] = {}
        for frame, object_id in sorted(self.masks):
            by_frame.setdefault(frame, []).append(object_id)
        step(0, len(by_frame))
        for done, (frame, objects) in enumerate(by_frame.items(), start=1):
            yield frame, {each: self.masks[frame, each] for each in objects}
            step(done, len(by_frame))


class CompactMasks(Mapping[Key, Mask]):
    """Masks kept as run lengths, a hundred times smaller than their pixels, and decoded one at a time.

    Args:
        size: (height, width) of all masks.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self._counts: dict[Key, bytes] = {}

    def add(self, frame: int, object_id: int, mask: Mask) -> None:
        """Keep a mask; one that is there already is united with it."""
        if (frame, object_id) in self._counts:
            mask = mask | self[frame, object_id]
        self._counts[frame, object_id] = encode(mask)

    def complete(self, frames: Iterable[int], objects: Iterable[int]) -> None:
        """Say that objects without a mask on these frames are not to be seen there."""
        empty = encode(np.zeros(self.size, dtype=bool))
        for key in product(frames, objects):
            self._counts.setdefault(key, empty)

    def __getitem__(self, key: Key) -> Mask:
        return decode(self._counts[key], self.size)

    def __contains__(self, key: object) -> bool:
        return key in self._counts

    def __iter__(self) -> Iterator[Key]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)
