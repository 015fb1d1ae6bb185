"""What cannot be done here, said before any work begins."""

from __future__ import annotations

import operator
from numbers import Integral

import numpy as np
from jaxtyping import Bool

Size = tuple[int, int]
"""(height, width) in pixels."""


class AnnotationError(ValueError):
    """Something asked for that cannot be done here; the sentence says what to do instead."""


def whole_number(frame: object) -> int:
    """A frame's index as an int.

    Raises:
        AnnotationError: if it is none.
    """
    try:
        return operator.index(frame)  # type: ignore[arg-type]
    except TypeError:
        raise AnnotationError(f"a frame is a whole number, got {frame!r}") from None


def memory_bytes(megabytes: int | None) -> int | None:
    """How much a widget keeps in memory of encoded frames and masks; `None` leaves it to the device.

    Raises:
        AnnotationError: if it is not a whole number of megabytes.
    """
    if megabytes is None:
        return None
    if isinstance(megabytes, bool) or not isinstance(megabytes, Integral) or megabytes < 1:
        raise AnnotationError(f"memory_mb is a whole number of megabytes from 1, for example 128, got {megabytes!r}")
    return int(megabytes) * 2**20


def check_frame(frame: int, n_frames: int) -> None:
    """Refuse frames outside the video.

    Raises:
        AnnotationError: naming what exists.
    """
    if not 0 <= frame < n_frames:
        raise AnnotationError(f"frame {frame} does not exist; frames are 0 to {n_frames - 1}")


def check_range(first: int, last: int, n_frames: int) -> None:
    """Refuse ranges of frames that are not in the video, or end before they begin.

    Raises:
        AnnotationError: saying what was given.
    """
    check_frame(first, n_frames)
    check_frame(last, n_frames)
    if first > last:
        raise AnnotationError(f"the range begins on frame {first} and ends before it, on {last}")


def check_point(size: Size, x: float, y: float) -> None:
    """Refuse points outside the frame.

    Raises:
        AnnotationError: giving the frame's size.
    """
    height, width = size
    if not (0 <= x < width and 0 <= y < height):
        raise AnnotationError(
            f"the click ({x:g}, {y:g}) is outside the frame; x must be from 0 to {width - 1}, y from 0 to {height - 1}"
        )


def check_box(size: Size, corners: tuple[float, float, float, float]) -> None:
    """Refuse boxes that are empty or not in the frame.

    Raises:
        AnnotationError: giving the frame's size.
    """
    height, width = size
    x0, y0, x1, y1 = corners
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise AnnotationError(
            f"the box {corners} does not lie in the frame; give (x0, y0, x1, y1) with x0 < x1 <= {width} "
            f"and y0 < y1 <= {height}"
        )


def checked_mask(size: Size, mask: object) -> Bool[np.ndarray, "h w"]:
    """A mask of bool, or of 0 and 1, as one of bool.

    Raises:
        AnnotationError: if its shape or values do not fit.
    """
    given = np.asarray(mask)
    if given.shape != size:
        raise AnnotationError(f"the mask has shape {given.shape}; expected (height, width) = {size}")
    if given.dtype != bool and not (given.dtype.kind in "ui" and given.max(initial=0) <= 1):
        raise AnnotationError(f"the mask has dtype {given.dtype}; expected bool, or 0 and 1; use mask > 0")
    return given.astype(bool)
