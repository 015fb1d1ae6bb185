"""NPZ: arrays that `numpy.load` reads, written and read a frame at a time."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from numpy.lib import format as npy

from .format import Format
from .limits import MAX_FRAMES, checked_number, checked_size, shown_colour, shown_fps, shown_name
from .mask_set import CompactMasks, FormatError, MaskObject, MaskSet, Step

MAX_TABLE_BYTES = 2**28
"""Of the small arrays: names, ids and where masks are known."""

MAX_ID = 2**53


def _write(masks: MaskSet, path: Path, step: Step) -> list[str]:
    tables = {
        "video": np.array(masks.name),
        "fps": np.array(masks.fps),
        "frame_names": np.array(masks.frame_names, dtype=np.str_),
        "ids": np.array([each.id for each in masks.objects], dtype=np.int64),
        "names": np.array([each.name for each in masks.objects], dtype=np.str_),
        "colours": np.array([each.colour for each in masks.objects], dtype=np.str_),
    }
    nothing = np.zeros(masks.size, dtype=bool)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, table in tables.items():
            with archive.open(f"{name}.npy", "w") as file:
                npy.write_array(file, table, allow_pickle=False)
        for place, each in enumerate(masks.objects):
            known = np.array([(frame, each.id) in masks.masks for frame in range(masks.n_frames)])
            with archive.open(f"known_{each.id}.npy", "w") as file:
                npy.write_array(file, known, allow_pickle=False)
            with archive.open(f"object_{each.id}.npy", "w", force_zip64=True) as file:
                shape = (masks.n_frames, *masks.size)
                npy.write_array_header_1_0(file, {"descr": "|b1", "fortran_order": False, "shape": shape})
                for frame in range(masks.n_frames):
                    step(place * masks.n_frames + frame, len(masks.objects) * masks.n_frames)
                    file.write(masks.masks.get((frame, each.id), nothing).tobytes())
    return []


def _read(path: Path, step: Step) -> MaskSet:
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_archive(archive, path, step)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError) as error:
        # Damage of every kind, encryption and unknown compression among it; zlib.error is what is left.
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path} cannot be read as masks in NPZ: {str(error)[:200]}") from None
    except zlib.error:
        raise FormatError(f"{path} is damaged and cannot be inflated; copy it again") from None


def _read_archive(archive: zipfile.ZipFile, path: Path, step: Step) -> MaskSet:
    if "ids.npy" not in archive.namelist():
        return _read_plain(archive, path, step)
    ids = [checked_number(each, 1, MAX_ID, "an object id") for each in _table(archive, "ids").ravel().tolist()]
    names, colours = _texts(archive, "names", len(ids)), _texts(archive, "colours", len(ids))
    objects = []
    for each, name, colour in zip(ids, names, colours, strict=True):
        unnamed = MaskObject.unnamed(each)
        objects.append(MaskObject(each, shown_name(name, unnamed.name), shown_colour(colour, unnamed.colour)))
    masks, n_frames, size = CompactMasks((1, 1)), 0, (0, 0)
    for place, each in enumerate(ids):
        known = _table(archive, f"known_{each}").ravel()
        with _stream(archive, f"object_{each}") as (file, shape, dtype):
            if dtype != np.dtype(bool) or len(shape) != 3 or len(known) != shape[0]:
                raise FormatError(
                    f"object_{each} has shape {shape} of {dtype}; expected frames × height × width of bool"
                )
            this = checked_size(*shape[1:], str(path))
            if place == 0:
                n_frames, size = checked_number(shape[0], 1, MAX_FRAMES, "the number of frames"), this
                masks = CompactMasks(size)
            if (shape[0], this) != (n_frames, size):
                raise FormatError(f"object_{each} has shape {shape}, unlike the first object's; all have one")
            for frame in range(n_frames):
                step(place * n_frames + frame, len(ids) * n_frames)
                picture = _exactly(file, size[0] * size[1])
                if known[frame]:
                    masks.add(frame, each, (np.frombuffer(picture, np.uint8) > 0).reshape(size))
    if not ids:
        raise FormatError(f"{path} holds no objects, so the size of its frames is not known")
    frame_names = tuple(_texts(archive, "frame_names", None))
    fps = _table(archive, "fps").ravel().tolist()
    video = _texts(archive, "video", 1)[0]
    return MaskSet(
        shown_name(video, path.stem),
        size,
        n_frames,
        tuple(objects),
        masks,
        frame_names if len(frame_names) == n_frames else (),
        shown_fps(fps[0] if fps else None),
    )


def _read_plain(archive: zipfile.ZipFile, path: Path, step: Step) -> MaskSet:
    """Arrays that somebody saved: one of object ids or of one object, or one of bool for each object by its name."""
    names = [each.removesuffix(".npy") for each in archive.namelist()]
    if not names:
        raise FormatError(f"{path} holds no array; save one of frames × height × width")
    whole = (0, 0, 0)
    masks = CompactMasks((1, 1))
    for place, name in enumerate(names):
        with _stream(archive, name) as (file, shape, dtype):
            _check_plain(name, shape, dtype, one=len(names) == 1)
            if place == 0:
                checked_number(shape[0], 1, MAX_FRAMES, "the number of frames")
                whole, masks = shape, CompactMasks(checked_size(shape[1], shape[2], str(path)))
            if shape != whole:
                raise FormatError(f"{name} has shape {shape}, unlike {names[0]}; all have one")
            for frame in range(shape[0]):
                step(place * shape[0] + frame, len(names) * shape[0])
                ids = np.frombuffer(_exactly(file, shape[1] * shape[2]), np.uint8).reshape(masks.size)
                # One array may hold several objects; of several each is one.
                for each in np.flatnonzero(np.bincount(ids.ravel())).tolist():
                    if each:
                        masks.add(frame, each + place, ids == each)
    found = sorted({each for _, each in masks})
    masks.complete(range(whole[0]), found)
    objects = [MaskObject.unnamed(each) for each in found]
    if len(names) > 1:
        objects = [replace(each, name=shown_name(names[each.id - 1], each.name)) for each in objects]
    return MaskSet(path.stem, masks.size, whole[0], tuple(objects), masks)


def _check_plain(name: str, shape: tuple[int, ...], dtype: np.dtype, *, one: bool) -> None:
    """Refuse an array that cannot be masks."""
    if len(shape) != 3 or dtype not in ((np.dtype(bool), np.dtype(np.uint8)) if one else (np.dtype(bool),)):
        kinds = "bool or uint8" if one else "bool, an array for each object"
        raise FormatError(f"{name} has shape {shape} of {dtype}; expected frames × height × width, {kinds}")


@contextmanager
def _stream(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[zipfile.ZipExtFile, tuple[int, ...], np.dtype]]:
    """An array that is not inflated yet: the file behind its header, its shape and type."""
    with archive.open(f"{name}.npy") as file:
        assert isinstance(file, zipfile.ZipExtFile)
        version = npy.read_magic(file)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read is None:
            raise FormatError(f"the array {name} is in version {version} of NPY, which is not read; save it anew")
        shape, fortran, dtype = read(file)
        if fortran or dtype.hasobject:
            raise FormatError(
                f"the array {name} is in Fortran order or holds objects, which are not read; save it anew"
            )
        yield file, shape, dtype


def _table(archive: zipfile.ZipFile, name: str) -> Shaped[np.ndarray, ...]:
    """A small array."""
    with _stream(archive, name) as (file, shape, dtype):
        n_bytes = dtype.itemsize
        for each in shape:
            n_bytes *= each
        if not 0 <= n_bytes <= MAX_TABLE_BYTES:
            raise FormatError(f"the array {name} holds {n_bytes} bytes; at most {MAX_TABLE_BYTES} are read")
        return np.frombuffer(_exactly(file, n_bytes), dtype).reshape(shape)


def _texts(archive: zipfile.ZipFile, name: str, n: int | None) -> list[Any]:
    texts = _table(archive, name).ravel().tolist()
    if n is not None and len(texts) != n:
        raise FormatError(f"the array {name} has {len(texts)} entries, expected {n}")
    return texts


def _exactly(file: zipfile.ZipExtFile, n_bytes: int) -> bytes:
    """So many bytes, never inflating more.

    Raises:
        FormatError: if there are fewer.
    """
    found = file.read(n_bytes)
    while len(found) < n_bytes and (more := file.read(n_bytes - len(found))):
        found += more
    if len(found) < n_bytes:
        raise FormatError("an array ends before its last element; the file is damaged")
    return found


NPZ = Format(
    "npz",
    "NumPy: an array of frames × height × width for each object; reads a single array of masks or ids, too",
    (),
    _write,
    _read,
    lambda path: path.suffix == ".npz",
    suffix=".npz",
)
