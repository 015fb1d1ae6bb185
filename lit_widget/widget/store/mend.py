"""Saving what can be read of a damaged session file, whatever its session is of."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from .file import Kind, SessionFile, SessionFileError, SessionInUseError

BACKUP = ".damaged"
"""Added to the name of a file that was replaced by a repaired one."""


def database_damage(file: SessionFile) -> list[str]:
    """What SQLite itself finds wrong, a sentence each."""
    checked = [text for (text,) in file.rows("PRAGMA integrity_check(10)")]
    return [] if checked == ["ok"] else [f"the database is damaged: {text}" for text in checked]


def mend(path: str | os.PathLike, kind: Kind, leave_out: Callable[[SessionFile], Iterator[str]]) -> list[str]:
    """Write all that can be read to a new file in its place; the old one stays beside it.

    Args:
        path: the damaged file.
        kind: what its session is of.
        leave_out: takes out of the new file what can be read and not used, and says what.

    Returns:
        What was left out, a sentence each, the place of the old file last.

    Raises:
        SessionFileError: if it is missing, in use, or not even what the session is about can be read.
    """
    source = Path(path).expanduser().absolute()
    whole, kept = source.with_name(source.name + ".repaired"), _unused(source.with_name(source.name + BACKUP))
    _require_free(source, kind)
    whole.unlink(missing_ok=True)
    # A copy is read, so that what is there stays as it is until there is something better.
    for suffix in ("", "-wal"):
        if (beside := source.with_name(source.name + suffix)).exists():
            shutil.copy2(beside, kept.with_name(kept.name + suffix))
    damaged, mended = SessionFile(kept, new=False, kind=kind), SessionFile(whole, new=True, kind=kind)
    try:
        lost = [sentence for table in kind.tables for sentence in _copy(damaged, mended, table)]
        lost += leave_out(mended)
    except SessionFileError:
        whole.unlink(missing_ok=True)
        raise
    finally:
        damaged.close()
        mended.close()
    source.with_name(source.name + "-wal").unlink(missing_ok=True)
    whole.replace(source)
    return [*lost, f"the file as it was is {kept}"]


def _require_free(source: Path, kind: Kind) -> None:
    """Refuse a file that is missing, or that someone writes: a file in its place would not get what they write."""
    if not source.is_file():
        raise SessionFileError(f"there is no session file {source}; give one that {kind.call} made")
    try:
        SessionFile(source, new=False, kind=kind).close()
    except SessionInUseError:
        raise
    except SessionFileError:
        return


def _unused(path: Path) -> Path:
    """A name that no earlier backup has."""
    names = (path if not n else path.with_name(f"{path.name}.{n}") for n in itertools.count())
    return next(name for name in names if not name.exists())


def _copy(damaged: SessionFile, mended: SessionFile, table: str) -> Iterator[str]:
    """Copy a table row by row, up to where it can be read; a row with a value of another type is left out."""
    marks = ", ".join("?" for _ in mended.rows(f"PRAGMA table_info({table})"))
    try:
        for row in damaged.connection.execute(f"SELECT * FROM {table}"):  # noqa: S608
            try:
                mended.connection.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", row)  # noqa: S608
            except sqlite3.IntegrityError as error:
                yield f"left out: a row of the table {table} ({error})"
    except (sqlite3.Error, UnicodeError) as error:
        yield f"the rest of the table {table} cannot be read ({error})"
