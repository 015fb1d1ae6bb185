"""CVAT's XML for videos, version 1.1: a track for each object, its masks as run lengths within a box."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import XMLGenerator

import numpy as np

from .cvat_reader import read_cvat
from .format import Format
from .losses import FPS
from .mask_set import Mask, MaskSet, Step

_NOTHING = {"rle": "0, 1", "left": "0", "top": "0", "width": "1", "height": "1"}
"""CVAT knows no empty masks; what is outside has a shape nevertheless."""


def _write(masks: MaskSet, path: Path, step: Step) -> list[str]:
    with path.open("w", encoding="utf-8") as file:
        xml = _Xml(file)
        xml.generator.startDocument()
        with xml.tag("annotations"):
            xml.text("version", "1.1")
            _write_meta(xml, masks)
            gaps = sum([_write_track(xml, masks, place, step) for place in range(len(masks.objects))])
        xml.generator.endDocument()
    labels = {each.name: each.colour for each in reversed(masks.objects)}
    recoloured = [each.id for each in masks.objects if labels[each.name] != each.colour]
    lost = [f"the colour of object {each}, whose name an earlier one has" for each in recoloured]
    return [*lost, f"{gaps} gaps without masks, whose first frame reads as an empty mask"] if gaps else lost


def _write_meta(xml: _Xml, masks: MaskSet) -> None:
    with xml.tag("meta"), xml.tag("task"):
        xml.text("name", masks.name)
        xml.text("size", str(masks.n_frames))
        xml.text("mode", "interpolation")
        with xml.tag("original_size"):
            xml.text("width", str(masks.size[1]))
            xml.text("height", str(masks.size[0]))
        with xml.tag("labels"):
            for name, colour in {each.name: each.colour for each in reversed(masks.objects)}.items():
                with xml.tag("label"):
                    xml.text("name", name)
                    xml.text("color", colour)


def _write_track(xml: _Xml, masks: MaskSet, place: int, step: Step) -> int:
    """Write one object; returns the number of gaps, at whose begin the track is said to be outside."""
    each, gaps = masks.objects[place], 0
    frames = masks.annotated(each.id)
    known = set(frames)
    with xml.tag("track", id=str(each.id), label=each.name, source="semi-auto"):
        for done, frame in enumerate(frames):
            step(place * len(frames) + done, len(masks.objects) * len(frames))
            _write_mask(xml, frame, masks.masks[frame, each.id])
            # Without this CVAT would hold the mask until the next one.
            if frame + 1 < masks.n_frames and frame + 1 not in known:
                _write_mask(xml, frame + 1, None)
                gaps += 1
    return gaps


def _write_mask(xml: _Xml, frame: int, mask: Mask | None) -> None:
    shape = _NOTHING if mask is None or not mask.any() else _shape(mask)
    outside = str(int(shape is _NOTHING))
    with xml.tag("mask", frame=str(frame), keyframe="1", outside=outside, occluded="0", **shape, z_order="0"):
        pass


def _shape(mask: Mask) -> dict[str, str]:
    """Run lengths within the bounding box, row by row, the first one off."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    inside = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside.ravel()]).astype(np.int8)))
    lengths = np.diff(np.concatenate([[0], edges, [inside.size]]))
    height, width = inside.shape
    rle = ", ".join(str(length) for length in lengths)
    return {"rle": rle, "left": str(columns[0]), "top": str(rows[0]), "width": str(width), "height": str(height)}


class _Xml:
    """Elements one after the other; the library escapes."""

    def __init__(self, file: object) -> None:
        self.generator = XMLGenerator(file, "utf-8", short_empty_elements=True)  # type: ignore[arg-type]

    @contextmanager
    def tag(self, name: str, **attributes: str) -> Iterator[None]:
        self.generator.startElement(name, {key: _clean(value) for key, value in attributes.items()})  # type: ignore[arg-type]
        yield
        self.generator.endElement(name)
        self.generator.characters("\n")

    def text(self, name: str, text: str) -> None:
        with self.tag(name):
            self.generator.characters(_clean(text))


def _clean(text: str) -> str:
    """Without control characters, which XML cannot hold."""
    return "".join(each if each.isprintable() else " " for each in text)


CVAT = Format(
    "cvat",
    "CVAT XML 1.1 for videos: a track for each object, masks as run lengths; polygons are read as well",
    (FPS,),
    _write,
    read_cvat,
    lambda path: path.suffix == ".xml",
    suffix=".xml",
)
