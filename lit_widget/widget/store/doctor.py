"""Looking a session file over, and saving what can be saved of a damaged one."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from lit_widget.video.memory import FrameStatus
from lit_widget.widget.codec import decode_mask
from lit_widget.widget.messages import MessageError

from .actions import action_of
from .beside import unpack_beside
from .file import SessionFile, SessionFileError, SessionInUseError
from .reader import Stored, read
from .rows import adapter_of
from .statements import STATEMENTS
from .tables import KEYS, TABLES
from .values import number, unpack_points

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
    return found + [reason for table in CHECKED for _, reason in _bad_rows(file, table, stored)]


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
        for table in CHECKED:
            for rowid, reason in list(_bad_rows(mended, table, stored)):
                if table in STEP_OF:
                    _cut_off(mended, mended.rows(f"SELECT {STEP_OF[table]} FROM {table} WHERE rowid = ?", rowid))  # noqa: S608
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


def _cut_off(file: SessionFile, steps: list[tuple]) -> None:
    """Take a damaged step out, and those that are told apart from it: undo goes no further than to the one before."""
    for (step,) in steps:
        query = "SELECT id FROM step WHERE id <= ? AND undone = (SELECT undone FROM step WHERE id = ?)"
        gone = [*file.rows(query, step, step), (step,)]
        file.connection.executemany("DELETE FROM step WHERE id = ?", gone)
        for table in KEYS:
            file.connection.executemany(STATEMENTS[table].clear_old, gone)


def _bad_rows(file: SessionFile, table: str, stored: Stored) -> Iterator[tuple[int, str]]:
    """Rows that cannot be used, with the reason."""
    names = [name for _, name, *_ in file.rows(f"PRAGMA table_info({table})")]
    for rowid, *values in file.rows(f"SELECT rowid, * FROM {table}"):  # noqa: S608
        row = dict(zip(names, values, strict=True))
        # A row of a step that says nothing but its key says that there was nothing.
        key = {"step", *KEYS.get(table.removeprefix("old_"), ())}
        if "step" in row and all(value is None for name, value in row.items() if name not in key):
            continue
        try:
            reason = _CHECKS[table.removeprefix("old_")](row, stored)
        except (SessionFileError, TypeError) as error:
            reason = str(error)
        if reason:
            yield rowid, f"{reason} at step {row['step']} of undo" if "step" in row else reason


def _bad_mask(row: dict[str, Any], stored: Stored) -> str:
    frame, fine = row["frame"], number(row["iou"]) and number(row["score"]) and row["status"] in get_args(FrameStatus)
    known = number(frame) and 0 <= frame < stored.n_frames
    whole = known and fine and isinstance(row["pointer"], bytes) and _inflates(row["bits"], stored.size)
    return "" if whole else f"the mask of object {row['object']} on frame {frame} is damaged"


def _bad_prompt(row: dict[str, Any], stored: Stored) -> str:
    try:
        unpack_points(row["points"], stored.size)
        fine = all(isinstance(row[name], bytes | None) for name in ("output", "base", "replaced"))
    except SessionFileError:
        fine = False
    return "" if fine else f"the prompts on frame {row['frame']} are damaged"


def _bad_adapter(row: dict[str, Any], _: Stored) -> str:
    try:
        adapter_of((row["version"], row["learned_from"], row["report"], row["weights"]))
    except SessionFileError:
        return f"the adapter of object {row['object']} is damaged"
    return ""


def _bad_step(row: dict[str, Any], stored: Stored) -> str:
    try:
        unpack_beside(row["beside"], stored.n_frames)
    except SessionFileError as error:
        return f"step {row['id']} of undo is damaged: {error}"
    return ""


def _bad_action(row: dict[str, Any], stored: Stored) -> str:
    try:
        action_of(list(row.values())[1:])
    except SessionFileError:
        return f"action {row['id']} is damaged"
    fine = row["mask"] is None or _inflates(row["mask"], stored.size)
    return "" if fine else f"the painted mask of action {row['id']} is damaged"


_CHECKS: dict[str, Callable[[dict[str, Any], Stored], str]] = {
    "mask": _bad_mask,
    "prompt": _bad_prompt,
    "adapter": _bad_adapter,
    "step": _bad_step,
    "action": _bad_action,
}

STEP_OF = {"step": "id", **{f"old_{table}": "step" for table in KEYS}}
"""Tables whose damage ends undo, with the column that says at which step."""

CHECKED = (*KEYS, *STEP_OF, "action")
"""Tables that are looked over row by row."""


def _inflates(bits: object, size: tuple[int, int]) -> bool:
    try:
        decode_mask(bits if isinstance(bits, bytes) else b"", size)
    except MessageError:
        return False
    return True
