"""Object ids in the pixels of PNG files, one for each frame: what the layouts of DAVIS and its followers share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from lit_widget.video.frames import image_files

from .limits import checked_size
from .losses import read_as_empty
from .mask_set import CompactMasks, FormatError, MaskObject, MaskSet, Step
from .numbering import Naming, numbered, renumbered

VOID = 255
"""The id of pixels that a layout leaves undecided; they belong to no object."""


def write_palette(masks: MaskSet, folder: Path, naming: Naming, step: Step, *, listed: bool) -> list[str]:
    """Write one PNG for each frame that has masks; returns what is lost.

    Args:
        masks: of one video.
        folder: to make.
        naming: of files.
        step: told the progress.
        listed: whether the objects are listed elsewhere, so that those that are never visible are known.

    Raises:
        FormatError: if an id does not fit a palette.
    """
    for each in masks.objects:
        if each.id >= VOID:
            raise FormatError(f"object {each.id} does not fit a palette, whose ids are 1 to {VOID - 1}; use coco")
    folder.mkdir(parents=True)
    palette, stems = _palette(masks.objects), naming.stems(masks)
    hidden, unseen = dict[int, int](), {each.id for each in masks.objects}
    for frame, by_object in masks.each_frame(step):
        ids = np.zeros(masks.size, dtype=np.uint8)
        for object_id in sorted(by_object):
            ids[by_object[object_id]] = object_id
        for object_id, mask in by_object.items():
            hidden[object_id] = hidden.get(object_id, 0) + int((mask & (ids != object_id)).sum())
        unseen -= set(_ids_in(ids))
        image = Image.fromarray(ids)
        image.putpalette(palette)
        image.save(folder / f"{stems[frame]}.png")
    lost = [f"{n} pixels of object {each}, which lie under another object" for each, n in hidden.items() if n]
    lost += renumbered(masks, naming)
    gone = set() if listed else unseen
    lost += read_as_empty(masks, {each.id for each in masks.objects} - gone)
    return [*lost, *(f"object {each}, which is visible on no frame" for each in sorted(gone))]


def read_palette(folder: Path, naming: Naming, step: Step, *, known: Iterable[int] = ()) -> MaskSet:
    """Read the PNG files of one sequence; frames are numbered as their names are.

    Grey files with nothing but 0 and 255 (DAVIS 2016) are masks of object 1.

    Args:
        folder: that holds them.
        naming: how frame 0 is numbered.
        step: told the progress.
        known: ids that exist whether or not they are ever visible.

    Raises:
        FormatError: naming the file that cannot be read.
    """
    files = [path for path in image_files(folder) if path.suffix.lower() == ".png"]
    if not files:
        raise FormatError(f"{folder} holds no PNG masks; give the folder of one sequence")
    frames, names = numbered([path.stem for path in files], naming)
    ids, palette = _read_ids(files[0], None)
    size = (ids.shape[0], ids.shape[1])
    masks, undecided = CompactMasks(size), CompactMasks(size)
    for done, (frame, path) in enumerate(zip(frames, files, strict=True)):
        step(done, len(files))
        ids, _ = _read_ids(path, size)
        for each in _ids_in(ids):
            (masks if each < VOID else undecided).add(frame, 1 if each == VOID else each, ids == each)
    if not masks and not palette:
        masks = undecided
    objects = sorted({*known, *(each for _, each in masks)})
    masks.complete(frames, objects)
    step(len(files), len(files))
    return MaskSet(folder.name, size, len(names), tuple(_looks(each, palette) for each in objects), masks, names)


def is_palette(path: Path) -> bool:
    """Whether a file is a PNG with a palette, as `write_palette` makes."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return path.suffix == ".png" and image.mode == "P"
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def _ids_in(ids: UInt8[np.ndarray, "h w"]) -> list[int]:
    """The ids of a picture without background; counting is ten times faster than sorting."""
    return [each for each in np.flatnonzero(np.bincount(ids.ravel())).tolist() if each]


def _read_ids(path: Path, size: tuple[int, int] | None) -> tuple[UInt8[np.ndarray, "h w"], list[int]]:
    """The ids of one file, and its palette, empty for grey ones."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            given = checked_size(image.height, image.width, str(path))
            if size not in (None, given):
                raise FormatError(f"{path} is {given[1]} × {given[0]} pixels, but others have {size[1]} × {size[0]}")
            if image.mode not in ("P", "L", "1"):
                raise FormatError(f"{path} has mode {image.mode}; object ids need a palette or a grey PNG of 8 bits")
            palette = (image.getpalette("RGB") or []) if image.mode == "P" else []
            return np.array(image if image.mode == "P" else image.convert("L")), palette
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path} cannot be read as a PNG mask: {error}") from None


def _palette(objects: Iterable[MaskObject]) -> list[int]:
    """Colours by id: background black, objects as they look, the rest grey, which viewers show as it is."""
    colours = [0, 0, 0] + [each for grey in range(1, 256) for each in (grey, grey, grey)]
    for each in objects:
        colours[3 * each.id : 3 * each.id + 3] = bytes.fromhex(each.colour[1:])
    return colours


def _looks(object_id: int, palette: list[int]) -> MaskObject:
    unnamed = MaskObject.unnamed(object_id)
    rgb = bytes(palette[3 * object_id : 3 * object_id + 3])
    return MaskObject(object_id, unnamed.name, f"#{rgb.hex().upper()}") if len(rgb) == 3 else unnamed
