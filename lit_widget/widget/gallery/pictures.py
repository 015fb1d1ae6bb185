"""The images to label, wherever they are: read one by one, when they are needed, and refused with a sentence."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
"""Files that are taken for images in a folder."""


class PictureError(ValueError):
    """An image that cannot be used; the sentence says why."""


class Pictures:
    """Images by index.

    Args:
        sources: a path or an array (H, W, 3), (H, W) or (H, W, 1) of uint8 each.
        names: what users and files call them.
        folder: where they all are, if they came as a folder.
    """

    def __init__(self, sources: Sequence[Any], names: Sequence[str], folder: Path | None = None) -> None:
        self._sources, self.names, self.folder = list(sources), list(names), folder

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, index: int) -> UInt8[np.ndarray, "h w 3"]:
        """The pixels of one image, upright.

        Raises:
            PictureError: if it cannot be read.
        """
        return np.asarray(self.image(index))

    def image(self, index: int, *, at_most: int | None = None) -> Image.Image:
        """One image in RGB, upright, its sides no longer than `at_most` pixels.

        Raises:
            PictureError: if it cannot be read.
        """
        source = self._sources[index]
        try:
            image = _of_array(source) if isinstance(source, np.ndarray) else _of_file(source, at_most)
        except PictureError as error:
            raise PictureError(f"image {index} ({self.names[index]}) {error}") from None
        except Exception as error:  # noqa: BLE001 - a damaged file makes Pillow raise almost anything
            raise PictureError(f"image {index} ({self.names[index]}) cannot be read: {_reason(error)}") from None
        if at_most is not None:
            image.thumbnail((at_most, at_most), Image.Resampling.BILINEAR, reducing_gap=2.0)
        return image


def open_pictures(images: Any) -> Pictures:
    """Images as users give them.

    Args:
        images: a folder, which is searched with its subfolders; a list of paths or of arrays; or any data set with
            `paths` or whose items are arrays.

    Raises:
        PictureError: if there are none, or they are of no such kind.
    """
    if isinstance(images, Pictures):
        return images
    if isinstance(images, (str, os.PathLike)):
        return _in_folder(Path(images).expanduser())
    if (paths := getattr(images, "paths", None)) is not None:
        return _listed([Path(path) for path in paths])
    try:
        given = list(images)
    except TypeError:
        raise PictureError(
            f"images are a folder, a list of paths or arrays, or a data set, not {type(images).__name__}"
        ) from None
    return _listed(given)


def _in_folder(folder: Path) -> Pictures:
    if not folder.is_dir():
        raise PictureError(f"there is no folder {folder}; give the folder that holds the images")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise PictureError(
            f"there is no image in {folder} and its subfolders; images end in {', '.join(sorted(SUFFIXES))}"
        )
    return Pictures(found, [path.relative_to(folder).as_posix() for path in found], folder)


def _listed(given: list[Any]) -> Pictures:
    if not given:
        raise PictureError("there is no image to label; give at least one")
    for index, each in enumerate(given):
        if not isinstance(each, (str, os.PathLike, np.ndarray)):
            raise PictureError(f"image {index} is neither a path nor an array, but of type {type(each).__name__}")
    return Pictures(given, [_name(index, each) for index, each in enumerate(given)])


def _name(index: int, source: Any) -> str:
    return f"image {index}" if isinstance(source, np.ndarray) else os.fspath(source)


def _of_array(array: np.ndarray) -> Image.Image:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3)):
        raise PictureError(f"has shape {array.shape} and dtype {array.dtype}; expected (H, W, 3) or (H, W) of uint8")
    if 0 in array.shape:
        raise PictureError(f"is empty, its shape is {array.shape}")
    flat = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    return Image.fromarray(flat).convert("RGB")


def _of_file(path: Any, at_most: int | None) -> Image.Image:
    with Image.open(path) as file:
        if at_most is not None:
            # A JPEG is decoded at a fraction of its size at a fraction of the time.
            file.draft("RGB", (2 * at_most, 2 * at_most))
        return ImageOps.exif_transpose(file).convert("RGB")


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is not there any more"
    if isinstance(error, Image.UnidentifiedImageError):
        return "the file is no image or is damaged"
    return str(error) or type(error).__name__
