"""Looking a video's session file over, and what of a damaged one can be used."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, get_args

from lit_widget.video.memory import FrameStatus
from lit_widget.widget.codec import decode_mask
from lit_widget.widget.messages import MessageError

from .actions import action_of
from .beside import unpack_beside
from .file import VIDEO, SessionFile, SessionFileError
from .mend import looked_over, mend
from .reader import Stored, read
from .rows import adapter_of
from .statements import STATEMENTS
from .tables import KEYS
from .values import number, unpack_points


def examine(path: str | os.PathLike) -> list[str]:
    """What is wrong with a session file, a sentence each; nothing if it is whole."""
    return looked_over(lambda: SessionFile(path, new=False), _reasons)


def _reasons(file: SessionFile) -> Iterator[str]:
    stored = read(file)
    return (reason for table in CHECKED for _, reason in _bad_rows(file, table, stored))


def repair(path: str | os.PathLike) -> list[str]:
    """Write all that can be read to a new file in its place; the old one stays beside it.

    Returns:
        What was left out, a sentence each, the place of the old file last.

    Raises:
        SessionFileError: if it is missing, in use, or not even what the session is about can be read.
    """
    return mend(path, VIDEO, _leave_out)


def _leave_out(file: SessionFile) -> Iterator[str]:
    """Take damaged rows out of a file, and say which."""
    stored = read(file)
    for table in CHECKED:
        for rowid, reason in list(_bad_rows(file, table, stored)):
            if table in STEP_OF:
                _cut_off(file, file.rows(f"SELECT {STEP_OF[table]} FROM {table} WHERE rowid = ?", rowid))  # noqa: S608
            file.connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))  # noqa: S608
            yield f"left out: {reason}"


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
