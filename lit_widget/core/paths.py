"""Paths as users give them."""

from __future__ import annotations

import os
from pathlib import Path


def path_of(given: object) -> Path:
    """A path, with `~` filled in.

    Args:
        given: a text or a path.

    Raises:
        ValueError: if it is no path at all.
    """
    if not isinstance(given, (str, os.PathLike)) or "\0" in (text := os.fsdecode(given)) or not text:
        raise ValueError(f"a path is a text, such as 'folder/file', or a pathlib.Path, not {given!r}")
    return Path(text).expanduser()
