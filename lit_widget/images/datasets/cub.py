"""CUB-200-2011: 200 species of birds."""

from __future__ import annotations

from pathlib import Path

from lit_widget.images.sources import ImageError, ImageSet

from .layout import files, read_numbered, require, spoken

LAYOUT = (
    "CUB-200-2011 is a folder with images/<class>/<image>.jpg, images.txt, image_class_labels.txt, "
    "train_test_split.txt and classes.txt"
)


def open_cub(root: str | Path, split: str = "test") -> ImageSet:
    """Open CUB-200-2011.

    Args:
        root: the folder `CUB_200_2011`.
        split: "test" (5,794 images) or "train".

    Raises:
        ImageError: if something is missing; the message says what, and what was expected.
    """
    folder = require(Path(root).expanduser(), LAYOUT)
    wanted = {"train": "1", "test": "0"}.get(split)
    if wanted is None:
        raise ImageError(f"CUB-200-2011 has the splits train and test, got {split!r}")
    paths, classes, labels, splits = (
        read_numbered(folder / f"{name}.txt", LAYOUT)
        for name in ("images", "classes", "image_class_labels", "train_test_split")
    )
    chosen = [number for number in paths if splits.get(number) == wanted]
    unlabelled = [number for number in chosen if int(labels.get(number, 0)) not in classes]
    if unlabelled:
        raise ImageError(f"image {unlabelled[0]} of {folder / 'images.txt'} has no class of classes.txt; {LAYOUT}")
    order = {number: at for at, number in enumerate(classes)}
    return ImageSet(
        f"CUB-200-2011 {split}",
        files([folder / "images" / paths[number] for number in chosen], LAYOUT),
        [spoken(name.partition(".")[2] or name) for name in classes.values()],
        [order[int(labels[number])] for number in chosen],
    )
