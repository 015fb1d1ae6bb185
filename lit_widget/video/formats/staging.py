"""Writing all or nothing: into a hidden place beside the target, renamed when complete."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .format import Holds
from .mask_set import FormatError


@contextmanager
def staged(target: Path, *, overwrite: bool, holds: Holds | None = None) -> Iterator[Path]:
    """A path to write to; it becomes the target when the block ends well, and else leaves nothing.

    Args:
        target: the file or folder to appear.
        overwrite: whether one that is there may be replaced.
        holds: whether a file is part of such a folder; one that holds anything else is never replaced.
            `None` for a file.

    Raises:
        FormatError: if the target must not be written; what is there stays as it is.
    """
    check_target(target, overwrite=overwrite, holds=holds)
    try:
        hidden = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", dir=target.parent))
    except OSError as error:
        raise FormatError(f"{target.parent} cannot be written to: {error.strerror}") from None
    try:
        fresh = hidden / "new"
        if holds:
            fresh.mkdir()
        yield fresh
        if target.is_dir():
            _exchange(fresh, target, hidden / "old")
        else:
            fresh.replace(target)
    except OSError as error:
        raise FormatError(f"{target} cannot be written: {error.strerror or error}; nothing was changed") from None
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _exchange(fresh: Path, target: Path, old: Path) -> None:
    target.replace(old)
    try:
        fresh.replace(target)
    except BaseException:
        old.replace(target)
        raise


def check_target(target: Path, *, overwrite: bool, holds: Holds | None) -> None:
    """Refuse to write where something is that must stay; the arguments are those of `staged`.

    Raises:
        FormatError: saying what is there.
    """
    if not target.parent.is_dir():
        raise FormatError(f"there is no folder to write {target} in; make {target.parent} first")
    if not target.name or target.is_symlink():
        raise FormatError(f"{target} is a link or no name; give the path of a new file or folder")
    if not target.exists():
        return
    if target.is_dir() != bool(holds):
        wanted = "folder" if holds else "file"
        raise FormatError(f"{target} is not a {wanted}, and this format is written as a {wanted}; give another path")
    if not holds and not overwrite:
        raise FormatError(f"{target} exists; give another path, or overwrite=True (--overwrite)")
    if holds and not overwrite and any(target.iterdir()):
        raise FormatError(f"the folder {target} is not empty; give another path, or overwrite=True (--overwrite)")
    strange = next((each for each in target.rglob("*") if not _written(each, target, holds)), None) if holds else None
    if strange is not None:
        place = strange.relative_to(target).as_posix()
        raise FormatError(f"{target} holds {place}, which is no such export; remove it or give another path")


def check_apart(target: Path, sources: Iterable[Path]) -> None:
    """Refuse a target that is, holds or lies in what the video is read from.

    Raises:
        FormatError: naming the video.
    """
    wanted = target.resolve()
    for each in sources:
        source = each.expanduser().resolve()
        if wanted == source or wanted in source.parents or source in wanted.parents:
            raise FormatError(f"{target} is where the video itself lies, at {each}; give a path apart from it")


def _written(path: Path, target: Path, holds: Holds) -> bool:
    """Whether this may be part of an earlier export."""
    return not path.is_symlink() and (path.is_dir() or holds(path, path.relative_to(target).as_posix()))
