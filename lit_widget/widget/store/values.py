"""Between values and what a file holds of them; reading trusts nothing."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lit_widget.video.sam2 import Points

from .file import SessionFileError

MOST_POINTS = 10_000
"""Clicks on one frame."""


def pack_pointer(pointer: Float[Tensor, " d"]) -> bytes:
    """An object pointer in half precision, which memory attention does not tell from full."""
    return pointer.detach().cpu().to(torch.float16).numpy().tobytes()


def check_pointer(data: object, length: int) -> bytes:
    """An object pointer of a known length, as it is in the file.

    Raises:
        SessionFileError: if it is none.
    """
    if not isinstance(data, bytes) or len(data) != 2 * length:
        raise SessionFileError("the file was written with a model of another size; open it with that model")
    return data


def unpack_pointer(data: bytes, device: torch.device) -> Float[Tensor, " d"]:
    """An object pointer."""
    pointer = torch.from_numpy(np.frombuffer(data, np.float16).astype(np.float32)).to(device)
    return pointer.nan_to_num()


def pack_points(points: Points) -> str:
    """Clicks and a box as JSON."""
    return json.dumps({"xy": points.xy, "labels": points.labels, "box": points.box})


def unpack_points(text: object, size: tuple[int, int]) -> Points:
    """Clicks and a box within a frame of (height, width).

    Raises:
        SessionFileError: if they are none.
    """
    value = from_json(text, dict)
    xy, labels, box = value.get("xy"), value.get("labels"), value.get("box")
    height, width = size

    def inside(x: object, y: object) -> bool:
        return number(x) and number(y) and 0 <= x <= width and 0 <= y <= height  # pyright: ignore[reportOperatorIssue]

    fine = (
        isinstance(xy, list)
        and isinstance(labels, list)
        and len(xy) == len(labels) <= MOST_POINTS
        and all(isinstance(each, list) and len(each) == 2 and inside(*each) for each in xy)
        and all(each in (0, 1) for each in labels)
        and (box is None or (isinstance(box, list) and len(box) == 4 and inside(*box[:2]) and inside(*box[2:])))
    )
    if not fine:
        raise SessionFileError("a prompt in the file is damaged")
    assert isinstance(xy, list)
    assert isinstance(labels, list)
    corners = None if box is None else (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
    return Points(tuple((float(x), float(y)) for x, y in xy), tuple(int(each) for each in labels), corners)


def from_json(text: object, kind: type) -> Any:
    """A JSON value of a type.

    Raises:
        SessionFileError: if it is none.
    """
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, kind):
        raise SessionFileError(f"a value in the file is damaged: expected a JSON {kind.__name__}")
    return value


def number(value: object) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def whole(value: object) -> int:
    """A number that counts something.

    Raises:
        SessionFileError: if it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise SessionFileError(f"the file holds {value!r} where a whole number belongs; it is damaged")
    return value
