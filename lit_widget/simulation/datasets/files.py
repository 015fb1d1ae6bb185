"""Sequences whose frames and masks are image files of the same name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Integer
from PIL import Image

from lit_widget.video.frames import IMAGE_FPS, ImageFrames, VideoError, image_files

from .sequence import VOID, DatasetError, FrameTruth, Mask, Sequence, truth_from_ids


def id_map_sequence(
    name: str,
    images: Path,
    annotations: Path,
    layout: str,
    *,
    check: bool = False,
    binary: bool | None = False,
    fps: float = IMAGE_FPS,
) -> Sequence:
    """A sequence with one PNG of object ids per annotated frame: 0 background, 255 void.

    Args:
        name: what reports call it.
        images: folder of the frames.
        annotations: folder of the masks; a frame without a mask is not annotated.
        layout: what the folders should hold, for messages.
        check: read the headers of all files now; otherwise files are first looked at when they are needed.
        binary: whether 255 means object 1; None: so if grey masks hold nothing else.
        fps: frames per second.

    Raises:
        DatasetError: if a folder is missing or empty, or a mask has no frame.
    """
    if not annotations.is_dir():
        raise DatasetError(f"the masks of sequence {name!r} are missing: there is no folder {annotations}; {layout}")
    frames, numbers = image_sequence(name, images, layout, check=check, fps=fps)
    masks = numbered(png_files(annotations), numbers, images)
    if not masks:
        raise DatasetError(f"sequence {name!r} is empty: there are no PNG masks in {annotations}; {layout}")
    maps = _IdMaps(masks, (frames.height, frames.width), binary)
    if check:
        maps.check()
    return Sequence(name, frames, tuple(sorted(masks)), lru_cache(maxsize=2)(maps.read))


def of_first_frame(sequence: Sequence) -> Sequence:
    """The same sequence, in which only the objects on its first annotated frame count."""
    first = sequence.annotated[0]
    return replace(sequence, appears=lambda: dict.fromkeys(sequence.read(first).masks, first))


def image_sequence(
    name: str, images: Path, layout: str, *, check: bool = False, fps: float = IMAGE_FPS
) -> tuple[ImageFrames, dict[str, int]]:
    """The frames of a folder, and the number of each by the name of its file without the suffix."""
    if not images.is_dir():
        raise DatasetError(f"the frames of sequence {name!r} are missing: there is no folder {images}; {layout}")
    files = image_files(images)
    if not files:
        raise DatasetError(f"sequence {name!r} is empty: there are no JPEG or PNG images in {images}; {layout}")
    try:
        frames = ImageFrames(files, name=name, fps=fps, check=check)
    except VideoError as error:
        raise DatasetError(f"the frames of sequence {name!r} cannot be used: {error}") from None
    return frames, frame_numbers(images)


def frame_numbers(images: Path) -> dict[str, int]:
    """The number of each frame by the name of its file without the suffix."""
    return {file.stem: i for i, file in enumerate(image_files(images))}


def png_files(folder: Path) -> list[Path]:
    """The PNG files of a folder in natural order."""
    return [path for path in image_files(folder) if path.suffix.lower() == ".png"]


def numbered(masks: list[Path], numbers: dict[str, int], images: Path) -> dict[int, Path]:
    """Mask files by the number of their frame, which has the same name."""
    for mask in masks:
        if mask.stem not in numbers:
            files = image_files(images)
            raise DatasetError(
                f"{mask} has no frame: {images} holds {len(files)} frames, {files[0].name} to {files[-1].name}; "
                "a mask must be named like its frame"
            )
    return {numbers[mask.stem]: mask for mask in masks}


@dataclass(frozen=True)
class _IdMaps:
    """Mask files of one sequence by frame, all of `size` (height, width)."""

    paths: dict[int, Path]
    size: tuple[int, int]
    binary: bool | None

    def check(self) -> None:
        for path in self.paths.values():
            open_mask(path, self.size).close()

    def read(self, frame: int) -> FrameTruth:
        ids = self._ids(frame)
        return truth_from_ids(ids == VOID) if self._binary else truth_from_ids(ids)

    def _ids(self, frame: int) -> Integer[np.ndarray, "h w"]:
        return mask_values(self.paths[frame], self.size)

    @cached_property
    def _binary(self) -> bool:
        """Whether grey masks mean the object by 255: so if the first that shows anything has no other value."""
        if self.binary is not None:
            return self.binary
        with open_mask(next(iter(self.paths.values())), self.size) as image:
            if image.mode == "P":
                return False
        shown = (set(np.unique(self._ids(frame)).tolist()) - {0} for frame in sorted(self.paths))
        return next((values == {VOID} for values in shown if values), False)


def mask_values(path: Path, size: tuple[int, int]) -> Integer[np.ndarray, "h w"]:
    """The values of a mask file."""
    with open_mask(path, size) as image:
        try:
            return np.array(image if image.mode == "P" else image.convert("L"))
        except (OSError, SyntaxError) as error:
            raise DatasetError(f"the mask {path} is damaged and cannot be decoded: {error}") from None


def binary_mask(path: Path, size: tuple[int, int]) -> Mask:
    """The object of a mask file that shows only one."""
    return mask_values(path, size) > 0


def open_mask(path: Path, size: tuple[int, int]) -> Image.Image:
    """Open a mask file, decoding nothing yet.

    Raises:
        DatasetError: if it is no mask, or not of this (height, width).
    """
    try:
        image = Image.open(path)
    except (OSError, Image.DecompressionBombError) as error:
        raise DatasetError(f"the mask {path} cannot be read as an image: {error}") from None
    reason = None
    if image.mode not in ("P", "L", "1"):
        reason = f"the mask {path} has mode {image.mode}; object ids need a palette or a grey PNG"
    elif image.size[::-1] != size:
        reason = (
            f"{path} is {image.width} x {image.height} pixels but its frame is {size[1]} x {size[0]}; masks must have "
            "the size of the frames"
        )
    if reason is not None:
        image.close()
        raise DatasetError(reason)
    return image
