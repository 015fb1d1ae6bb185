"""Images that are read when they are needed, and sets of them with classes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image, ImageOps

from .class_names import checked_names


class ImageError(ValueError):
    """An image that cannot be read, or a set of images with something missing or wrong."""


@runtime_checkable
class Source(Protocol):
    """Where one image comes from."""

    @property
    def key(self) -> str:
        """Changes when the image may have changed."""
        ...

    def read(self) -> UInt8[ndarray, "h w 3"]:
        """The image in RGB; `ImageError` if it cannot be read."""
        ...


SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jxl", ".jp2"}
    | {".jfif", ".jpe", ".mpo", ".tga", ".psd", ".ppm", ".pgm", ".dcm", ".svg", ".dng", ".cr2", ".nef"}
)
"""Endings of files that are taken for images; those of them that cannot be read are named, not passed over."""


def image_files(folder: Path) -> list[Path]:
    """Image files in a folder and its subfolders, in order; what is hidden, or a program's own, is none of them."""
    return sorted(path for path in folder.rglob("*") if is_image(path, folder))


def is_image(path: Path, folder: Path) -> bool:
    """Whether a file below a folder is meant to be an image; `read_upright` says whether it is one."""
    hidden = any(map(is_hidden, path.relative_to(folder).parts))
    return path.suffix.lower() in SUFFIXES and not hidden and not path.is_dir()


def is_hidden(name: str) -> bool:
    """Whether a file or folder is a program's own, such as `.ipynb_checkpoints`."""
    return name.startswith((".", "__MACOSX"))


def read_upright(path: Path, at_most: int | None = None) -> Image.Image:
    """An image file in RGB, turned as its camera says.

    Args:
        path: of the file.
        at_most: pixels of the longer side that are needed; of a JPEG not many more are decoded, in less time.

    Raises:
        ImageError: if it is missing, damaged, no image, or has more than 8 bits per channel.
    """
    try:
        with Image.open(path) as file:
            if not file.mode.startswith(("I", "F")):
                if at_most is not None:
                    file.draft("RGB", (2 * at_most, 2 * at_most))
                return ImageOps.exif_transpose(file).convert("RGB")
    except Image.DecompressionBombError as error:
        raise ImageError(f"{path} has too many pixels; scale it down") from error
    except Exception as error:
        raise ImageError(f"{path} cannot be read as an image ({error}); replace or remove it") from error
    raise ImageError(f"{path} has more than 8 bits per channel (mode {file.mode}); scale it to 8 bits first")


@dataclass(frozen=True, slots=True)
class FileSource:
    """An image file.

    Attributes:
        path: of the file.
    """

    path: Path

    @property
    def key(self) -> str:
        """Place, size and time of the file."""
        try:
            found = self.path.stat()
        except OSError:
            return f"{self.path} missing"
        return f"{self.path} {found.st_size} {found.st_mtime_ns}"

    def read(self) -> UInt8[ndarray, "h w 3"]:
        """Decode the file.

        Raises:
            ImageError: if it is missing, damaged, no image, or has more than 8 bits per channel.
        """
        return np.array(read_upright(self.path))


@dataclass(frozen=True, slots=True, eq=False)
class ArraySource:
    """An image in memory.

    Attributes:
        array: (h, w, 3) RGB or (h, w) grey, uint8.
    """

    array: ndarray

    @property
    def key(self) -> str:
        """A digest of the pixels."""
        return hashlib.sha256(np.ascontiguousarray(self.array).tobytes()).hexdigest()

    def read(self) -> UInt8[ndarray, "h w 3"]:
        """The array in RGB.

        Raises:
            ImageError: if it is no image.
        """
        array = np.asarray(self.array)
        if array.dtype != np.uint8 or 0 in array.shape or not (array.ndim == 2 or array.shape[2:] == (3,)):
            raise ImageError(
                f"an image is a uint8 array (h, w, 3) or (h, w), got {array.dtype} {array.shape}; convert it"
            )
        return np.repeat(array[..., None], 3, axis=2) if array.ndim == 2 else array


@dataclass(frozen=True)
class ImageSet:
    """Images, the classes they may have and, where known, the classes they have.

    Attributes:
        name: what reports call it.
        sources: of the images.
        class_names: as texts, each once.
        labels: the class of each image, from 0; `None` where nobody knows them.
    """

    name: str
    sources: Sequence[Source] = field(repr=False)
    class_names: Sequence[str] = field(repr=False)
    labels: Sequence[int] | None = field(repr=False, default=None)

    def __post_init__(self) -> None:
        """Refuse what cannot be labelled.

        Raises:
            ImageError: if there is no image, or labels do not fit images and classes.
            ValueError: if class names cannot be told apart.
        """
        object.__setattr__(self, "class_names", tuple(checked_names(self.class_names)))
        if not self.sources:
            raise ImageError(f"{self.name} holds no images; give at least one")
        if self.labels is None:
            return
        if len(self.labels) != len(self.sources):
            raise ImageError(
                f"{self.name} has {len(self.sources)} images but {len(self.labels)} labels; give one for each"
            )
        unknown = [index for index, label in enumerate(self.labels) if not 0 <= label < len(self.class_names)]
        if unknown:
            raise ImageError(
                f"{self.name}: image {unknown[0]} has the label {self.labels[unknown[0]]}, and labels are 0 to "
                f"{len(self.class_names) - 1}, one per class ({len(unknown)} such images)"
            )

    def __len__(self) -> int:
        return len(self.sources)

    def read(self, image: int) -> UInt8[ndarray, "h w 3"]:
        """One image in RGB.

        Args:
            image: its index.

        Returns:
            (H, W, 3) uint8.

        Raises:
            ImageError: if it cannot be read.
        """
        return self.sources[image].read()

    def only(self, images: Iterable[int]) -> ImageSet:
        """Some of the images, in the order given.

        Args:
            images: their indices.

        Returns:
            A set of them, with their labels.
        """
        kept = list(images)
        labels = None if self.labels is None else [self.labels[image] for image in kept]
        return replace(self, sources=[self.sources[image] for image in kept], labels=labels)

    @property
    def empty_classes(self) -> list[str]:
        """Classes without an image, where labels are known."""
        present = set(self.labels or range(len(self.class_names)))
        return [name for index, name in enumerate(self.class_names) if index not in present]


def image_set(
    images: Iterable[str | Path | ndarray],
    class_names: Sequence[str],
    labels: Sequence[int] | Sequence[str] | None = None,
    *,
    name: str = "images",
) -> ImageSet:
    """A set of your own images.

    Args:
        images: paths, or arrays (H, W, 3) or (H, W) uint8; an array (N, H, W, 3) is N images.
        class_names: as texts, each once.
        labels: the class of each image, as name or as number from 0; `None` if they are to be found out.
        name: what reports call it.

    Returns:
        The set; images are read when they are needed.

    Raises:
        ImageError: if there are no images, or a label is no class; the message says which.
        ValueError: if class names cannot be told apart.
    """
    sources = [
        FileSource(Path(each).expanduser()) if isinstance(each, str | Path) else ArraySource(each) for each in images
    ]
    if labels is None:
        return ImageSet(name, sources, class_names)
    numbers = {text: number for number, text in enumerate(checked_names(class_names))}
    odd = [label for label in labels if isinstance(label, str) and label not in numbers]
    if odd:
        raise ImageError(f"{name}: the label {odd[0]!r} is none of the {len(numbers)} classes ({len(odd)} such images)")
    return ImageSet(
        name, sources, class_names, [numbers[each] if isinstance(each, str) else int(each) for each in labels]
    )
