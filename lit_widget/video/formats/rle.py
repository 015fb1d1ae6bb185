"""COCO's run lengths: written by pycocotools, decoded here, because its C code trusts the lengths that it is given."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Int
from pycocotools import mask as coco

MAX_BYTES_PER_COUNT = 7
"""Five bits each: more than any picture has pixels."""


def encode(mask: Bool[np.ndarray, "h w"]) -> bytes:
    """A mask as COCO's compressed run lengths, column by column."""
    counts = coco.encode(np.asfortranarray(mask, dtype=np.uint8))["counts"]
    return counts.encode("ascii") if isinstance(counts, str) else counts


def decode(counts: object, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """A mask of (height, width) pixels from what should be COCO's run lengths, as text or as a list.

    Raises:
        ValueError: if they are damaged or do not add up to the picture; nothing is allocated before that is known.
    """
    if isinstance(counts, bytes | str):
        lengths = _uncompressed(counts.encode("ascii", "replace") if isinstance(counts, str) else counts)
    elif isinstance(counts, list):
        lengths = whole_lengths(counts)
    else:
        raise ValueError("its run lengths are neither text nor a list")  # noqa: TRY004 - as all other damage
    return from_runs(lengths, (size[1], size[0])).T


def whole_lengths(counts: list[Any]) -> Int[np.ndarray, " n"]:
    """Run lengths given one by one, checked.

    Raises:
        ValueError: if one is no whole number from 0 up.
    """
    if not all(type(each) is int and 0 <= each < 2**32 for each in counts):
        raise ValueError("its run lengths are not whole numbers from 0 up")
    return np.array(counts, dtype=np.int64)


def from_runs(lengths: Int[np.ndarray, " n"], shape: tuple[int, int]) -> Bool[np.ndarray, "a b"]:
    """The picture of alternating runs, off and on, row by row.

    Raises:
        ValueError: if they do not add up to its pixels.
    """
    # Each length is bounded, so that a sum of Python integers cannot wrap around.
    if (lengths < 0).any() or sum(lengths.tolist()) != shape[0] * shape[1]:
        raise ValueError(f"its run lengths do not add up to the {shape[0] * shape[1]} pixels of the frame")
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(shape)


def _uncompressed(counts: bytes) -> Int[np.ndarray, " n"]:
    """Lengths from the text form: five bits a character, the sixth says that more follow; later ones as differences."""
    characters = np.frombuffer(counts, np.uint8).astype(np.int64) - 48
    if not len(characters) or characters.min() < 0 or characters.max() > 63 or characters[-1] & 32:
        raise ValueError("its compressed run lengths are damaged")
    ends = np.flatnonzero((characters & 32) == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    if (ends - starts >= MAX_BYTES_PER_COUNT).any():
        raise ValueError("its compressed run lengths are damaged")
    place = np.arange(len(characters)) - np.repeat(starts, ends - starts + 1)
    values = np.add.reduceat((characters & 31) << (5 * place), starts)
    negative = (characters[ends] & 16) != 0
    lengths = np.where(negative, values - (1 << (5 * (ends - starts + 1))), values)
    lengths[1::2] = np.cumsum(lengths[1::2])
    lengths[2::2] = np.cumsum(lengths[2::2])
    return lengths
