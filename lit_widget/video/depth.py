"""How deep inside a mask its pixels lie."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import distance_transform_edt


def depth_of(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Distance of every pixel to the nearest one outside the mask, in pixels; beyond the image all is outside."""
    return np.asarray(distance_transform_edt(np.pad(mask, 1)))[1:-1, 1:-1]


def deepest(mask: Bool[np.ndarray, "h w"]) -> tuple[float, float]:
    """The pixel (x, y) that is farthest from all outside; of several the first in reading order."""
    depth = depth_of(mask)
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return float(x), float(y)
