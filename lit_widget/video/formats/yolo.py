"""YOLO-seg: `labels/<frame>.txt` with one polygon a line, and `data.yaml` with the names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from lit_widget.video.frames import image_files

from .format import Format
from .limits import checked_number, checked_size, file_name, read_text, shown_name
from .losses import BEHIND, FPS, Loss, counted, read_as_empty
from .mask_set import CompactMasks, FormatError, MaskObject, MaskSet, Step
from .numbering import Naming, numbered, renumbered
from .polygons import fill, finite, near_pixels, outlines

MAX_CLASS = 10_000

MAX_YAML_BYTES = 2**20

_ABOUT = "data.yaml"


def _write(masks: MaskSet, path: Path, step: Step) -> list[str]:
    labels = path / "labels"
    labels.mkdir()
    height, width = masks.size
    classes = {each.id: place for place, each in enumerate(masks.objects)}
    stems, changed = Naming().stems(masks), dict.fromkeys(classes, 0)
    for frame, by_object in masks.each_frame(step):
        lines = []
        for object_id, mask in by_object.items():
            polygons = outlines(mask)
            changed[object_id] += int((fill(polygons, masks.size) != mask).sum())
            lines += [_line(classes[object_id], (each + 0.5) / (width, height)) for each in polygons]
        (labels / f"{stems[frame]}.txt").write_text("".join(lines))
    # JSON is YAML, too, and needs no care for what names may hold.
    names = {str(place): each.name for place, each in enumerate(masks.objects)}
    about = {"path": ".", "train": "images", "val": "images", "nc": len(names), "names": names}
    content = {**about, "height": height, "width": width, "video": file_name(masks.name)}
    (path / _ABOUT).write_text(json.dumps(content, indent=1), encoding="utf-8")
    filled = [f"{n} pixels in holes of object {each}, which are filled" for each, n in changed.items() if n]
    moved = [f"the id of object {each}, which is class {at}" for each, at in classes.items() if each != at + 1]
    missing = read_as_empty(masks, classes)
    return [*filled, *moved, *renumbered(masks, Naming()), *missing]


def _recoloured(masks: MaskSet) -> bool:
    """Whether an object looks other than its class will when it is read."""
    return any(each.colour != MaskObject.unnamed(at).colour for at, each in enumerate(masks.objects, start=1))


def _line(number: int, points: np.ndarray) -> str:
    return " ".join([str(number), *(f"{each:.6f}" for each in points.ravel())]) + "\n"


def _read(path: Path, step: Step) -> MaskSet:
    labels = path / "labels" if (path / "labels").is_dir() else path
    files = sorted(labels.glob("*.txt"))
    if not files:
        raise FormatError(f"{labels} holds no .txt files with polygons; give the folder that holds labels/")
    about = _about(path / _ABOUT)
    size = _size(about, path)
    frames, names = numbered([each.stem for each in files], Naming())
    masks, found = CompactMasks(size), set(_names(about))
    for done, (frame, file) in enumerate(zip(frames, files, strict=True)):
        step(done, len(files))
        for number, polygons in _polygons(file, size).items():
            masks.add(frame, number + 1, fill(polygons, size))
            found.add(number)
    masks.complete(frames, [number + 1 for number in found])
    step(len(files), len(files))
    objects = tuple(_object(number, _names(about)) for number in sorted(found))
    name = shown_name(about.get("video"), path.resolve().name)
    return MaskSet(name, size, len(names), objects, masks, names)


def _polygons(file: Path, size: tuple[int, int]) -> dict[int, list[np.ndarray]]:
    """The polygons of one frame by class."""
    found: dict[int, list[np.ndarray]] = {}
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        try:
            points = finite(np.array(words[1:], dtype=np.float64))
            of_class = checked_number(int(words[0]), 0, MAX_CLASS, "a class")
        except ValueError as error:
            raise FormatError(f"line {number} of {file} is no class and polygon: {error}") from None
        if len(points) < 6 or len(points) % 2:
            raise FormatError(f"line {number} of {file} has {len(points)} numbers; a polygon has three corners or more")
        found.setdefault(of_class, []).append(near_pixels(points.reshape(-1, 2) * size[::-1], size))
    return found


def _about(path: Path) -> dict[Any, Any]:
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(read_text(path, MAX_YAML_BYTES))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FormatError(f"{path} is not YAML: {str(error).splitlines()[0]}") from None
    return content if isinstance(content, dict) else {}


def _names(about: dict[Any, Any]) -> dict[int, Any]:
    """Names by class, which YAML gives as a list or a dictionary."""
    names = about.get("names")
    if isinstance(names, list):
        return dict(enumerate(names[:MAX_CLASS]))
    given = names.items() if isinstance(names, dict) else ()
    return {int(key): name for key, name in given if str(key).isdecimal() and len(str(key)) < 5}


def _size(about: dict[Any, Any], path: Path) -> tuple[int, int]:
    """Of the frames: what we wrote, or that of an image beside the labels; polygons are relative to it."""
    if "height" in about:
        return checked_size(about["height"], about.get("width"), str(path / _ABOUT))
    images = image_files(path / "images") if (path / "images").is_dir() else []
    if not images:
        raise FormatError(f"{path} does not say how large its frames are; put one of them in {path / 'images'}")
    try:
        with Image.open(images[0]) as image:
            return checked_size(image.height, image.width, str(images[0]))
    except OSError as error:
        raise FormatError(f"{images[0]} cannot be read as an image: {error}") from None


def _object(number: int, names: dict[int, Any]) -> MaskObject:
    unnamed = MaskObject.unnamed(number + 1)
    return MaskObject(number + 1, shown_name(names.get(number), unnamed.name), unnamed.colour)


def _holds(path: Path, place: str) -> bool:
    """Whether a file is such as `_write` makes: what it says of the video, or lines of numbers in `labels`."""
    if place == _ABOUT:
        return {"height", "width", "video"} <= set(_about(path))
    with path.open("rb") as file:
        return bool(re.fullmatch(r"labels/[^/]+\.txt", place)) and bool(re.fullmatch(rb"[0-9. \r\n]*", file.read(4096)))


YOLO_SEG = Format(
    "yolo-seg",
    "YOLO: a text file for each frame, a polygon a line, an object a class",
    (counted("holes of masks"), Loss("colours of objects", _recoloured), FPS, BEHIND),
    _write,
    _read,
    lambda path: path.is_dir() and (any(path.glob("labels/*.txt")) or any(path.glob("*.txt"))),
    holds=_holds,
)
