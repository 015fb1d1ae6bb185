"""J: how well the regions of two masks agree."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

Mask = Bool[np.ndarray, "h w"]


def iou(predicted: Mask, target: Mask, valid: Mask | None = None) -> float:
    """Intersection over union, J of DAVIS; 1 if both masks are empty.

    Args:
        predicted: one mask.
        target: the other.
        valid: pixels that count; None: all.
    """
    both, either = areas(counted(predicted, valid), counted(target, valid))
    return both / either if either else 1.0


def areas(predicted: Mask, target: Mask) -> tuple[int, int]:
    """Pixels in the intersection and in the union."""
    return int(np.count_nonzero(predicted & target)), int(np.count_nonzero(predicted | target))


def counted(mask: Mask, valid: Mask | None) -> Mask:
    """The part of a mask that counts."""
    return mask if valid is None else mask & valid
