"""Writing a session down as it happens: only what has changed since the last time, all of it or nothing."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_widget.core.session import Accepted, Corrected, Event, Rejected
from lit_widget.core.types import AdapterState
from lit_widget.video.adaptation import VideoItem

from .actions import Actions
from .beside import object_rows
from .contents import Contents, difference, present
from .file import SessionFile, SessionFileError, explain
from .steps import Kept, Step, Steps

if TYPE_CHECKING:
    from lit_widget.core.types import UpdateReport
    from lit_widget.widget.annotation import Annotation
    from lit_widget.widget.journal import Action

Row = tuple[float, str, int | None, int | None, float, str]
"""Of the journal: seconds since 1970, kind, object, frame, seconds that it took, more as JSON."""

Place = tuple[Any, int]
States = dict[Place, AdapterState]
"""Weights by object and slot."""


@dataclass(frozen=True)
class _Written:
    """What is in the file once a transaction has ended well."""

    now: Contents
    adapters: States
    kept: Kept
    state: str
    actions: list[tuple]


class Recorder:
    """Keeps a file in step with an annotation; what cannot be written now is written with a later action.

    Args:
        file: open for writing.
        annotation: what is recorded.
        actions: what was done to it.
        complain: called with a sentence whenever something could not be written.
        steps: those that the annotation was restored with from this file; then what it holds now is in it, too.
    """

    def __init__(
        self,
        file: SessionFile,
        annotation: Annotation,
        actions: list[Action],
        complain: Callable[[str], None],
        *,
        steps: Iterable[Step] | None = None,
    ) -> None:
        self._file, self._annotation, self._complain = file, annotation, complain
        self._lock = threading.Lock()
        self._failed = ""
        self._events: list[Row] = []
        self._adapters: States = {} if steps is None else annotation.learner.adapters.snapshot()
        self._saved: Contents = {} if steps is None else present(annotation, self._adapters)
        self._steps, self._clean = Steps(annotation, steps or ()), steps is None
        self._actions = Actions(actions)
        self._state = ""

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def describe(self, **values: Any) -> None:
        """Write down once what the session is about.

        Raises:
            SessionFileError: if it cannot be written.
        """
        try:
            with self._file.transaction() as connection:
                rows = [(key, json.dumps(value)) for key, value in values.items()]
                connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            raise SessionFileError(explain(self._file.path, error)) from None

    def heard(self, event: Event) -> None:
        """Put a verdict into the journal."""
        if isinstance(event, Corrected):
            detail = {"clicks": event.correction.n_clicks, "full": event.correction.full}
            self.note("correct", event.correction.item, _seconds(event.update), **detail)
        elif isinstance(event, Accepted):
            source = event.proposal.source
            self.note("accept", event.proposal.item, _seconds(event.update), source=source)
        elif isinstance(event, Rejected):
            self.note("reject", event.proposals[0].item, 0.0)

    def note(self, kind: str, item: VideoItem | None, seconds: float, **detail: Any) -> None:
        """Put something into the journal; it is written with the next `save`."""
        object_id, frame = (None, None) if item is None else (item.object, item.frame)
        with self._lock:
            self._events.append((time.time(), kind, object_id, frame, seconds, json.dumps(detail)))

    def save(self) -> None:
        """Write what has changed; a failure is told and loses nothing that is in memory."""
        with self._lock:
            if self._file.closed:
                return
            try:
                with self._file.transaction() as connection:
                    done = self._write(connection)
            except (sqlite3.Error, OSError) as error:
                self._failed = explain(self._file.path, error)
                self._complain(f"Not saved: {self._failed}. What was done is kept in memory.")
                return
            self._saved, self._adapters, self._state, self._clean = done.now, done.adapters, done.state, True
            self._steps.done(done.kept)
            self._actions.done(done.actions)
            self._events.clear()
            self._failed = ""

    def close(self) -> None:
        """Write the rest and let go of the file.

        Raises:
            SessionFileError: if the rest could not be written; the file is closed all the same.
        """
        self.save()
        with self._lock:
            self._file.close()
        if self._failed:
            raise SessionFileError(f"closed without what was done last: {self._failed}")

    # --- Inside -------------------------------------------------------------------------------

    def _write(self, connection: sqlite3.Connection) -> _Written:
        states = self._states()
        now = present(self._annotation, states)
        if not self._clean:
            self._steps.clean(connection)
        changed = difference(now, self._saved)
        kept = self._steps.keep(connection, self._saved, now, changed)
        self._steps.put(connection, kept, now, changed)
        self._steps.drop(connection, kept)
        state = self._write_state(connection)
        connection.executemany("INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?)", self._events)
        return _Written(now, states, kept, state, self._actions.write(connection))

    def _write_state(self, connection: sqlite3.Connection) -> str:
        """Objects, and what is chosen; one text, so that it is cheap to see whether it changed."""
        annotation, objects = self._annotation, self._annotation.objects
        state = json.dumps({"active": annotation.active, "next_id": objects.next_id, "range": annotation.range})
        things = object_rows(objects)
        if (now := state + json.dumps(things)) != self._state:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('state', ?)", (state,))
            connection.execute("DELETE FROM object")
            connection.executemany("INSERT INTO object VALUES (?, ?, ?, ?, ?)", things)
        return now

    def _states(self) -> States:
        """The adapters' weights; those that have learned nothing since are not copied, which takes long."""
        adapters, before = self._annotation.learner.adapters, self._adapters

        def same(place: Place, version: int, learned_from: tuple) -> bool:
            return place in before and (before[place].version, before[place].learned_from) == (version, learned_from)

        return {
            place: before[place] if same(place, *known) else adapters.get(*place).snapshot()
            for place, known in adapters.versions().items()
        }


def _seconds(update: UpdateReport | None) -> float:
    return 0.0 if update is None else update.update_s
