"""Looking a file of labels over, and what of a damaged one can be used."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from lit_widget.widget.store.file import SessionFile, SessionFileError
from lit_widget.widget.store.mend import looked_over, mend

from .file import LABELS, open_labels, stored_in
from .keeping import entry_of, state_of

CHECKED: dict[str, Callable[[tuple, int, int], object]] = {"label": entry_of, "adapter": state_of}
"""Tables that are looked over row by row, with what reads a row."""


def examine_labels(path: str | os.PathLike) -> list[str]:
    """What is wrong with a file of labels, a sentence each; nothing if it is whole."""
    return looked_over(lambda: open_labels(path)[0], lambda file: (reason for *_, reason in _bad_rows(file)))


def repair_labels(path: str | os.PathLike) -> list[str]:
    """Write all that can be read to a new file in its place; the old one stays beside it.

    Returns:
        What was left out, a sentence each, the place of the old file last.

    Raises:
        SessionFileError: if it is missing, in use, or not even what the labels are of can be read.
    """
    return mend(path, LABELS, _leave_out)


def _leave_out(file: SessionFile) -> Iterator[str]:
    """Take damaged rows out of a file, and say which."""
    for table, rowid, reason in list(_bad_rows(file)):
        file.connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))  # noqa: S608
        yield f"left out: {reason}"


def _bad_rows(file: SessionFile) -> Iterator[tuple[str, int, str]]:
    """Rows that cannot be used: the table, where, and why."""
    stored = stored_in(file)
    for table, of_row in CHECKED.items():
        for rowid, *row in file.rows(f"SELECT rowid, * FROM {table}"):  # noqa: S608
            try:
                of_row(tuple(row), stored.n_images, len(stored.classes))
            except SessionFileError as error:
                yield table, rowid, str(error)
