"""YouTube-VOS: `Annotations/<video>/00000.png`, and `meta.json` with category and frames of each object."""

from .layout import Layout, Meta, seen
from .losses import BEHIND, FPS, OVERLAPS
from .mask_set import MaskSet


def describe_objects(masks: MaskSet, stems: list[str]) -> Meta:
    """Category and annotated frames by id."""
    return {
        "objects": {
            str(each.id): {"category": each.name, "frames": seen(masks, each.id, stems)} for each in masks.objects
        }
    }


_LAYOUT = Layout(meta="meta.json", describe=describe_objects)

YOUTUBE_VOS = _LAYOUT.format(
    "youtube-vos",
    "YouTube-VOS: PNG files with object ids, names as categories in meta.json",
    (OVERLAPS, FPS, BEHIND),
    lambda path: bool(_LAYOUT.described(path)),
)
