"""SA-V: one JSON file with COCO run lengths of all objects on every fourth frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .format import Format
from .limits import MAX_FRAMES, checked_number, checked_size, read_json, shown_fps, shown_name
from .losses import COLOURS, NAMES
from .mask_set import CompactMasks, FormatError, MaskObject, MaskSet, Step
from .rle import decode, encode

EVERY = 4
"""Frames of the video from one annotated frame to the next: 24 and 6 a second in the data set."""

MAX_ID = 2**31


def _write(masks: MaskSet, path: Path, step: Step) -> list[str]:
    height, width = masks.size
    ids = [each.id for each in masks.objects]
    nothing = np.zeros(masks.size, dtype=bool)
    masklet = []
    for frame in range(0, masks.n_frames, EVERY):
        step(frame, masks.n_frames)
        masklet.append([_rle(masks.masks.get((frame, each), nothing)) for each in ids])
    content = {
        "video_id": masks.name,
        "video_duration": masks.n_frames / masks.fps,
        "video_frame_count": float(masks.n_frames),
        "video_height": float(height),
        "video_width": float(width),
        "video_resolution": float(height * width),
        "masklet_id": [each - 1 for each in ids],
        "masklet_frame_count": [len(masklet)] * len(ids),
        "masklet_type": ["manual"] * len(ids),
        "masklet_num": len(ids),
        "masklet": masklet,
    }
    path.write_text(json.dumps(content))
    step(masks.n_frames, masks.n_frames)
    return _lost(masks)


def _rle(mask: np.ndarray) -> dict[str, Any]:
    return {"size": list(mask.shape), "counts": encode(mask).decode("ascii")}


def _lost(masks: MaskSet) -> list[str]:
    between = sum(frame % EVERY != 0 for frame, _ in masks.masks)
    missing = sum(
        (frame, each.id) not in masks.masks for frame in range(0, masks.n_frames, EVERY) for each in masks.objects
    )
    lost = [f"{between} masks of frames between every {EVERY}th"] if between else []
    return [*lost, f"{missing} masks that are missing, which read as empty"] if missing else lost


def _read(path: Path, step: Step) -> MaskSet:
    content = read_json(path)
    size = checked_size(_whole(content.get("video_height")), _whole(content.get("video_width")), str(path))
    masklet, ids = content.get("masklet"), content.get("masklet_id")
    if not isinstance(masklet, list) or not isinstance(ids, list) or len(masklet) * EVERY > MAX_FRAMES:
        raise FormatError(f"{path} has no masklets with their ids; is it an SA-V file?")
    objects = [checked_number(each, 0, MAX_ID, "a masklet_id") + 1 for each in ids]
    masks = CompactMasks(size)
    for place, here in enumerate(masklet):
        step(place, len(masklet))
        if not isinstance(here, list) or len(here) != len(objects):
            raise FormatError(f"{path} has {len(objects)} masklets, but not as many masks on annotated frame {place}")
        for object_id, rle in zip(objects, here, strict=True):
            try:
                if not isinstance(rle, dict) or rle.get("size") != list(size):
                    raise ValueError("its size is not that of the video")  # noqa: TRY301 - one way out for all damage
                masks.add(place * EVERY, object_id, decode(rle.get("counts", []), size))
            except ValueError as error:
                raise FormatError(f"mask {object_id - 1} on annotated frame {place} cannot be read: {error}") from None
    step(len(masklet), len(masklet))
    last = max(0, len(masklet) - 1) * EVERY + 1
    given = _whole(content.get("video_frame_count"))
    n_frames = checked_number(last if given is None else given, last, MAX_FRAMES, "video_frame_count")
    named = tuple(MaskObject.unnamed(each) for each in sorted(objects))
    duration = content.get("video_duration")
    fps = round(n_frames / duration, 6) if isinstance(duration, int | float) and duration > 0 else None
    return MaskSet(shown_name(content.get("video_id"), path.stem), size, n_frames, named, masks, fps=shown_fps(fps))


def _whole(value: object) -> object:
    """The data set writes whole numbers with a decimal point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


SA_V = Format(
    "sa-v",
    f"SA-V: JSON with run lengths of every {EVERY}th frame",
    (NAMES, COLOURS),
    _write,
    _read,
    lambda path: path.suffix == ".json" and "masklet" in read_json(path),
    suffix=".json",
)
