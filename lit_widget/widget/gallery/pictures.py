"""The images to label: what users give, what they are called, and how they are shown."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lit_widget.images.datasets import open_images
from lit_widget.images.sources import SUFFIXES, FileSource, ImageError, ImageSet, image_files, image_set, read_upright


class Pictures:
    """A set of images, what each is called, and how it is shown.

    Args:
        images: the set.
        place: how they can be found again, if they were given by one text: a folder, or the name of a data set.
    """

    def __init__(self, images: ImageSet, place: str | None = None) -> None:
        self.images, self.place = images, place
        self.names = _names(images)

    def __len__(self) -> int:
        return len(self.images)

    def shown(self, index: int, *, at_most: int) -> Image.Image:
        """One image in RGB, upright, its sides no longer than `at_most` pixels.

        Raises:
            ImageError: if it cannot be read.
        """
        source = self.images.sources[index]
        image = read_upright(source.path, at_most) if isinstance(source, FileSource) else Image.fromarray(source.read())
        image.thumbnail((at_most, at_most), Image.Resampling.BILINEAR, reducing_gap=2.0)
        return image


def open_pictures(images: Any, classes: Sequence[str] | None) -> Pictures:
    """Images as users give them.

    Args:
        images: a folder, which is searched with its subfolders; what `lit_widget.images.datasets.open_images` takes; a
            list of paths or of arrays; or a set of images.
        classes: names of the classes; those of the set or data set if there are none.

    Raises:
        ValueError: if there are no images, they are of no such kind, or classes cannot be told apart.
    """
    names = [] if classes is None else classes
    if isinstance(names, (str, set, frozenset)) or not all(isinstance(each, str) for each in names):
        raise ImageError(f"classes are a list of names, such as ['wren', 'robin'], not {classes!r}")
    if isinstance(images, Pictures):
        return images
    if isinstance(images, ImageSet):
        return Pictures(images if classes is None else replace(images, class_names=classes, labels=None))
    if isinstance(images, (str, os.PathLike)):
        place = os.fspath(images)
        if not place:
            raise ImageError("images are a folder, and '' names none; '.' is the one that the notebook is in")
        return Pictures(open_images(place) if classes is None else _in_folder(Path(place), classes), place)
    if classes is None:
        raise ImageError("the images say nothing of classes; give their names: LITClassifier(images, ['wren', ...])")
    try:
        given = list(images)
    except TypeError:
        raise ImageError(
            f"images are a folder, a list of paths or arrays, or an image set, not of type {type(images).__name__}"
        ) from None
    odd = [i for i, each in enumerate(given) if not isinstance(each, (str, os.PathLike, np.ndarray))]
    if odd:
        raise ImageError(f"image {odd[0]} is neither a path nor an array, but of type {type(given[odd[0]]).__name__}")
    return Pictures(image_set([each if isinstance(each, np.ndarray) else Path(each) for each in given], classes))


def _in_folder(given: Path, classes: Sequence[str]) -> ImageSet:
    folder = given.expanduser()
    if not folder.is_dir():
        raise ImageError(f"there is no folder {folder}; give the folder that holds the images")
    found = image_files(folder)
    if not found:
        endings = ", ".join(sorted(SUFFIXES))
        raise ImageError(f"there is no image in {folder} and its subfolders; images end in {endings}")
    return image_set(found, classes, name=folder.resolve().name)


def _names(images: ImageSet) -> list[str]:
    """Paths of files, without the folder that they share; numbers of others."""
    paths = [source.path for source in images.sources if isinstance(source, FileSource)]
    if len(paths) < len(images):
        return [f"image {index}" for index in range(len(images))]
    shared = os.path.commonpath([path.parent for path in paths])
    return [Path(os.path.relpath(path, shared)).as_posix() for path in paths]
