"""DAVIS: `Annotations/480p/<video>/00000.png`, object ids in a palette."""

from __future__ import annotations

from pathlib import Path

from .format import Format
from .layout import sequence_folder
from .limits import file_name
from .mask_set import MaskSet, Step
from .palette import LOSES, Naming, read_palette, write_palette

NAMING = Naming()


def _write(masks: MaskSet, path: Path, step: Step) -> list[str]:
    return write_palette(masks, path / "Annotations" / "480p" / file_name(masks.name), NAMING, step)


def _read(path: Path, step: Step) -> MaskSet:
    return read_palette(sequence_folder(path), NAMING, step)


DAVIS = Format(
    "davis",
    "PNG files with object ids in a palette, in the folders of DAVIS 2017; or any folder of such files",
    f"names of objects; {LOSES}",
    _write,
    _read,
    lambda path: path.is_dir() and any(path.rglob("*.png")),
    kinds=(".png",),
)
