"""Which masks the latest work made other than they were."""

from __future__ import annotations

from collections.abc import Iterable

from lit_widget.video.adaptation import VideoItem
from lit_widget.video.memory import FrameRecord, MaskOutput

SAME_IOU = 0.99
"""From which on two masks look the same."""


class Changes:
    """Masks that were there before and look otherwise now, since the latest tracking began."""

    def __init__(self) -> None:
        self._frames: dict[int, set[int]] = {}

    def clear(self) -> None:
        """Begin anew."""
        self._frames = {}

    def note(self, item: VideoItem, before: FrameRecord | None, after: FrameRecord) -> None:
        """Compare a mask with the one that it replaces."""
        if before is not None and not alike(before.output, after.output):
            self.add([item])

    def add(self, items: Iterable[VideoItem]) -> None:
        """Count masks as changed."""
        for item in items:
            # Replaced and not changed in place: another thread may be reading it.
            self._frames[item.object] = self._frames.get(item.object, set()) | {item.frame}

    @property
    def count(self) -> int:
        """How many masks have changed."""
        return sum(len(frames) for frames in self._frames.values())

    def runs(self, object_id: int) -> list[tuple[int, int]]:
        """Runs of frames on which an object's mask has changed, as (first, last), sorted."""
        found: list[tuple[int, int]] = []
        for frame in sorted(self._frames.get(object_id, ())):
            if found and found[-1][1] == frame - 1:
                found[-1] = (found[-1][0], frame)
            else:
                found.append((frame, frame))
        return found


def alike(one: MaskOutput, other: MaskOutput) -> bool:
    """Whether two masks look the same, at the resolution of their logits."""
    left, right = one.logits > 0, other.logits > 0
    union = (left | right).sum()
    return bool((left & right).sum() >= SAME_IOU * union)
