"""SA-V: anything that moves, parts included, so that masks of one frame overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from .files import binary_mask, image_sequence, numbered, png_files
from .layout import read_names, require_folder, video_names
from .scores import sav, scored
from .sequence import DatasetError, FrameTruth, Sequence

LAYOUT = (
    "SA-V is sav_{val,test}/ with sav_{val,test}.txt, JPEGImages_24fps/<video>/00000.jpg and "
    "Annotations_6fps/<video>/<object, such as 000>/00000.png"
)
FPS = 24.0


def open_sav(root: str | Path, split: str = "val") -> list[Sequence]:
    """Open the validation or test videos of SA-V. Object 0 is the one that the data set calls 000.

    Args:
        root: the folder that holds `sav_val` and `sav_test`, or one of them.
        split: "val" or "test".

    Raises:
        DatasetError: if something is missing; the message says what, and what was expected.
    """
    given, own = Path(root).expanduser(), f"sav_{split}"
    folder = given if given.name == own else require_folder(given / own, LAYOUT)
    return [_open(folder, name) for name in read_names(folder / f"{own}.txt", LAYOUT)]


def _open(folder: Path, name: str) -> Sequence:
    images, annotations = folder / "JPEGImages_24fps" / name, folder / "Annotations_6fps" / name
    frames, numbers = image_sequence(name, images, LAYOUT, fps=FPS)
    masks = {}
    for each in video_names(annotations, LAYOUT):
        if not each.isdecimal():
            raise DatasetError(f"{annotations / each} is not named like an object; {LAYOUT}")
        masks[int(each)] = numbered(png_files(annotations / each), numbers, images)
        if not masks[int(each)]:
            raise DatasetError(f"there are no PNG masks in {annotations / each}; {LAYOUT}")
    read = lru_cache(maxsize=2)(_Masks(masks, (frames.height, frames.width)).read)
    annotated = sorted({frame for paths in masks.values() for frame in paths})
    known = {i: tuple(sorted(masks[i])) for i in masks}
    return Sequence(name, frames, tuple(annotated), read, known=known, score=scored(sav))


@dataclass(frozen=True)
class _Masks:
    """Mask files by object and frame, all of `size` (height, width)."""

    paths: Mapping[int, Mapping[int, Path]]
    size: tuple[int, int]

    def read(self, frame: int) -> FrameTruth:
        found = {i: binary_mask(paths[frame], self.size) for i, paths in self.paths.items() if frame in paths}
        return FrameTruth({i: mask for i, mask in found.items() if mask.any()}, np.ones(self.size, bool))
