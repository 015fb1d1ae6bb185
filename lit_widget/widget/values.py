"""Whether JSON values are what a message's annotations say, within bounds."""

from __future__ import annotations

import math
from typing import Any, get_args, get_origin

MAX_INDICES = 256
"""Most frames that one request may name."""

MAX_TEXT = 200
"""Most characters of a text from a view."""


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of the annotated type; numbers must be finite and integers exact."""
    if hint is bool or hint is type(None):
        return isinstance(value, hint)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31
    if hint is float:
        return isinstance(value, float) and math.isfinite(value)
    if hint is str:
        return isinstance(value, str) and len(value) <= MAX_TEXT
    if get_origin(hint) is list:
        (inner,) = get_args(hint)
        return isinstance(value, list) and len(value) <= MAX_INDICES and all(fits(item, inner) for item in value)
    return any(fits(value, arm) for arm in get_args(hint))
