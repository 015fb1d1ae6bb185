"""Looking a session file over, and saving what can be saved of a damaged one."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from lit_widget.widget.codec import decode_mask
from lit_widget.widget.messages import MessageError

from .file import TABLES, SessionFile, SessionFileError, SessionInUseError
from .reader import Stored, read
from .values import from_json, number, unpack_points

BACKUP = ".damaged"
"""Added to the name of a file that was replaced by a repaired one."""


def examine(path: str | os.PathLike) -> list[str]:
    """What is wrong with a session file, a sentence each; nothing if it is whole."""
    try:
        file = SessionFile(path, new=False)
    except SessionFileError as error:
        return [str(error)]
    try:
        with file.explained():
            return _findings(file)
    except SessionFileError as error:
        return [str(error)]
    finally:
        file.close()


def _findings(file: SessionFile) -> list[str]:
    checked = [text for (text,) in file.rows("PRAGMA integrity_check(10)")]
    found = [] if checked == ["ok"] else [f"the database is damaged: {text}" for text in checked]
    stored = read(file)
    return found + [reason for table in ("mask", "prompt", "adapter") for _, reason in _bad_rows(file, table, stored)]


def repair(path: str | os.PathLike) -> list[str]:
    """Write all that can be read to a new file in its place; the old one stays beside it.

    Returns:
        What was left out, a sentence each, the place of the old file last.

    Raises:
        SessionFileError: if it is missing, in use, or not even what the session is about can be read.
    """
    source = Path(path).expanduser().absolute()
    whole, kept = source.with_name(source.name + ".repaired"), _unused(source.with_name(source.name + BACKUP))
    _require_free(source)
    whole.unlink(missing_ok=True)
    # A copy is read, so that what is there stays as it is until there is something better.
    for suffix in ("", "-wal"):
        if (beside := source.with_name(source.name + suffix)).exists():
            shutil.copy2(beside, kept.with_name(kept.name + suffix))
    damaged, mended = SessionFile(kept, new=False), SessionFile(whole, new=True)
    try:
        lost = [sentence for table in TABLES for sentence in _copy(damaged, mended, table)]
        stored = read(mended)
        for table in ("mask", "prompt", "adapter"):
            for rowid, reason in list(_bad_rows(mended, table, stored)):
                mended.connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))  # noqa: S608
                lost.append(f"left out: {reason}")
    except SessionFileError:
        whole.unlink(missing_ok=True)
        raise
    finally:
        damaged.close()
        mended.close()
    source.with_name(source.name + "-wal").unlink(missing_ok=True)
    whole.replace(source)
    return [*lost, f"the file as it was is {kept}"]


def _require_free(source: Path) -> None:
    """Refuse a file that is missing, or that someone writes: a file in its place would not get what they write."""
    if not source.is_file():
        raise SessionFileError(f"there is no session file {source}; give one that LITWidget(video, session=PATH) made")
    try:
        SessionFile(source, new=False).close()
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


def _bad_rows(file: SessionFile, table: str, stored: Stored) -> Iterator[tuple[int, str]]:
    """Rows that cannot be used, with the reason."""
    if table == "mask":
        for rowid, object_id, frame, iou, score, bits in file.rows(
            "SELECT rowid, object, frame, iou, score, bits FROM mask"
        ):
            fine = number(frame) and 0 <= frame < stored.n_frames and number(iou) and number(score)
            if not (fine and _inflates(bits, stored.size)):
                yield rowid, f"the mask of object {object_id} on frame {frame} is damaged"
    elif table == "prompt":
        for rowid, frame, points in file.rows("SELECT rowid, frame, points FROM prompt"):
            try:
                unpack_points(points, stored.size)
            except SessionFileError:
                yield rowid, f"the prompts on frame {frame} are damaged"
    else:
        for rowid, object_id, learned_from, weights in file.rows(
            "SELECT rowid, object, learned_from, weights FROM adapter"
        ):
            if not _loads(learned_from, weights):
                yield rowid, f"the adapter of object {object_id} is damaged"


def _inflates(bits: object, size: tuple[int, int]) -> bool:
    try:
        decode_mask(bits if isinstance(bits, bytes) else b"", size)
    except MessageError:
        return False
    return True


def _loads(learned_from: object, weights: object) -> bool:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        from_json(learned_from, list)
        return isinstance(weights, bytes) and all(bool(tensor.isfinite().all()) for tensor in load(weights).values())
    except (SafetensorError, SessionFileError, ValueError, KeyError):
        return False
