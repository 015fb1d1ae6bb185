"""Bilinear enlargement of masks with a quick gradient: in bands, each of which needs only the few rows it lies on."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

BAND = 16
"""At most so many rows are enlarged by one matrix; its zeros grow with them, and what is shared shrinks."""


class Enlargement:
    """Resizing of a mask to a multiple of its size, as `F.interpolate` does it (bilinear, corners not aligned).

    Args:
        low: height and width before.
        high: after; each a multiple.
        device: where masks are.
    """

    def __init__(self, low: tuple[int, int], high: tuple[int, int], device: torch.device) -> None:
        self._rows, self._columns = (
            band_matrix(math.gcd(short, BAND), long // short).to(device) for short, long in zip(low, high, strict=True)
        )

    def __call__(self, mask: Float[Tensor, "h w"]) -> Float[Tensor, "h2 w2"]:
        """The mask enlarged."""
        wide = _Enlarged.apply(mask.T, self._columns)
        return _Enlarged.apply(wide.T, self._rows)


def band_matrix(rows: int, times: int) -> Float[Tensor, "long short"]:
    """What makes of a band, with a row more above and below, its enlarged rows."""
    whole = F.interpolate(torch.eye(rows + 2)[None], scale_factor=times, mode="linear", align_corners=False)[0].T
    return whole[times:-times].contiguous()


class _Enlarged(torch.autograd.Function):
    """Rows enlarged band by band, of an image whose first and last row go on beyond it."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, matrix: Tensor) -> Tensor:
        ctx.save_for_backward(matrix)
        padded = torch.cat([image[:1], image, image[-1:]])
        reach = matrix.shape[1]
        return (matrix @ padded.unfold(0, reach, reach - 2).mT).flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        (matrix,) = ctx.saved_tensors
        parts = matrix.T @ outer[0].unflatten(0, (-1, len(matrix)))
        above, own, below = parts[:, 0], parts[:, 1:-1].contiguous(), parts[:, -1]
        # What a band owes to the rows beyond it is its neighbour's, or its own at the border of the image.
        own[:, 0] += torch.cat([above[:1], below[:-1]])
        own[:, -1] += torch.cat([above[1:], below[-1:]])
        return own.flatten(0, 1), None
