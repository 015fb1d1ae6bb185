"""What every reader of a published layout needs: files that must be there, and sentences for those that are not."""

from __future__ import annotations

from pathlib import Path

from lit_widget.images.sources import FileSource, ImageError


def require(path: Path, layout: str) -> Path:
    """A path that exists.

    Raises:
        ImageError: if it does not; the message says what the layout should be.
    """
    if not path.exists():
        raise ImageError(f"there is no {path}; {layout}")
    return path


def read_lines(path: Path, layout: str) -> list[str]:
    """The lines of a text file that are not blank.

    Raises:
        ImageError: if there is no such file, or nothing in it.
    """
    lines = [line.strip() for line in require(path, layout).read_text("utf-8").splitlines()]
    found = [line for line in lines if line]
    if not found:
        raise ImageError(f"{path} is empty; {layout}")
    return found


def read_numbered(path: Path, layout: str) -> dict[int, str]:
    """A file whose lines are a number, a space and a text.

    Raises:
        ImageError: if there is no such file, a line is otherwise, or a number comes twice.
    """
    found: dict[int, str] = {}
    for at, line in enumerate(read_lines(path, layout), 1):
        number, _, text = line.partition(" ")
        if not number.isdigit() or not text or int(number) in found:
            raise ImageError(
                f"line {at} of {path} is {line!r}; expected a number of its own, a space and a text; {layout}"
            )
        found[int(number)] = text
    return found


def files(paths: list[Path], layout: str) -> list[FileSource]:
    """Sources of files that exist.

    Raises:
        ImageError: if one does not.
    """
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise ImageError(f"{len(missing)} of {len(paths)} images are missing, the first is {missing[0]}; {layout}")
    return [FileSource(path) for path in paths]


def spoken(name: str) -> str:
    """A name in words: underscores and slashes are spaces."""
    return " ".join(name.replace("_", " ").replace("/", " ").split())
