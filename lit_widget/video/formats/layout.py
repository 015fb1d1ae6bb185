"""Folders of mask files, as the data sets of video segmentation lay them out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from .format import Format
from .limits import MAX_FRAMES, checked_number, file_name, read_json, shown_name
from .losses import Loss
from .mask_set import FormatError, MaskSet, Step
from .numbering import Naming
from .palette import VOID, is_palette, read_palette, write_palette

Meta = dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """Where a data set has its masks.

    Attributes:
        root: of everything, relative to the path that the user gives.
        naming: of the files.
        resolution: a folder between `Annotations` and the video's, where the data set has one.
        meta: the file beside `Annotations` that describes the videos; empty where there is none.
        describe: one video's entry in it, from the masks and the names of the frames.
    """

    root: str = ""
    naming: Naming = field(default_factory=Naming)
    resolution: str = ""
    meta: str = ""
    describe: Callable[[MaskSet, list[str]], Meta] | None = None

    def write(self, masks: MaskSet, path: Path, step: Step) -> list[str]:
        """Write the masks and, where there is one, the description."""
        video, root = file_name(masks.name), path / self.root
        folder = root / "Annotations" / self.resolution / video
        lost = write_palette(masks, folder, self.naming, step, listed=self.describe is not None)
        if self.describe:
            content = {"videos": {video: self.describe(masks, self.naming.stems(masks))}}
            (root / self.meta).write_text(json.dumps(content, indent=1), encoding="utf-8")
        return lost

    def read(self, path: Path, step: Step) -> MaskSet:
        """Read the masks of the only video at a path, with what is described of it."""
        folder = sequence_folder(path)
        described = self._described(folder)
        objects = described.get("objects")
        known = (
            {int(each): about for each, about in objects.items() if _is_id(each)} if isinstance(objects, dict) else {}
        )
        masks = read_palette(folder, self.naming, step, known=known)
        named = tuple(replace(each, name=_name(known.get(each.id), each.name)) for each in masks.objects)
        n_frames = masks.n_frames
        if "length" in described:
            length = checked_number(described["length"], 1, MAX_FRAMES, f"the length of {folder.name}")
            n_frames = max(length, n_frames)
        names = (*masks.frame_names, *(self.naming.stem(each) for each in range(masks.n_frames, n_frames)))
        return replace(masks, objects=named, n_frames=n_frames, frame_names=names)

    def described(self, path: Path) -> Meta:
        """What is said of the only video at a path; empty where nothing is."""
        return self._described(sequence_folder(path)) if holds_masks(path) else {}

    def _described(self, folder: Path) -> Meta:
        meta = folder.parent.parent / self.meta
        if not self.meta or folder.parent.name != "Annotations" or not meta.is_file():
            return {}
        videos = read_json(meta).get("videos")
        described = videos.get(folder.name) if isinstance(videos, dict) else None
        return described if isinstance(described, dict) else {}

    def format(self, name: str, line: str, losses: tuple[Loss, ...], fits: Callable[[Path], bool]) -> Format:
        """The format that keeps masks in this layout."""
        return Format(name, line, losses, self.write, self.read, fits, holds=self.holds)

    def holds(self, path: Path, place: str) -> bool:
        """Whether a file there is such as `write` makes: the description, or masks of the only video."""
        here = PurePosixPath(place)
        if self.meta and here == PurePosixPath(self.root, self.meta):
            return True
        if here.parent.parent != PurePosixPath(self.root, "Annotations", self.resolution):
            return False
        return len([*path.parent.parent.iterdir()]) == 1 and is_palette(path)


def sequence_folder(path: Path) -> Path:
    """The folder that holds the mask files of the only sequence at or below `path`.

    Raises:
        FormatError: if there is none, or if there are several to choose from.
    """
    if not path.is_dir():
        raise FormatError(f"{path} is no folder; give the folder of the masks")
    roots = (path, path / "train", path / "valid", path / "val")
    places = [each / below for each in roots for below in ("Annotations/480p", "Annotations")]
    here = next((each for each in places if each.is_dir()), path)
    if any(here.glob("*.png")):
        return here
    found = sorted(each for each in here.iterdir() if each.is_dir() and any(each.glob("*.png")))
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(each.name for each in found[:5])
        raise FormatError(f"{here} holds {len(found)} sequences ({names}…); give the folder of one of them")
    raise FormatError(f"{path} holds no PNG masks; expected Annotations/<video>/*.png or the files themselves")


def holds_masks(path: Path, pattern: str = "*.png") -> bool:
    """Whether mask files named like this lie at or below a path."""
    try:
        return any(sequence_folder(path).glob(pattern))
    except FormatError:
        return False


def seen(masks: MaskSet, object_id: int, stems: list[str]) -> list[str]:
    """The names of the frames on which an object is annotated."""
    return [stems[frame] for frame in masks.annotated(object_id)]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 3 and 0 < int(text) < VOID


def _name(about: object, otherwise: str) -> str:
    return shown_name(about.get("category"), otherwise) if isinstance(about, dict) else otherwise
