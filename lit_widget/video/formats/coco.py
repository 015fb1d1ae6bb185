"""COCO: one JSON file with an image for each frame, run lengths for each mask, and a track id for each object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco

from .format import Format
from .limits import (
    MAX_FRAMES,
    checked_number,
    checked_size,
    entries,
    read_json,
    shown_colour,
    shown_fps,
    shown_name,
)
from .mask_set import CompactMasks, FormatError, Mask, MaskObject, MaskSet, Step
from .numbering import Naming
from .polygons import finite
from .rle import decode, encode

MAX_ID = 2**53
"""Beyond which JSON readers lose digits."""


def _write(masks: MaskSet, path: Path, step: Step) -> list[str]:
    height, width = masks.size
    stems = Naming().stems(masks)
    annotations = [
        _annotation(number, frame, object_id, mask)
        for number, (frame, object_id, mask) in enumerate(
            ((frame, each, mask) for frame, by_object in masks.each_frame(step) for each, mask in by_object.items()), 1
        )
    ]
    content = {
        "info": {"description": masks.name},
        "videos": [
            {"id": 1, "name": masks.name, "height": height, "width": width, "length": masks.n_frames, "fps": masks.fps}
        ],
        "images": [
            {
                "id": frame + 1,
                "video_id": 1,
                "frame_id": frame,
                "file_name": f"{stem}.jpg",
                "height": height,
                "width": width,
            }
            for frame, stem in enumerate(stems)
        ],
        "categories": [{"id": each.id, "name": each.name} for each in masks.objects],
        "tracks": [
            {"id": each.id, "category_id": each.id, "video_id": 1, "name": each.name, "color": each.colour}
            for each in masks.objects
        ],
        "annotations": annotations,
    }
    path.write_text(json.dumps(content))
    return []


def _annotation(number: int, frame: int, object_id: int, mask: np.ndarray) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = [columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1] if len(rows) else [0, 0, 0, 0]
    return {
        "id": number,
        "image_id": frame + 1,
        "video_id": 1,
        "category_id": object_id,
        "track_id": object_id,
        "segmentation": {"size": list(mask.shape), "counts": encode(mask).decode("ascii")},
        "area": int(mask.sum()),
        "bbox": [float(each) for each in box],
        "iscrowd": 0,
    }


def _read(path: Path, step: Step) -> MaskSet:
    content = read_json(path)
    images, annotations = entries(content, "images", str(path)), entries(content, "annotations", str(path))
    if not images:
        raise FormatError(f"{path} has no images, so the size of its frames is not known")
    if len({str(each.get("video_id")) for each in images}) > 1:
        raise FormatError(f"{path} holds several videos; split it into one file for each")
    size = checked_size(images[0].get("height"), images[0].get("width"), str(path))
    if any([each.get("height"), each.get("width")] != list(size) for each in images):
        raise FormatError(f"{path} has images of several sizes; the frames of a video have one")
    frames, names = _frames(images)
    masks, categories = CompactMasks(size), dict[int, Any]()
    for done, each in enumerate(annotations):
        step(done, len(annotations))
        where = f"annotation {done} of {path.name}"
        frame = frames.get(str(each.get("image_id")))
        if frame is None:
            raise FormatError(f"{where} belongs to no image of the file")
        # Without tracks, as in COCO itself, all masks of a category are one object.
        object_id = checked_number(each.get("track_id", each.get("category_id")), 1, MAX_ID, f"the track id of {where}")
        categories.setdefault(object_id, each.get("category_id"))
        masks.add(frame, object_id, _mask(each.get("segmentation"), size, where))
    step(len(annotations), len(annotations))
    video = next(iter(_optional(content, "videos")), {})
    return MaskSet(
        shown_name(video.get("name"), path.stem),
        size,
        len(names),
        _objects(content, categories),
        masks,
        names if all(names) else (),
        shown_fps(video.get("fps")),
    )


def _frames(images: list[dict[str, Any]]) -> tuple[dict[str, int], tuple[str, ...]]:
    """The frame of each image by id, and the names of all frames; without `frame_id` the order of the list counts."""
    numbered = all("frame_id" in each for each in images)
    frames = [
        checked_number(each["frame_id"] if numbered else place, 0, MAX_FRAMES - 1, "a frame_id")
        for place, each in enumerate(images)
    ]
    names = [""] * (max(frames) + 1)
    for frame, each in zip(frames, images, strict=True):
        names[frame] = Path(str(each.get("file_name", ""))).stem
    return {str(each.get("id")): frame for frame, each in zip(frames, images, strict=True)}, tuple(names)


def _objects(content: dict[str, Any], categories: dict[int, Any]) -> tuple[MaskObject, ...]:
    """All tracks, by the file's own list where it has one, and by the categories of the masks."""
    tracks = {each["id"]: each for each in _optional(content, "tracks") if _is_id(each.get("id"))}
    named = {str(each.get("id")): each.get("name") for each in _optional(content, "categories")}
    objects = []
    for each in sorted({*tracks, *categories}):
        track, unnamed = tracks.get(each, {}), MaskObject.unnamed(each)
        category = named.get(str(track.get("category_id", categories.get(each))))
        name = shown_name(track.get("name"), shown_name(category, unnamed.name))
        objects.append(MaskObject(each, name, shown_colour(track.get("color"), unnamed.colour)))
    return tuple(objects)


def _mask(segmentation: object, size: tuple[int, int], where: str) -> Mask:
    try:
        if isinstance(segmentation, dict):
            if segmentation.get("size") != list(size):
                raise ValueError("its size is not that of its frame")  # noqa: TRY301 - one way out for all damage
            return decode(segmentation.get("counts", []), size)
        return _polygons(segmentation, size)
    except (ValueError, OverflowError) as error:
        raise FormatError(f"the mask of {where} cannot be read: {error}") from None


def _polygons(segmentation: object, size: tuple[int, int]) -> Mask:
    """Polygons as pycocotools fills them; corners outside the frame are moved to its edge."""
    if not isinstance(segmentation, list):
        raise ValueError("it is neither run lengths nor polygons")  # noqa: TRY004 - as all other damage
    if not all(_is_polygon(each) for each in segmentation):
        raise ValueError("a polygon has three or more corners, x and y in turn")
    corners = [finite(np.array(each, dtype=np.float64)).reshape(-1, 2) for each in segmentation]
    inside = [each.clip(0, size[::-1]).ravel().tolist() for each in corners]
    filled = np.zeros(size, dtype=bool)
    for each in coco.frPyObjects(inside, *size):
        filled |= decode(each["counts"], size)
    return filled


def _is_polygon(value: object) -> bool:
    if not isinstance(value, list) or len(value) < 6 or len(value) % 2:
        return False
    return all(isinstance(each, float) or type(each) is int for each in value)


def _optional(content: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return entries(content, key, "the file") if key in content else []


def _is_id(value: object) -> bool:
    return type(value) is int and 0 < value <= MAX_ID


COCO = Format(
    "coco",
    "JSON with COCO's run lengths and a track id for each object; polygons are read as well",
    (),
    _write,
    _read,
    lambda path: path.suffix == ".json" and "annotations" in read_json(path),
    suffix=".json",
)
