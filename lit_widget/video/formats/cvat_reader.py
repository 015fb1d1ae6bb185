"""Reading CVAT's XML for videos as it streams by, without what makes XML dangerous."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

import numpy as np

from .limits import MAX_FILE_BYTES, MAX_FRAMES, checked_number, checked_size, shown_colour, shown_name
from .mask_set import CompactMasks, FormatError, Mask, MaskObject, MaskSet, Step
from .polygons import fill, finite, near_pixels
from .rle import from_runs, whole_lengths

CHUNK_BYTES = 2**16

MAX_DEPTH = 32
"""Elements within each other; CVAT's own files have seven."""

MAX_TEXT = 1000
"""Characters of a text that matters: a name, a number."""


def read_cvat(path: Path, step: Step) -> MaskSet:
    """Read the tracks of a file.

    Raises:
        FormatError: if it is no such file, or declares a document type, with which XML can be made to explode.
    """
    n_bytes = path.stat().st_size
    if n_bytes > MAX_FILE_BYTES:
        raise FormatError(f"{path} is larger than {MAX_FILE_BYTES // 2**20} MiB; split it")
    document = _Document(path)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = document.refuse
    parser.StartElementHandler = document.start
    parser.EndElementHandler = document.end
    parser.CharacterDataHandler = document.characters
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                step(file.tell() - len(chunk), n_bytes)
                parser.Parse(chunk)
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise FormatError(f"{path} is no XML: {error}") from None
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror}") from None
    step(n_bytes, n_bytes)
    return document.masks()


@dataclass
class _Document:
    """What was read so far."""

    path: Path
    where: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    colours: dict[str, str] = field(default_factory=dict)
    objects: dict[int, str] = field(default_factory=dict)
    compact: CompactMasks | None = None
    track: int = 0

    def refuse(self, *_: object) -> None:
        raise FormatError(f"{self.path} declares a document type, which is not read; remove the DOCTYPE")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.where.append(name)
        if len(self.where) > MAX_DEPTH:
            raise FormatError(f"{self.path} has elements {len(self.where)} deep; CVAT's files have fewer")
        if self.where[:-1] == ["annotations"] and name == "track":
            self._start_track(attributes)
        elif self.where[:-1] == ["annotations", "track"] and name in _SHAPES:
            self._shape(name, attributes)
        self.texts.pop("/".join(self.where), None)

    def end(self, _: str) -> None:
        if self.where[-2:] == ["labels", "label"]:
            here = "/".join(self.where)
            self.colours[self.texts.get(f"{here}/name", "")] = self.texts.get(f"{here}/color", "")
        self.where.pop()

    def characters(self, text: str) -> None:
        if self.where[1:2] == ["meta"] and len(self.where) < 8:
            here = "/".join(self.where)
            self.texts[here] = (self.texts.get(here, "") + text)[:MAX_TEXT]

    def masks(self) -> MaskSet:
        if self.compact is None:
            raise FormatError(f"{self.path} has no tracks; export it from CVAT as 'CVAT for video 1.1'")
        last = max((frame for frame, _ in self.compact), default=0) + 1
        n_frames = max(last, self._meta("size") or 0)
        objects = tuple(self._object(each, label) for each, label in sorted(self.objects.items()))
        name = shown_name(self.texts.get(f"{self._task()}/name"), self.path.stem)
        return MaskSet(
            name, self.compact.size, checked_number(n_frames, 1, MAX_FRAMES, "the size"), objects, self.compact
        )

    def _start_track(self, attributes: dict[str, str]) -> None:
        if self.compact is None:
            size = self._meta("original_size/height"), self._meta("original_size/width")
            self.compact = CompactMasks(checked_size(*size, str(self.path)))
        # CVAT counts from 0, and does not look at the ids that it reads.
        given = attributes.get("id", "")
        number = int(given) if given.isdecimal() and len(given) < 10 else 0
        self.track = number if number and number not in self.objects else max(self.objects, default=0) + 1
        self.objects[self.track] = attributes.get("label", "")

    def _shape(self, name: str, attributes: dict[str, str]) -> None:
        assert self.compact is not None
        size = self.compact.size
        try:
            frame = checked_number(int(attributes.get("frame", "")), 0, MAX_FRAMES - 1, "a frame")
            outside = attributes.get("outside") == "1"
            mask = np.zeros(size, dtype=bool) if outside else _SHAPES[name](attributes, size)
        except (ValueError, KeyError) as error:
            raise FormatError(f"a {name} of track {self.track} in {self.path} cannot be read: {error}") from None
        self.compact.add(frame, self.track, mask)

    def _task(self) -> str:
        """Where the task is described: jobs and projects have the same within another element."""
        return next((key.removesuffix("/size") for key in self.texts if key.endswith("/size")), "annotations/meta/task")

    def _meta(self, key: str) -> int | None:
        places = (f"{self._task()}/{key}", f"annotations/meta/{key}")
        text = next((self.texts[each].strip() for each in places if each in self.texts), "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

    def _object(self, object_id: int, label: str) -> MaskObject:
        unnamed = MaskObject.unnamed(object_id)
        colour = shown_colour(self.colours.get(label), unnamed.colour)
        return MaskObject(object_id, shown_name(label, unnamed.name), colour)


def _run_lengths(attributes: dict[str, str], size: tuple[int, int]) -> Mask:
    left, top, width, height = (int(attributes[key]) for key in ("left", "top", "width", "height"))
    if not (0 <= left < left + width <= size[1] and 0 <= top < top + height <= size[0]):
        raise ValueError(f"its box at ({left}, {top}) of {width} × {height} pixels is not in the frame")
    lengths = whole_lengths([int(each) for each in attributes["rle"].split(",")])
    mask = np.zeros(size, dtype=bool)
    mask[top : top + height, left : left + width] = from_runs(lengths, (height, width))
    return mask


def _polygon(attributes: dict[str, str], size: tuple[int, int]) -> Mask:
    points = finite(np.array([each.split(",") for each in attributes["points"].split(";")], dtype=np.float64))
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError("its points are not x,y;x,y;…")
    return fill([near_pixels(points, size)], size)


_SHAPES: dict[str, Callable[[dict[str, str], tuple[int, int]], Mask]] = {"mask": _run_lengths, "polygon": _polygon}
