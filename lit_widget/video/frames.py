"""Frames of a video by exact index, decoded when asked for, in bounded memory.

`open_frames` accepts what a researcher has at hand: a video file, a folder of images, a list, an array.
Whatever it is, `frames[17]` is the eighteenth frame in the order of presentation, the same pixels every time.
"""

from __future__ import annotations

import operator
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import SupportsIndex, TypeVar

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

VIDEO_SUFFIXES = (".mp4", ".m4v", ".webm", ".mov", ".mkv", ".avi")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")

IMAGE_FPS = 24.0
"""Frames per second of images and arrays, which have no rate of their own."""

_ORIENTATION = 0x0112

Rgb = UInt8[np.ndarray, "h w 3"]
Read = TypeVar("Read")


class VideoError(ValueError):
    """Something given as a video, or a frame of it, cannot be read."""


class Frames(ABC):
    """A video as a sequence of frames of one size.

    Attributes:
        name: what to call it, for example the name of the file without its suffix.
        fps: frames per second.
        height: of every frame, in pixels.
        width: of every frame, in pixels.
        frame_names: of the files without suffix, where each frame has one; else empty.
        sources: the files and folders that it is read from; empty for arrays.
    """

    name: str
    fps: float
    height: int
    width: int
    frame_names: tuple[str, ...] = ()
    sources: tuple[Path, ...] = ()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def _read(self, index: int) -> Rgb:
        """The frame at an index known to be in range, as an array that the caller may change."""

    def __getitem__(self, index: SupportsIndex) -> Rgb:
        """Decode one frame.

        Args:
            index: from 0 to `len(self) - 1`; negative indices are refused.

        Returns:
            (height, width, 3) RGB; the caller's own copy.

        Raises:
            IndexError: if the index is out of range.
            VideoError: if the frame is damaged.
        """
        index = operator.index(index)
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} is out of range: {self.name!r} has frames 0 to {len(self) - 1}")
        return self._read(index)

    def __iter__(self) -> Iterator[Rgb]:
        return (self[index] for index in range(len(self)))

    def close(self) -> None:  # noqa: B027 - most kinds hold nothing to release
        """Release the file, if there is one."""

    def __enter__(self) -> Frames:  # noqa: PYI034 - the shape checker of the tests refuses Self in a method
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_frames(source: object) -> Frames:
    """Open anything that holds the frames of one video.

    Args:
        source: the path of a video file (mp4, webm, mov, mkv, avi) or of a folder of JPEG or PNG images, taken in
            natural order (frame2 before frame10); or a list of image paths, PIL images or (h, w, 3) uint8 arrays;
            or a (t, h, w, 3) uint8 array of RGB, or (t, h, w) of grey; or a `Frames`, returned as it is.

    Raises:
        VideoError: if it cannot be read; the message says what was expected.
    """
    if isinstance(source, Frames):
        return source
    if isinstance(source, np.ndarray):
        given = f"{source.shape} {source.dtype}"
        if source.ndim == 3 and source.shape[-1] not in (3, 4):  # with three or four it is one picture in colour
            source = np.broadcast_to(source[..., None], (*source.shape, 3))
        if source.ndim != 4 or source.shape[-1] != 3 or source.dtype != np.uint8:
            expected = "uint8, (t, h, w, 3) RGB or (t, h, w) grey"
            raise VideoError(f"an array of frames must be {expected}, got {given}; {_advice(source)}")
        return ImageFrames(list(source), name="array")
    if isinstance(source, list | tuple):
        return ImageFrames(source, name="frames")
    if isinstance(source, str | os.PathLike):
        return _open_path(os.fspath(source))
    inside = "; it holds them in .frames" if hasattr(source, "frames") else ""
    raise VideoError(
        f"cannot read frames from a {type(source).__name__}; give a path, a list of images or a uint8 array{inside}"
    )


def _advice(array: np.ndarray) -> str:
    """How to turn this array into frames."""
    if array.ndim == 4 and array.shape[1] == 3 and array.shape[-1] != 3:
        return "move the channels last: array.transpose(0, 2, 3, 1)"
    if array.ndim == 4 and array.shape[-1] == 4:
        return "leave the alpha channel out: array[..., :3]"
    if array.ndim == 3 and array.shape[-1] == 3:
        return "give a single picture as a video of one frame: array[None]"
    if array.ndim == 4 and array.shape[-1] == 1:
        return "leave the grey channel's own axis out: array[..., 0]"
    if array.dtype != np.uint8 and array.dtype.kind == "f":
        return "scale it to 0 to 255: (array * 255).astype(np.uint8) if it is in [0, 1]"
    return "convert it first"


def image_files(folder: Path) -> list[Path]:
    """The JPEG and PNG files of a folder in natural order; hidden files are left out."""
    files = [p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".")]
    return sorted(files, key=_natural)


def _natural(path: Path) -> tuple[list[str | int], str]:
    """Sort key that orders the numbers inside names by value."""
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], path.name


