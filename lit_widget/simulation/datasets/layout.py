"""Finding one's way in the folders of a data set, and saying what is missing in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .sequence import DatasetError


def require_folder(path: Path, layout: str) -> Path:
    """The folder itself, if it is there."""
    if not path.is_dir():
        raise DatasetError(f"there is no folder {path}; {layout}")
    return path


def read_names(path: Path, layout: str) -> list[str]:
    """The lines of a list of videos."""
    if not path.is_file():
        raise DatasetError(f"there is no list {path}; {layout}")
    names = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    if not names:
        raise DatasetError(f"the list {path} is empty; {layout}")
    return names


def read_videos(path: Path, layout: str) -> dict[str, Any]:
    """What a `meta.json` says of each video."""
    if not path.is_file():
        raise DatasetError(f"there is no file {path}; {layout}")
    try:
        return dict(json.loads(path.read_text())["videos"])
    except (ValueError, KeyError, TypeError):
        raise DatasetError(f'{path} is damaged: it should be JSON with an object "videos"; {layout}') from None


def split_folder(root: Path, split: str, layout: str) -> Path:
    """The folder of one split, which may be the one given."""
    if root.name == split and (root / "JPEGImages").is_dir():
        return root
    return require_folder(root / split, layout)


def video_names(folder: Path, layout: str) -> list[str]:
    """The names of the folders in one folder, in order."""
    names = sorted(path.name for path in require_folder(folder, layout).iterdir() if path.is_dir())
    found = [name for name in names if not name.startswith(".")]
    if not found:
        raise DatasetError(f"{folder} holds no video; {layout}")
    return found
