"""What is asked of the tables that undo takes back: SQL text made of their own names alone."""

from __future__ import annotations

from dataclasses import dataclass

from .tables import BLOBS, COLUMNS, KEYS

ROW = 64
"""Bytes of a row beside its masks or weights, about."""


@dataclass(frozen=True)
class Statements:
    """Of one table and of its twin for the steps of undo; a key is given before the values, a step before a key.

    Attributes:
        put: a row, in the place of one with its key.
        delete: a row, by its key.
        keep: copies a row to a step, by step and key; gives its size.
        back: copies a row from a step, by step and key.
        put_old: a row of a step.
        put_nothing: that a step has no such row, by step and key.
        delete_old: a row of a step; gives its size.
        clear_old: all rows of a step.
        clean_old: all rows of steps that there are not.
        read: all rows.
        read_old: all rows of a step, without the step.
    """

    put: str
    delete: str
    keep: str
    back: str
    put_old: str
    put_nothing: str
    delete_old: str
    clear_old: str
    clean_old: str
    read: str
    read_old: str

    @classmethod
    def of(cls, table: str) -> Statements:
        """Those of one table."""
        columns, marks = ", ".join(COLUMNS[table]), ", ".join("?" for _ in COLUMNS[table])
        at = " AND ".join(f"{name} = ?" for name in KEYS[table])
        size = " + ".join([str(ROW), *(f"ifnull(length({name}), 0)" for name in BLOBS[table])])
        return cls(
            f"INSERT OR REPLACE INTO {table} VALUES ({marks})",  # noqa: S608
            f"DELETE FROM {table} WHERE {at}",  # noqa: S608
            f"INSERT INTO old_{table} SELECT ?, {columns} FROM {table} WHERE {at} RETURNING {size}",  # noqa: S608
            f"INSERT OR REPLACE INTO {table} SELECT {columns} FROM old_{table} WHERE step = ? AND {at}",  # noqa: S608
            f"INSERT INTO old_{table} VALUES (?, {marks})",  # noqa: S608
            f"INSERT INTO old_{table} (step, {', '.join(KEYS[table])}) VALUES (?, ?, ?)",  # noqa: S608
            f"DELETE FROM old_{table} WHERE step = ? AND {at} RETURNING {size}",  # noqa: S608
            f"DELETE FROM old_{table} WHERE step = ?",  # noqa: S608
            f"DELETE FROM old_{table} WHERE step NOT IN (SELECT id FROM step)",  # noqa: S608
            f"SELECT {columns} FROM {table}",  # noqa: S608
            f"SELECT {columns} FROM old_{table} WHERE step = ?",  # noqa: S608
        )


STATEMENTS = {table: Statements.of(table) for table in KEYS}
"""By table."""