def _open_path(source: str) -> Frames:
    if re.match(r"https?://", source):
        raise VideoError(f"{source} is a web address; download the video and give the path of the file")
    path = Path(source).expanduser()
    if not path.exists():
        raise VideoError(f"there is no file or folder {path}; give the path of a video or of a folder of images")
    if path.is_dir():
        files = image_files(path)
        if not files:
            raise VideoError(f"the folder {path} holds no JPEG or PNG images; give the folder that holds the frames")
        frames = ImageFrames(files, name=path.resolve().name)
        frames.sources = (path,)
        return frames
    if path.suffix.lower() in VIDEO_SUFFIXES:
        from .video_file import VideoFrames  # loads PyAV, which images and arrays do not need

        return VideoFrames(path)
    known = ", ".join(suffix[1:] for suffix in VIDEO_SUFFIXES)
    raise VideoError(f"{path} is not a video that can be read ({known}); convert it, or give a folder of images")


class ImageFrames(Frames):
    """Frames that are separate images: paths, PIL images or arrays.

    Only headers are read at the start; without `check` only the first one, the others with their frame.
    """

    def __init__(self, items: Sequence[object], *, name: str, fps: float = IMAGE_FPS, check: bool = True) -> None:
        if not len(items):
            raise VideoError("there are no frames: the list or array is empty; give at least one frame")
        self.name, self.fps = name, fps
        self._items = list(items)
        if all(isinstance(item, str | os.PathLike) for item in self._items):
            self.sources = tuple(Path(str(item)) for item in self._items)
            self.frame_names = tuple(path.stem for path in self.sources)
        looked_at = self._items if check else self._items[:1]
        sizes = [_checked(_header_size, item, i) for i, item in enumerate(looked_at)]
        self.height, self.width = sizes[0]
        for i, size in enumerate(sizes):
            self._check_size(size, i)

    def __len__(self) -> int:
        return len(self._items)

    def _read(self, index: int) -> Rgb:
        image = _checked(_pixels, self._items[index], index)
        self._check_size(image.shape[:2], index)
        return image

    def _check_size(self, size: tuple[int, int], index: int) -> None:
        if size != (self.height, self.width):
            raise VideoError(
                f"{_label(self._items[index], index)} is {size[1]} x {size[0]} pixels but frame 0 is "
                f"{self.width} x {self.height}; all frames must have one size"
            )


def _label(item: object, index: int) -> str:
    """How a message calls an item."""
    return f"frame {index} ({item})" if isinstance(item, str | os.PathLike) else f"frame {index}"


def _checked(read: Callable[[object], Read], item: object, index: int) -> Read:
    """Call `read(item)` and say in one sentence which frame failed and why."""
    try:
        return read(item)
    except FileNotFoundError:
        raise VideoError(f"{_label(item, index)} does not exist") from None
    except UnidentifiedImageError:
        raise VideoError(f"{_label(item, index)} is not an image; frames must be JPEG or PNG") from None
    except Image.DecompressionBombError as error:
        raise VideoError(f"{_label(item, index)} is too large: {error}") from None
    except VideoError as error:
        raise VideoError(f"{_label(item, index)} {error}") from None
    except (OSError, SyntaxError) as error:  # Pillow reports a broken PNG as a SyntaxError
        raise VideoError(f"{_label(item, index)} is damaged and cannot be decoded: {error}") from None


def _header_size(item: object) -> tuple[int, int]:
    """(height, width) of an item as it will be shown, without decoding it."""
    if isinstance(item, np.ndarray):
        height, width, _ = _pixels(item).shape
        return height, width
    with _image(item) as image:
        # Asking a PNG for EXIF that is not in its header would decode the whole image.
        plain = image.format == "PNG" and "exif" not in image.info
        turned = not plain and image.getexif().get(_ORIENTATION, 1) >= 5
        width, height = image.size
        return (width, height) if turned else (height, width)


def _pixels(item: object) -> Rgb:
    if isinstance(item, np.ndarray):
        if item.ndim != 3 or item.shape[-1] != 3 or item.dtype != np.uint8:
            raise VideoError(f"must be an (h, w, 3) uint8 array of RGB, got {item.shape} {item.dtype}")
        return item.copy()
    with _image(item) as image:
        return np.array(ImageOps.exif_transpose(image).convert("RGB"))


def _image(item: object) -> Image.Image:
    """A PIL image that may be closed without harm to the item."""
    if isinstance(item, str | os.PathLike):
        image = Image.open(item)
    elif isinstance(item, Image.Image):
        image = item.copy()
    else:
        raise VideoError(f"is a {type(item).__name__}; give a path, a PIL image or a uint8 array")
    if image.mode.startswith(("I", "F")):
        image.close()
        raise VideoError(f"has more than 8 bits per channel (mode {image.mode}); scale it to 8 bits first")
    return image
