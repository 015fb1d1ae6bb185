"""How much a stranger's file may ask for, and what it may call things."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lit_widget.video.frames import IMAGE_FPS

from .mask_set import FormatError

MAX_PIXELS = 2**26
"""Of one frame: 8192 × 8192."""

MAX_FRAMES = 1_000_000

MAX_FPS = 100_000

MAX_FILE_BYTES = 2**30
"""Of a file that is read as a whole."""

MAX_NAME = 80
"""Characters of a name."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def file_name(name: str) -> str:
    """A name as part of a path: letters, digits and `_.-` only, never empty, hidden or a way out of the folder."""
    return re.sub(r"[^\w.-]+", "_", name)[:MAX_NAME].strip("._") or "video"


def shown_name(name: object, otherwise: str) -> str:
    """A name that users may be shown: one line of printable characters."""
    if not isinstance(name, str):
        return otherwise
    printable = "".join(each if each.isprintable() else " " for each in name[: 4 * MAX_NAME])
    return " ".join(printable.split())[:MAX_NAME].strip() or otherwise


def shown_colour(colour: object, otherwise: str) -> str:
    """A colour, or another one where it is none."""
    return colour if isinstance(colour, str) and _COLOUR.fullmatch(colour) else otherwise


def shown_fps(fps: object) -> float:
    """Frames per second, and those of images where a file gives none that can be."""
    return float(fps) if isinstance(fps, int | float) and 0 < fps < MAX_FPS else IMAGE_FPS


def checked_size(height: object, width: object, where: str) -> tuple[int, int]:
    """(height, width) of frames.

    Raises:
        FormatError: if they cannot be those of a video.
    """
    if not (isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0):
        raise FormatError(f"{where} gives no frame size; expected height and width in pixels, got {height} and {width}")
    if height * width > MAX_PIXELS:
        raise FormatError(f"{where} has frames of {width} × {height} pixels; at most {MAX_PIXELS} pixels are read")
    return int(height), int(width)


def checked_number(value: object, least: int, most: int, what: str) -> int:
    """A whole number within limits.

    Raises:
        FormatError: if it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise FormatError(f"{what} must be a whole number from {least} to {most}, got {str(value)[:40]!r}")
    return value


def read_bytes(path: Path, most: int = MAX_FILE_BYTES) -> bytes:
    """A whole file of at most so many bytes.

    Raises:
        FormatError: if it cannot be read or is too large.
    """
    try:
        if path.stat().st_size > most:
            raise FormatError(f"{path} is larger than {most // 2**20} MiB; split it")
        return path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror or error}") from None


def read_text(path: Path, most: int = MAX_FILE_BYTES) -> str:
    """A whole text file in UTF-8.

    Raises:
        FormatError: if it cannot be read, is too large or no text.
    """
    try:
        return read_bytes(path, most).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FormatError(f"{path} is not a text in UTF-8") from None


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        FormatError: if it holds none.
    """
    try:
        content = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path} is not JSON: {str(error)[:200]}") from None
    if not isinstance(content, dict):
        raise FormatError(f"{path} holds a {type(content).__name__}; expected a JSON object")
    return content


def entries(content: dict[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    """A list of objects inside a JSON object.

    Raises:
        FormatError: if it is something else.
    """
    found = content.get(key)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise FormatError(f"{where} has no list of objects {key!r}; is it another format?")
    return found
