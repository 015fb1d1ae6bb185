"""Saving what can be read of a damaged session file, whatever its session is of."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from .file import Kind, SessionFile, SessionFileError, SessionInUseError, connect, path_of, require_folder, require_kind

BACKUP = ".damaged"
"""Added to the name of a file that was replaced by a repaired one."""


def database_damage(file: SessionFile) -> list[str]:
    """What SQLite itself finds wrong, a sentence each."""
    checked = [text for (text,) in file.rows("PRAGMA integrity_check(10)")]
    return [] if checked == ["ok"] else [f"the database is damaged: {text}" for text in checked]


def looked_over(open_file: Callable[[], SessionFile], bad: Callable[[SessionFile], Iterator[str]]) -> list[str]:
    """What is wrong with a session file, a sentence each; nothing if it is whole.

    Args:
        open_file: opens it.
        bad: says what can be read and not used.
    """
    try:
        file = open_file()
    except SessionFileError as error:
        return [str(error)]
    try:
        with file.explained():
            return [*database_damage(file), *bad(file)]
    except SessionFileError as error:
        return [str(error)]
    finally:
        file.close()


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
    source = path_of(path)
    _require_free(source, kind)
    whole, kept = source.with_name(source.name + ".repaired"), _unused(source.with_name(source.name + BACKUP))
    try:
        lost = _rewrite(source, whole, kind, leave_out)
    except OSError as error:
        whole.unlink(missing_ok=True)
        raise SessionFileError(f"{source} is not repaired, since {whole} cannot be written ({error})") from None
    except (SessionFileError, sqlite3.Error):
        whole.unlink(missing_ok=True)
        raise SessionFileError(
            f"{source} cannot be repaired: too little of it can be read to tell what it is about; it is as it was"
        ) from None
    for suffix in ("", "-wal"):
        if (beside := source.with_name(source.name + suffix)).exists():
            beside.replace(kept.with_name(kept.name + suffix))
    whole.replace(source)
    return [*lost, f"the file as it was is {kept}"]


def _rewrite(source: Path, whole: Path, kind: Kind, leave_out: Callable[[SessionFile], Iterator[str]]) -> list[str]:
    """Write what can be read of one file to another; what was left out."""
    whole.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=source.parent, prefix=f".{source.name}.") as folder:
        # A copy is read, since already opening a damaged file can change it.
        for suffix in ("", "-wal"):
            if (beside := source.with_name(source.name + suffix)).exists():
                shutil.copy2(beside, Path(folder, source.name + suffix))
        damaged, mended = _opened(Path(folder, source.name), kind), SessionFile(whole, new=True, kind=kind)
        try:
            lost = [sentence for table in kind.tables for sentence in _copy(damaged, mended, table)]
            return [*dict.fromkeys(lost), *leave_out(mended)]
        finally:
            damaged.close()
            mended.close()


def _opened(path: Path, kind: Kind) -> sqlite3.Connection:
    """A connection to a damaged file, which it may change: tables get back what SQLite needs to find their rows."""
    try:
        SessionFile(path, new=False, kind=kind).close()  # brings a file of an earlier version to this one
    except SessionFileError:
        connection = connect(path)
        # So SQLite goes on where a file is too short or it cannot make sense of a table.
        connection.execute("PRAGMA writable_schema = ON")
        for table, sql in kind.tables.items():
            connection.execute("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (sql, table))
        connection.close()
    connection = connect(path)
    connection.execute("PRAGMA writable_schema = ON")
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection


def _require_free(source: Path, kind: Kind) -> None:
    """Refuse a file that is missing, or that someone writes: a file in its place would not get what they write."""
    if not source.is_file():
        raise SessionFileError(f"there is no session file {source}; give one that {kind.call} made")
    require_folder(source.parent)
    require_kind(source, kind)
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


def _copy(damaged: sqlite3.Connection, mended: SessionFile, table: str) -> Iterator[str]:
    """Copy a table row by row, from both ends up to where it can be read, without rows that hold what it cannot."""
    marks = ", ".join("?" for _ in mended.rows(f"PRAGMA table_info({table})"))
    for order in ("", " ORDER BY rowid DESC"):
        try:
            for row in damaged.execute(f"SELECT * FROM {table}{order}"):  # noqa: S608
                try:
                    mended.connection.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", row)  # noqa: S608
                except sqlite3.IntegrityError as error:
                    yield f"left out: a row of the table {table} ({error})"
                except sqlite3.Error as error:
                    # A full disk must not pass for damage of what is read.
                    raise OSError(str(error)) from error
        except sqlite3.Error as error:
            if not order:
                yield f"not all of the table {table} can be read ({error})"
        else:
            return
