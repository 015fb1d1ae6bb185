"""The bar of long runs, drawn wherever someone may look."""

from __future__ import annotations

import os
import sys
from typing import Any

from tqdm.auto import tqdm

SIZE = {"ncols": 80, "nrows": 24}
"""Of terminals that do not say how large they are, such as those of containers; in no space tqdm draws nothing."""


def progress_bar(total: int, *, unit: str, shown: bool) -> tqdm:
    """A bar on the error stream, or in a notebook.

    Args:
        total: how much there is to do.
        unit: what is counted.
        shown: whether to draw it.
    """
    unknown = sys.stderr.isatty() and 0 in os.get_terminal_size(sys.stderr.fileno())
    size: dict[str, Any] = SIZE if unknown else {}
    return tqdm(total=total, unit=unit, disable=not shown, **size)
