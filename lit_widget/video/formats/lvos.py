"""LVOS: `train/Annotations/<video>/00000001.png`, frames counted from 1, ranges of frames in `train_meta.json`."""

from .layout import Layout, Meta, holds_masks, seen
from .losses import BEHIND, FPS, NAMES, OVERLAPS
from .mask_set import MaskSet
from .numbering import Naming

_DIGITS = 8


def _describe(masks: MaskSet, stems: list[str]) -> Meta:
    return {"objects": {str(each.id): {"frame_range": _range(seen(masks, each.id, stems))} for each in masks.objects}}


def _range(frames: list[str]) -> Meta:
    return {"start": frames[0], "end": frames[-1], "frame_nums": len(frames)} if frames else {"frame_nums": 0}


LVOS = Layout("train", Naming(digits=_DIGITS, first=1), meta="train_meta.json", describe=_describe).format(
    "lvos",
    "LVOS: PNG files with object ids, frames counted from 1, each object's range of frames in train_meta.json",
    (NAMES, OVERLAPS, FPS, BEHIND),
    lambda path: holds_masks(path, "[0-9]" * _DIGITS + ".png"),
)
