"""A folder per class."""

from __future__ import annotations

from pathlib import Path

from lit_widget.images.sources import FileSource, ImageError, ImageSet, image_files, is_hidden, is_image

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
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not is_hidden(path.name))
    loose = sorted(path for path in folder.iterdir() if is_image(path, folder))
    if loose:
        raise ImageError(f"{loose[0]} lies beside the classes and has none; move it into a folder of its class")
    if len(classes) < 2:
        raise ImageError(f"{folder} holds {len(classes)} folders; {LAYOUT}, of at least two classes")
    found = {path: image_files(path) for path in classes}
    empty = [path for path, images in found.items() if not images]
    if empty:
        raise ImageError(f"{empty[0]} holds no images ({len(empty)} such folders); fill or remove it; {LAYOUT}")
    return ImageSet(
        folder.resolve().name,
        [FileSource(image) for images in found.values() for image in images],
        [spoken(path.name) for path in classes],
        [label for label, images in enumerate(found.values()) for _ in images],
    )
