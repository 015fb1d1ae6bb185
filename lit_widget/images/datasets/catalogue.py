"""Data sets by name, and what a name given to the command stands for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lit_widget.core.names import unknown
from lit_widget.images.sources import ImageError, ImageSet

from . import cub, folders, stanford_cars, sun397
from .embedded import open_embedded


@dataclass(frozen=True)
class Dataset:
    """A data set that can be opened.

    Attributes:
        title: its name in tables.
        open: opens one split in a folder.
        layout: what that folder should hold.
    """

    title: str
    open: Callable[[str | Path, str], ImageSet]
    layout: str


DATASETS = {
    "cub": Dataset("CUB-200-2011", cub.open_cub, cub.LAYOUT),
    "cars": Dataset("Stanford Cars", stanford_cars.open_stanford_cars, stanford_cars.LAYOUT),
    "sun397": Dataset("SUN397", sun397.open_sun397, sun397.LAYOUT),
}
"""The data sets that are read as they are published; the test split unless another is named."""


def open_images(spec: str) -> ImageSet:
    """Open labelled images by name.

    Args:
        spec: one of

            - a folder with a folder per class;
            - `NAME:PATH` or `NAME/SPLIT:PATH`, a data set of `DATASETS` in a folder, for example `cub:CUB_200_2011`;
            - `embedded:SEED`, procedural look-alikes in a style that the bundled model has never seen.

    Returns:
        The images, with labels.

    Raises:
        ImageError: if there is no such data set.
    """
    if spec.startswith("embedded:"):
        return open_embedded(spec)
    named = re.fullmatch(r"([a-z0-9-]{2,})(?:/([a-z0-9_]+))?:(.+)", spec)
    if named is None or Path(spec).expanduser().exists():
        return folders.open_folders(spec)
    name, split, path = named.groups()
    if name not in DATASETS:
        raise ImageError(unknown("data set", name, [*DATASETS, "embedded"]))
    return DATASETS[name].open(path, split or "test")
