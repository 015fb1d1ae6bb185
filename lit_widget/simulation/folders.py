"""Folders for results, tried before anything is computed."""

from __future__ import annotations

import tempfile
from pathlib import Path


def make_writable(folder: Path) -> None:
    """Make a folder, unless it is there, and see that it can be written to.

    Raises:
        ValueError: if it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"results cannot be written to {folder} ({error.strerror}); give a folder that can be written to"
        ) from None
