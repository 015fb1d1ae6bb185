"""Outlines of masks through the centres of their edge pixels, as the tools that read polygons fill them."""

from __future__ import annotations

import numpy as np
from contourpy import contour_generator
from jaxtyping import Float, Int
from PIL import Image, ImageDraw

from .mask_set import Mask

Corners = Int[np.ndarray, "_ 2"]
"""(x, y) of pixels."""


def outlines(mask: Mask) -> list[Corners]:
    """The outer outline of every part of a mask; holes are not outlined."""
    if not mask.any():
        return []
    # Most masks are small, and contours cost by the pixel.
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    padded = np.pad(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    corner, found = np.array([columns[0], rows[0]]) - 1, []
    for line in contour_generator(z=padded.astype(np.float32)).lines(0.5):
        assert isinstance(line, np.ndarray)
        if _area(line) > 0:
            found.append(_corners(_inside(line, padded)) + corner)
    return found


def fill(polygons: list[Corners], size: tuple[int, int]) -> Mask:
    """The mask of (height, width) pixels that polygons enclose, edges included."""
    image = Image.new("1", (size[1], size[0]))
    draw = ImageDraw.Draw(image)
    for each in polygons:
        points = [(int(x), int(y)) for x, y in each]
        draw.polygon(points, fill=1, outline=1)
    return np.array(image)


def finite(numbers: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """The same numbers.

    Raises:
        ValueError: if one is infinite or none at all.
    """
    if not np.isfinite(numbers).all():
        raise ValueError("a corner of a polygon is no finite number")
    return numbers


def near_pixels(points: Float[np.ndarray, "_ 2"], size: tuple[int, int]) -> Corners:
    """The pixels that points lie in, in coordinates whose unit is the pixel; those outside are moved to the edge."""
    whole = np.floor(points)
    return whole.clip(0, np.array([size[1] - 1, size[0] - 1])).astype(np.int64)


def _area(line: Float[np.ndarray, "_ 2"]) -> float:
    """Positive for lines around something, negative around a hole."""
    (x, y), (next_x, next_y) = line[:-1].T, line[1:].T
    return float((x * next_y - next_x * y).sum())


def _inside(line: Float[np.ndarray, "_ 2"], mask: Mask) -> Corners:
    """The pixels of the mask along its outline, which runs half way between these and their neighbours outside."""
    low, high = np.floor(line).astype(np.int64), np.ceil(line).astype(np.int64)
    return np.where(mask[low[:, 1], low[:, 0]][:, None], low, high)


def _corners(path: Corners) -> Corners:
    """Where a closed path of neighbours turns, three points or more."""
    moved = np.append(True, (path[1:] != path[:-1]).any(axis=1))
    path = path[moved]
    if len(path) > 1 and (path[0] == path[-1]).all():
        path = path[:-1]
    turns = (path - np.roll(path, 1, axis=0) != np.roll(path, -1, axis=0) - path).any(axis=1)
    path = path[turns] if turns.any() else path
    return np.concatenate([path, np.repeat(path[-1:], max(0, 3 - len(path)), axis=0)])
