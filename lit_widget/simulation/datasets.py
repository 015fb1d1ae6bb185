"""Sequences with ground truth: DAVIS-style folders, arrays, and the embedded data set.

A `Sequence` reads its frames and masks when they are asked for, so that a whole data set opens quickly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Integer, UInt8
from PIL import Image

from lit_widget.video.frames import IMAGE_FPS, Frames, ImageFrames, Rgb, VideoError, image_files, open_frames

VOID = 255
"""The id of pixels that ground truth leaves undecided."""

Mask = Bool[np.ndarray, "h w"]

_LAYOUT = (
    "expected JPEGImages/ and Annotations/ beside each other, holding the frames and the masks of one sequence, "
    "or one folder for each sequence, directly or in 480p/; or a folder of such sequences"
)
_RESOLUTION = "480p"
_EMBEDDED_FRAMES = 48


class DatasetError(ValueError):
    """A data set is missing, laid out otherwise than expected, or contradicts itself."""


@dataclass(frozen=True)
class FrameTruth:
    """Ground truth of one frame.

    Attributes:
        masks: mask by object id; an object without one is not in the frame.
        valid: pixels whose truth is known.
    """

    masks: Mapping[int, Mask]
    valid: Mask


@dataclass(frozen=True)
class Sequence:
    """A video with ground truth, both read lazily.

    Attributes:
        name: what reports call it.
        frames: the video.
        annotated: the frames that have ground truth, ascending.
        read: reads the ground truth of one of those frames.
        appears: the first frame on which each object is visible; None: found by reading all ground truth, once.
    """

    name: str
    frames: Frames
    annotated: tuple[int, ...]
    read: Callable[[int], FrameTruth]
    appears: Mapping[int, int] | None = None

    @property
    def objects(self) -> list[int]:
        """Ids of all objects that are ever visible."""
        return sorted(self._first)

    def annotated_frames(self, object_id: int) -> list[int]:
        """The frames with ground truth for an object: from the first on which it is visible, the one to prompt."""
        if object_id not in self._first:
            raise DatasetError(f"{self.name!r} has no object {object_id}; its objects are {self.objects}")
        return [frame for frame in self.annotated if frame >= self._first[object_id]]

    def target(self, object_id: int, frame: int) -> Mask | None:
        """The true mask of an object, empty where it is not visible; None if the frame is not annotated."""
        if frame not in self.annotated:
            return None
        truth = self.read(frame)
        mask = truth.masks.get(object_id)
        return np.zeros_like(truth.valid) if mask is None else mask.copy()

    def valid(self, frame: int) -> Mask | None:
        """Where the truth of a frame is known, everything but void; None if the frame is not annotated."""
        return self.read(frame).valid.copy() if frame in self.annotated else None

    @cached_property
    def _first(self) -> Mapping[int, int]:
        """The first frame on which each object is visible."""
        if self.appears is not None:
            return self.appears
        first: dict[int, int] = {}
        for frame in self.annotated:
            for object_id, mask in self.read(frame).masks.items():
                if object_id not in first and mask.any():
                    first[object_id] = frame
        return first


def open_sources(specs: list[str]) -> list[Sequence]:
    """Open data sets by name.

    Args:
        specs: each is either a path for `open_davis` or `embedded:KIND:FIRST-LAST`, the embedded clips of one kind,
            or of `all`, with the seeds FIRST to LAST, both included; `embedded:KIND:SEED` is one clip.

    Raises:
        DatasetError: if there is no such data set.
    """
    return [
        sequence
        for spec in specs
        for sequence in (_open_embedded(spec) if spec.startswith("embedded:") else open_davis(spec))
    ]


# --- Folders ----------------------------------------------------------------------------------------------------------


def open_davis(path: str | Path) -> list[Sequence]:
    """Open sequences in the layout of DAVIS, VOST, MOSE or LVOS.

    Masks are PNG files with object ids, in a palette or in grey: 0 is background, 255 is void. Grey masks that
    hold nothing but 0 and 255 (DAVIS 2016) are one object with id 1. A mask belongs to the frame of the same name;
    frames without a mask are not annotated.

    Args:
        path: one sequence with `JPEGImages/` and `Annotations/`; or a data set with `JPEGImages/[480p/]<sequence>/`
            and `Annotations/[480p/]<sequence>/`; or a folder of any of these, up to two levels up.

    Returns:
        The sequences in order of their names: the folder's, below a common folder the path from there.

    Raises:
        DatasetError: if something is missing or masks do not fit their frames; the message says what and where.
    """
    root = Path(path).expanduser()
    if root.is_file():
        raise DatasetError(f"{root} is a file, and a simulation needs every frame's true mask; {_LAYOUT}")
    if not root.is_dir():
        raise DatasetError(f"there is no folder {root}; {_LAYOUT}")
    found = _find(root, levels=2)
    if not found:
        raise DatasetError(f"{root} holds no JPEGImages folder; {_LAYOUT}")
    return [_open_folder(name or root.resolve().name, *folders) for name, *folders in found]


def _find(root: Path, levels: int) -> list[tuple[str, Path, Path]]:
    """(name relative to root, images, annotations) of every sequence at or below a folder."""
    images, annotations = root / "JPEGImages", root / "Annotations"
    if images.is_dir():
        if (images / _RESOLUTION).is_dir():
            images, annotations = images / _RESOLUTION, annotations / _RESOLUTION
        inner = _folders(images)
        return [(p.name, p, annotations / p.name) for p in inner] if inner else [("", images, annotations)]
    if not levels:
        return []
    return [
        (f"{folder.name}/{name}".rstrip("/"), images, annotations)
        for folder in _folders(root)
        for name, images, annotations in _find(folder, levels - 1)
    ]


def _folders(root: Path) -> list[Path]:
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def _open_folder(name: str, images: Path, annotations: Path) -> Sequence:
    """One sequence; only the headers of its files are read."""
    if not annotations.is_dir():
        raise DatasetError(f"the masks of sequence {name!r} are missing: there is no folder {annotations}; {_LAYOUT}")
    files, masks = image_files(images), [p for p in image_files(annotations) if p.suffix.lower() == ".png"]
    if not files or not masks:
        missing = f"PNG masks in {annotations}" if files else f"JPEG or PNG images in {images}"
        raise DatasetError(f"sequence {name!r} is empty: there are no {missing}; {_LAYOUT}")
    try:
        frames = ImageFrames(files, name=name)
    except VideoError as error:
        raise DatasetError(f"the frames of sequence {name!r} cannot be used: {error}") from None
    numbers = {file.stem: i for i, file in enumerate(files)}
    for mask in masks:
        if mask.stem not in numbers:
            raise DatasetError(
                f"{mask} has no frame: {images} holds {len(files)} frames, {files[0].name} to {files[-1].name}; "
                "a mask must be named like its frame"
            )
    maps = _IdMaps({numbers[mask.stem]: mask for mask in masks}, (frames.height, frames.width))
    return Sequence(name, frames, tuple(sorted(maps.paths)), lru_cache(maxsize=2)(maps.read))


@dataclass(frozen=True)
class _IdMaps:
    """Mask files of one sequence by frame, all of `size` (height, width)."""

    paths: dict[int, Path]
    size: tuple[int, int]

    def __post_init__(self) -> None:
        for path in self.paths.values():
            with _opened(path) as image:
                if image.size[::-1] != self.size:
                    raise DatasetError(
                        f"{path} is {image.width} x {image.height} pixels but its frame is "
                        f"{self.size[1]} x {self.size[0]}; masks must have the size of the frames"
                    )

    def read(self, frame: int) -> FrameTruth:
        ids = self._ids(frame)
        return _from_ids(ids == VOID) if self._binary else _from_ids(ids)

    def _ids(self, frame: int) -> Integer[np.ndarray, "h w"]:
        path = self.paths[frame]
        with _opened(path) as image:
            try:
                return np.array(image if image.mode == "P" else image.convert("L"))
            except (OSError, SyntaxError) as error:
                raise DatasetError(f"the mask {path} is damaged and cannot be decoded: {error}") from None

    @cached_property
    def _binary(self) -> bool:
        """Whether grey masks mean the object by 255: so if the first that shows anything has no other value."""
        with _opened(next(iter(self.paths.values()))) as image:
            if image.mode == "P":
                return False
        shown = (set(np.unique(self._ids(frame)).tolist()) - {0} for frame in sorted(self.paths))
        return next((values == {VOID} for values in shown if values), False)


def _opened(path: Path) -> Image.Image:
    try:
        image = Image.open(path)
    except (OSError, Image.DecompressionBombError) as error:
        raise DatasetError(f"the mask {path} cannot be read as an image: {error}") from None
    if image.mode not in ("P", "L", "1"):
        image.close()
        raise DatasetError(f"the mask {path} has mode {image.mode}; object ids need a palette or a grey PNG")
    return image


# --- Arrays -----------------------------------------------------------------------------------------------------------


def sequence_from_arrays(frames: object, masks: object, name: str) -> Sequence:
    """Make a sequence of arrays.

    Args:
        frames: anything that `open_frames` reads, for example (t, h, w, 3) uint8.
        masks: (t, h, w) bool for one object with id 1; or (t, h, w) integers with object ids, 0 background and
            255 void; or a dictionary of object id to (t, h, w) bool, whose masks may overlap.
        name: what reports call it.

    Raises:
        DatasetError: if the masks do not fit the frames.
    """
    frames = open_frames(frames)
    annotated = tuple(range(len(frames)))
    if isinstance(masks, Mapping):
        by_object = _by_object(masks, frames)
        valid = np.ones((frames.height, frames.width), bool)
        return Sequence(
            name, frames, annotated, lambda t: FrameTruth({i: mask[t] for i, mask in by_object.items()}, valid)
        )
    ids = _fitting(masks, frames, "given")
    return Sequence(name, frames, annotated, lambda t: _from_ids(ids[t]))


def sequence_from_masks(frames: object, object_id: int, masks: Mapping[int, Mask], name: str) -> Sequence:
    """Make a sequence of one object with ground truth on some frames only.

    Args:
        frames: anything that `open_frames` reads.
        object_id: id of the object.
        masks: (h, w) bool by frame.
        name: what reports call it.
    """
    frames = open_frames(frames)
    valid = np.ones((frames.height, frames.width), bool)
    return Sequence(name, frames, tuple(sorted(masks)), lambda t: FrameTruth({object_id: masks[t]}, valid))


def _by_object(masks: Mapping, frames: Frames) -> dict[int, np.ndarray]:
    """A dictionary of masks, checked."""
    by_object = {i: _fitting(mask, frames, f"of object {i}") for i, mask in masks.items()}
    for i, mask in by_object.items():
        if not isinstance(i, int) or i < 1 or mask.dtype != bool:
            raise DatasetError(f"masks by object need integers from 1 up and bool arrays, got {i!r} and {mask.dtype}")
    return by_object


def _fitting(masks: object, frames: Frames, which: str) -> np.ndarray:
    """Masks as an array, checked against the frames."""
    array = np.asarray(masks)
    wanted = (len(frames), frames.height, frames.width)
    if array.shape != wanted:
        raise DatasetError(f"the masks {which} have shape {array.shape} but the frames need {wanted} (t, h, w)")
    if array.dtype != bool and (array.dtype.kind not in "iu" or array.min() < 0):
        raise DatasetError(f"the masks {which} must be bool or object ids from 0 up, got {array.dtype}; convert them")
    return array


def _from_ids(ids: Integer[np.ndarray, "h w"] | Mask) -> FrameTruth:
    """Ground truth from a map of object ids, or from a mask of object 1."""
    visible = set(np.unique(ids).tolist()) - {0, VOID}
    return FrameTruth({int(i): ids == i for i in visible}, ids != VOID)


# --- The embedded data set --------------------------------------------------------------------------------------------


def _open_embedded(spec: str) -> list[Sequence]:
    from lit_widget.video.pocket.clips import KINDS  # loads torch, which folders and arrays do not need

    match = re.fullmatch(r"embedded:([^:]*):(\d+)(?:-(\d+))?", spec)
    if match is None:
        raise DatasetError(f"{spec!r} is not a source; write embedded:KIND:FIRST-LAST, for example embedded:easy:0-4")
    kind, first, last = match[1], int(match[2]), int(match[3] or match[2])
    groups = {"all": list(KINDS), "hard": [each for each in KINDS if each != "easy"]}
    if kind not in groups and kind not in KINDS:
        raise DatasetError(f"unknown kind {kind!r} in {spec!r}; choose one of {', '.join([*groups, *KINDS])}")
    if first > last:
        raise DatasetError(f"the seeds of {spec!r} run backwards; write the smaller one first")
    kinds = groups.get(kind, [kind])
    return [_embedded(kind, seed) for kind in kinds for seed in range(first, last + 1)]


def _embedded(kind: str, seed: int) -> Sequence:
    frames = _EmbeddedFrames(kind, seed)
    return Sequence(
        frames.name, frames, tuple(range(len(frames))), lambda t: _from_ids(_clip(kind, seed)[1][t]), {1: 0}
    )


class _EmbeddedFrames(Frames):
    """Frames of an embedded clip, made when the first one is read."""

    fps = IMAGE_FPS

    def __init__(self, kind: str, seed: int) -> None:
        from lit_widget.video.pocket.clips import SIZE

        self.name = f"{kind}-{seed}"
        self.height, self.width = SIZE
        self._kind, self._seed = kind, seed

    def __len__(self) -> int:
        return _EMBEDDED_FRAMES

    def _read(self, index: int) -> Rgb:
        return _clip(self._kind, self._seed)[0][index].copy()


@lru_cache(maxsize=4)  # a clip takes about a second to make and 10 MB to keep
def _clip(kind: str, seed: int) -> tuple[UInt8[np.ndarray, "t h w 3"], Bool[np.ndarray, "t h w"]]:
    """The frames and the target of an embedded clip, which is visible on its first frame."""
    from lit_widget.video.pocket.clips import embedded_clip

    clip = embedded_clip(kind, seed, frames=_EMBEDDED_FRAMES)
    return clip.frames, clip.target
