"""The tables of a video's session file, and how a file of an earlier version gets them."""

from __future__ import annotations

VERSION = 2
"""Of the tables, in the file's `user_version`."""

KEYS = {"mask": ("object", "frame"), "prompt": ("object", "frame"), "adapter": ("object", "slot")}
"""What undo takes back, row by row: tables, and what a row of each is found by."""

_VALUES = {
    "mask": (
        "status TEXT, conditioning INTEGER, reverse INTEGER, iou REAL, score REAL, clicks INTEGER?, pointer BLOB, "
        "bits BLOB"
    ),
    "prompt": "points TEXT, first INTEGER, painted INTEGER, output BLOB?, base BLOB?, replaced BLOB?",
    "adapter": "version INTEGER, learned_from TEXT, report TEXT, weights BLOB",
}

COLUMNS = {
    table: (*KEYS[table], *(each.split()[0] for each in values.split(", "))) for table, values in _VALUES.items()
}
"""Names of their columns, in order."""

BLOBS = {
    table: tuple(each.split()[0] for each in values.split(", ") if "BLOB" in each) for table, values in _VALUES.items()
}
"""Those of them that make a row large."""


def _now(table: str) -> str:
    """Columns of what there is now; those with a question mark can be empty."""
    keys = ", ".join(f"{key} INTEGER NOT NULL" for key in KEYS[table])
    values = ", ".join(each[:-1] if each[-1] == "?" else f"{each} NOT NULL" for each in _VALUES[table].split(", "))
    return f"CREATE TABLE {table} ({keys}, {values}, PRIMARY KEY ({', '.join(KEYS[table])})) STRICT"


def _then(table: str) -> str:
    """The same of a step of undo; a row without values says that there was nothing then."""
    keys = ", ".join(f"{key} INTEGER NOT NULL" for key in ("step", *KEYS[table]))
    values = _VALUES[table].replace("?", "")
    return f"CREATE TABLE old_{table} ({keys}, {values}, PRIMARY KEY (step, {', '.join(KEYS[table])})) STRICT"


TABLES: dict[str, str] = {
    "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "object": (
        "CREATE TABLE object (id INTEGER PRIMARY KEY, name TEXT NOT NULL, colour TEXT NOT NULL, "
        "hidden INTEGER NOT NULL, locked INTEGER NOT NULL) STRICT"
    ),
    **{table: _now(table) for table in KEYS},
    "event": (
        "CREATE TABLE event (id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, object INTEGER, "
        "frame INTEGER, seconds REAL NOT NULL, detail TEXT NOT NULL) STRICT"
    ),
    "action": (
        "CREATE TABLE action (id INTEGER PRIMARY KEY, name TEXT NOT NULL, arguments TEXT NOT NULL, mask BLOB, "
        "by TEXT NOT NULL, at_s REAL NOT NULL, outcome TEXT NOT NULL, took_s REAL NOT NULL, reached INTEGER, "
        "told TEXT NOT NULL, frame INTEGER, object INTEGER, worked INTEGER NOT NULL) STRICT"
    ),
    "step": (
        "CREATE TABLE step (id INTEGER PRIMARY KEY, undone INTEGER NOT NULL, whole INTEGER NOT NULL, "
        "beside TEXT NOT NULL) STRICT"
    ),
    **{f"old_{table}": _then(table) for table in KEYS},
}
"""Every table, as SQLite keeps its text."""

MIGRATIONS: dict[int, tuple[str, ...]] = {
    1: (
        "ALTER TABLE prompt RENAME TO first",
        TABLES["prompt"],
        # Version 1 does not have the masks that corrections gave: without `output` they are prompted again.
        "INSERT INTO prompt SELECT object, frame, points, first, painted IS NOT NULL, NULL, painted, NULL FROM first",
        "DROP TABLE first",
        *(TABLES[table] for table in ("action", "step", "old_mask", "old_prompt", "old_adapter")),
    ),
}
"""Statements that bring a file of one version to the next, by the version that they start from."""
