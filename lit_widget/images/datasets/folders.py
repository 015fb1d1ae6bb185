"""A folder per class."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from lit_widget.images.sources import FileSource, ImageError, ImageSet

from .layout import require, spoken

LAYOUT = "expected one folder per class, named like it, with its images in it or below"


def open_folders(root: str | Path, split: str | None = None) -> ImageSet:
    """Open a folder per class.

    Args:
        root: the folder that holds them.
        split: a folder in `root` that holds them instead.

    Raises:
        ImageError: if there are no such folders, one has no images, or a file is none; the message says which.
    """
    folder = require(Path(root).expanduser() / (split or ""), LAYOUT)
    if not folder.is_dir():
        raise ImageError(f"{folder} is a file; {LAYOUT}")
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    loose = sorted(path for path in folder.iterdir() if not path.is_dir() and _is_image(path))
    if loose:
        raise ImageError(f"{loose[0]} lies beside the classes and has none; move it into a folder of its class")
    if len(classes) < 2:
        raise ImageError(f"{folder} holds {len(classes)} folders; {LAYOUT}, of at least two classes")
    found = {
        path: sorted(each for each in path.rglob("*") if not each.is_dir() and _is_image(each)) for path in classes
    }
    empty = [path for path, images in found.items() if not images]
    if empty:
        raise ImageError(f"{empty[0]} holds no images ({len(empty)} such folders); fill or remove it; {LAYOUT}")
    return ImageSet(
        folder.resolve().name,
        [FileSource(image) for images in found.values() for image in images],
        [spoken(path.name) for path in classes],
        [label for label, images in enumerate(found.values()) for _ in images],
    )


def _is_image(path: Path) -> bool:
    """Whether Pillow reads files with this ending; anything else in a folder is no image and not meant to be one."""
    return not path.name.startswith(".") and path.suffix.lower() in Image.registered_extensions()
