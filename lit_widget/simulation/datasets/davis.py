"""DAVIS 2016 and 2017, and any folder in their layout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .files import id_map_sequence, of_first_frame
from .layout import read_names
from .scores import davis, scored
from .sequence import DatasetError, Sequence

GENERIC_LAYOUT = (
    "expected JPEGImages/ and Annotations/ beside each other, holding the frames and the masks of one sequence, "
    "or one folder for each sequence, directly or in 480p/; or a folder of such sequences"
)
LAYOUT_2016 = (
    "DAVIS 2016 is ImageSets/480p/{train,val}.txt, JPEGImages/480p/<sequence>/00000.jpg and "
    "Annotations/480p/<sequence>/00000.png"
)
LAYOUT_2017 = (
    "DAVIS 2017 is ImageSets/2017/{train,val}.txt, JPEGImages/480p/<sequence>/00000.jpg and "
    "Annotations/480p/<sequence>/00000.png"
)
RESOLUTION = "480p"


def open_davis_2016(root: str | Path, split: str = "val") -> list[Sequence]:
    """Open DAVIS 2016, in which every sequence has one object with id 1.

    Args:
        root: the folder with `JPEGImages`, `Annotations` and `ImageSets`.
        split: "train" or "val".

    Raises:
        DatasetError: if something is missing; the message says what, and what was expected.
    """
    lines = read_names(_list(root, RESOLUTION, split), LAYOUT_2016)
    # Each line has the paths of one image and its mask.
    names = dict.fromkeys(Path(line.split()[0]).parent.name for line in lines)
    return [_open(root, name, LAYOUT_2016, binary=True) for name in names]


def open_davis_2017(root: str | Path, split: str = "val") -> list[Sequence]:
    """Open DAVIS 2017; only objects on the first frame count, as in the official evaluation.

    Args:
        root: the folder with `JPEGImages`, `Annotations` and `ImageSets`.
        split: "train" or "val".

    Raises:
        DatasetError: if something is missing; the message says what, and what was expected.
    """
    names = read_names(_list(root, "2017", split), LAYOUT_2017)
    return [of_first_frame(_open(root, name, LAYOUT_2017, binary=False)) for name in names]


def _list(root: str | Path, year: str, split: str) -> Path:
    return Path(root).expanduser() / "ImageSets" / year / f"{split}.txt"


def _open(root: str | Path, name: str, layout: str, *, binary: bool) -> Sequence:
    images, annotations = (Path(root).expanduser() / kind / RESOLUTION / name for kind in ("JPEGImages", "Annotations"))
    return replace(id_map_sequence(name, images, annotations, layout, binary=binary), score=scored(davis))


def open_davis(path: str | Path) -> list[Sequence]:
    """Open sequences in the layout of DAVIS, VOST, MOSE or LVOS.

    Masks are PNG files with object ids, in a palette or in grey: 0 is background, 255 is void. Grey masks that
    hold nothing but 0 and 255 (DAVIS 2016) are one object with id 1. A mask belongs to the frame of the same name;
    frames without a mask are not annotated.

    Args:
        path: one sequence with `JPEGImages/` and `Annotations/`; or a data set with `JPEGImages/[480p/]<sequence>/`
            and `Annotations/[480p/]<sequence>/`; or a folder of any of these, up to two levels up.

    Returns:
        The sequences in order of their names: the folder's, below a common folder the path from there.

    Raises:
        DatasetError: if something is missing or masks do not fit their frames; the message says what and where.
    """
    root = Path(path).expanduser()
    if root.is_file():
        raise DatasetError(f"{root} is a file, and a simulation needs every frame's true mask; {GENERIC_LAYOUT}")
    if not root.is_dir():
        raise DatasetError(f"there is no folder {root}; {GENERIC_LAYOUT}")
    found = _find(root, levels=2)
    if not found:
        raise DatasetError(f"{root} holds no JPEGImages folder; {GENERIC_LAYOUT}")
    return [
        id_map_sequence(name or root.resolve().name, images, annotations, GENERIC_LAYOUT, check=True, binary=None)
        for name, images, annotations in found
    ]


def _find(root: Path, levels: int) -> list[tuple[str, Path, Path]]:
    """(name relative to root, images, annotations) of every sequence at or below a folder."""
    images, annotations = root / "JPEGImages", root / "Annotations"
    if images.is_dir():
        if (images / RESOLUTION).is_dir():
            images, annotations = images / RESOLUTION, annotations / RESOLUTION
        inner = _folders(images)
        return [(p.name, p, annotations / p.name) for p in inner] if inner else [("", images, annotations)]
    if not levels:
        return []
    return [
        (f"{folder.name}/{name}".rstrip("/"), images, annotations)
        for folder in _folders(root)
        for name, images, annotations in _find(folder, levels - 1)
    ]


def _folders(root: Path) -> list[Path]:
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
