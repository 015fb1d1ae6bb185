"""The steps that undo and redo go to, in a file: of each only what is other than in the step that follows it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lit_widget.core.history import Checkpoint

from .beside import pack_beside
from .contents import Changed, Contents, Key, at, difference, past
from .rows import blobs, row_of
from .statements import ROW, STATEMENTS
from .tables import KEYS

if TYPE_CHECKING:
    from lit_widget.widget.annotation import Annotation

ROOM = 0.6
"""How large steps may be beside the rest of a file; those that go back further are left out."""

LEAST_ROOM = 4 * 2**20
"""Bytes that they may have in a small file."""

Keys = dict[str, frozenset[Key]]


@dataclass(frozen=True)
class Step:
    """One step as the file has it.

    Attributes:
        id: of its row; a step that was made later has a greater one.
        state: that is gone back to.
        undone: whether `redo` goes there, and not `undo`.
        after: the state on the way to the present that it is told apart from; `None` for the present itself.
        keys: where it is other than that, by table.
        size: bytes in the file, about.
    """

    id: int
    state: Checkpoint
    undone: bool
    after: Checkpoint | None
    keys: Keys
    size: int

    @property
    def whole(self) -> bool:
        """Whether masks, prompts and adapters are gone back to, and not objects and the range alone."""
        return self.state.snapshot is not None


Known = dict[int, Step]
"""Steps by the identity of their state, which they keep alive."""


@dataclass(frozen=True)
class Kept:
    """What becomes of the steps of a history.

    Attributes:
        steps: that the file has from now on.
        left_out: states for which there was no room; they come in again only as the nearest.
    """

    steps: Known
    left_out: dict[int, Checkpoint]


class Steps:
    """Keeps the steps of a file in step with an annotation's history.

    Writing goes in three parts within one transaction: `keep` while the tables have what was there before, `put` for
    what has changed, `drop` when nothing is needed of it any more. `done` is called once all that is in the file.

    Args:
        annotation: whose history it is.
        known: what the file has, if the annotation was restored from it.
    """

    def __init__(self, annotation: Annotation, known: Iterable[Step] = ()) -> None:
        self._annotation = annotation
        self._known: Known = {id(step.state): step for step in known}
        self._left_out: dict[int, Checkpoint] = {}
        self._next = 1 + max((step.id for step in self._known.values()), default=0)

    def clean(self, connection: sqlite3.Connection) -> None:
        """Take rows of a file out of which no step could be made."""
        known = {step.id for step in self._known.values()}
        lost = [each for each in connection.execute("SELECT id FROM step").fetchall() if each[0] not in known]
        connection.executemany("DELETE FROM step WHERE id = ?", lost)
        for sql in STATEMENTS.values():
            connection.execute(sql.clean_old)

    def keep(self, connection: sqlite3.Connection, saved: Contents, now: Contents, changed: Changed) -> Kept:
        """Write what steps need, and what of it is about to be replaced.

        Args:
            connection: in a transaction.
            saved: what the tables hold.
            now: what they will hold.
            changed: where that is something else.
        """
        wanted: Known = {}
        sides = self._annotation.session.history.states
        for undone, side in enumerate(sides):
            states = self._reached(side)
            # Begun in the order in which they were made, which is that of their ids.
            steps = [self._known.get(id(each)) or self._begin(connection, each, undone=bool(undone)) for each in states]
            after: Checkpoint | None = None
            for step in reversed(steps):
                wanted[id(step.state)] = step
                if step.whole:
                    if after is None or step.after is not after:
                        # One that was the nearest and is it still can be other only where the present has changed.
                        among = changed if step.after is after and id(step.state) in self._known else None
                        moved = replace(step, after=after)
                        wanted[id(step.state)] = self._brought(connection, moved, saved, now, among)
                    after = step.state
        kept = self._fitting(connection, wanted)
        return Kept(kept, {id(state): state for side in sides for state in side if id(state) not in kept})

    def put(self, connection: sqlite3.Connection, kept: Kept, now: Contents, changed: Changed) -> None:
        """Bring the tables to what there is now, from the steps that it was kept for where undo went back to it."""
        gone = [step for each, step in self._known.items() if each not in kept.steps and step.whole]
        found = {} if not any(changed.values()) else {value: place for step in gone for value, place in _values(step)}
        for table, keys in changed.items():
            sql = STATEMENTS[table]
            for key in keys:
                value = at(now[table], key)
                if value is None:
                    connection.execute(sql.delete, key)
                    continue
                step = found.get(id(value))
                if step is None or connection.execute(sql.back, (step, *key)).rowcount != 1:
                    connection.execute(sql.put, (*key, *row_of(self._annotation, table, key, value, now)))

    def drop(self, connection: sqlite3.Connection, kept: Kept) -> None:
        """Take out steps that are gone."""
        for each, step in self._known.items():
            if each not in kept.steps:
                self._delete(connection, step)

    def done(self, kept: Kept) -> None:
        """All is in the file."""
        self._known, self._left_out = kept.steps, kept.left_out

    # --- Inside -------------------------------------------------------------------------------

    def _reached(self, side: Sequence[Checkpoint]) -> list[Checkpoint]:
        """The states of a side that come after all that were left out, and the nearest whole one in any case."""
        reached: list[Checkpoint] = []
        for state in reversed(side):
            if id(state) in self._left_out and any(each.snapshot is not None for each in reached):
                break
            reached.insert(0, state)
        return reached

    def _begin(self, connection: sqlite3.Connection, state: Checkpoint, *, undone: bool) -> Step:
        step = Step(self._next, state, undone, None, {table: frozenset() for table in KEYS}, ROW)
        self._next += 1
        beside = pack_beside(*state.beside[:2])
        connection.execute("INSERT INTO step VALUES (?, ?, ?, ?)", (step.id, undone, step.whole, beside))
        return step

    def _brought(
        self, connection: sqlite3.Connection, step: Step, saved: Contents, now: Contents, changed: Changed | None
    ) -> Step:
        """A step with the rows that it needs, and no others; all but what has `changed` may be as it was."""
        mine, keys, size = past(step.state), dict[str, frozenset[Key]](), step.size
        after = now if step.after is None else past(step.after)
        among = None if changed is None else {table: step.keys[table].union(changed[table]) for table in KEYS}
        for table, differing in difference(mine, after, among).items():
            sql, keys[table] = STATEMENTS[table], frozenset(differing)
            for key in keys[table] - step.keys[table]:
                value, place = at(mine[table], key), (step.id, *key)
                kept = None
                if value is None:
                    connection.execute(sql.put_nothing, place)
                    kept = ROW
                elif at(saved.get(table, {}), key) is value:
                    kept = _first(connection, sql.keep, place)
                if kept is None:
                    row = row_of(self._annotation, table, key, value, mine)
                    connection.execute(sql.put_old, (*place, *row))
                    kept = ROW + blobs(row)
                size += kept
            for key in step.keys[table] - keys[table]:
                size -= _first(connection, sql.delete_old, (step.id, *key)) or 0
        return replace(step, keys=keys, size=size)

    def _fitting(self, connection: sqlite3.Connection, wanted: Known) -> Known:
        """Those for which there is room, the nearest on either side always; others are taken out."""
        pages, free, page = (
            _first(connection, f"PRAGMA {name}") or 0 for name in ("page_count", "freelist_count", "page_size")
        )
        rest = (pages - free) * page - sum(step.size for step in wanted.values())
        room, spent, full, kept = max(ROOM * rest, LEAST_ROOM), 0, set[bool](), dict[int, Step]()
        for each, step in wanted.items():
            if step.undone in full or (step.after is not None and spent + step.size > room):
                full.add(step.undone)
                self._delete(connection, step)
            else:
                spent += step.size
                kept[each] = step
        return kept

    def _delete(self, connection: sqlite3.Connection, step: Step) -> None:
        connection.execute("DELETE FROM step WHERE id = ?", (step.id,))
        for table in (table for table in KEYS if step.keys[table]):
            connection.execute(STATEMENTS[table].clear_old, (step.id,))


def _first(connection: sqlite3.Connection, statement: str, values: tuple = ()) -> int | None:
    """The only value that a statement gives, if it gives one."""
    row = connection.execute(statement, values).fetchone()
    return None if row is None else row[0]


def _values(step: Step) -> Iterable[tuple[int, int]]:
    """The identity of each value that a step keeps, and the step's own id."""
    contents = past(step.state)
    for table, keys in step.keys.items():
        for key in keys:
            if (value := at(contents[table], key)) is not None:
                yield id(value), step.id
