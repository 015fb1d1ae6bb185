"""MOSE: as YouTube-VOS, and `meta.json` has length and size of the video, too."""

from .layout import Layout, Meta
from .losses import FPS, OVERLAPS
from .mask_set import MaskSet
from .youtube_vos import describe_objects


def _describe(masks: MaskSet, stems: list[str]) -> Meta:
    height, width = masks.size
    return {"length": masks.n_frames, "height": height, "width": width, **describe_objects(masks, stems)}


_LAYOUT = Layout(meta="meta.json", describe=_describe)

MOSE = _LAYOUT.format(
    "mose",
    "MOSE: like YouTube-VOS, with length and size of the video in meta.json",
    (OVERLAPS, FPS),
    lambda path: "length" in _LAYOUT.described(path),
)
