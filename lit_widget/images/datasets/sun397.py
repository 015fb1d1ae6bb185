"""SUN397: 397 kinds of scenes."""

from __future__ import annotations

from pathlib import Path

from lit_widget.images.sources import ImageError, ImageSet

from .layout import files, read_lines, require, spoken

LAYOUT = (
    "SUN397 is a folder with a/abbey/<image>.jpg and so on, ClassName.txt, and of the file Partitions.zip "
    "Testing_01.txt to Testing_10.txt and Training_01.txt to Training_10.txt, there or in Partitions/"
)


def open_sun397(root: str | Path, split: str = "test") -> ImageSet:
    """Open SUN397 in its first official partition.

    Args:
        root: the folder `SUN397`.
        split: "test" (19,850 images) or "train"; with a number another partition, as "test_02".

    Raises:
        ImageError: if something is missing; the message says what, and what was expected.
    """
    folder = require(Path(root).expanduser(), LAYOUT)
    kind, _, number = split.partition("_")
    stem = {"test": "Testing", "train": "Training"}.get(kind)
    if stem is None or not (number or "01").isdigit():
        raise ImageError(f"SUN397 has the splits train and test, with a number as test_02, got {split!r}")
    classes = [line.lstrip("/") for line in read_lines(folder / "ClassName.txt", LAYOUT)]
    listing = f"{stem}_{number or '01'}.txt"
    beside = folder / listing
    paths = [
        line.lstrip("/") for line in read_lines(beside if beside.exists() else folder / "Partitions" / listing, LAYOUT)
    ]
    order = {name: at for at, name in enumerate(classes)}
    odd = [path for path in paths if path.rpartition("/")[0] not in order]
    if odd:
        raise ImageError(f"{odd[0]} of {listing} is in no class of ClassName.txt; {LAYOUT}")
    return ImageSet(
        f"SUN397 {split}",
        files([folder / path for path in paths], LAYOUT),
        [spoken(name.partition("/")[2]) for name in classes],
        [order[path.rpartition("/")[0]] for path in paths],
    )
