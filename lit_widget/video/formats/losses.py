"""What formats cannot hold, and whether it matters for the masks at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lit_widget.video.frames import IMAGE_FPS

from .mask_set import MaskObject, MaskSet


@dataclass(frozen=True)
class Loss:
    """Something that a format cannot hold.

    Attributes:
        text: what it is.
        happens: whether it is lost of these masks; never for what `write` counts itself.
    """

    text: str
    happens: Callable[[MaskSet], bool] = lambda _: True


def counted(text: str) -> Loss:
    """A loss that the format itself counts in the masks at hand."""
    return Loss(text, lambda _: False)


def _renamed(masks: MaskSet) -> bool:
    return any(each.name != MaskObject.unnamed(each.id).name for each in masks.objects)


def _coloured(masks: MaskSet) -> bool:
    return any(each.colour != MaskObject.unnamed(each.id).colour for each in masks.objects)


NAMES = Loss("names of objects", _renamed)
COLOURS = Loss("colours of objects", _coloured)
FPS = Loss("frames per second", lambda masks: masks.fps != IMAGE_FPS)
BEHIND = Loss("frames behind the last mask", lambda masks: (masks.annotated() or [-1])[-1] + 1 < masks.n_frames)
OVERLAPS = counted("where objects overlap, all but the one of the highest id")


def read_as_empty(masks: MaskSet, objects: Iterable[int]) -> list[str]:
    """How many masks are missing on frames that other objects have masks on, in a sentence; empty if none is.

    Args:
        masks: that are written.
        objects: ids that a reader knows of; all of them have a mask on each frame that has any.
    """
    known = set(objects)
    missing = len(masks.annotated()) * len(known) - sum(each in known for _, each in masks.masks)
    return [f"{missing} masks that are missing, which read as empty"] if missing else []
