"""Writing a session down as it happens: only what has changed since the last time, all of it or nothing."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_widget.core.session import Accepted, Corrected, Event, Rejected
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.memory import FrameRecord
from lit_widget.widget.codec import encode_mask
from lit_widget.widget.pending import Pending

from .file import SessionFile, SessionFileError, explain
from .values import pack_pointer, pack_points

if TYPE_CHECKING:
    from lit_widget.core.types import UpdateReport
    from lit_widget.widget.annotation import Annotation

Row = tuple[float, str, int | None, int | None, float, str]
"""Of the journal: seconds since 1970, kind, object, frame, seconds that it took, more as JSON."""

Masks = dict[int, dict[int, FrameRecord]]
"""Records by object and frame; nested, because one dictionary of thousands of pairs costs more than writing one row."""


class Recorder:
    """Keeps a file in step with an annotation; what cannot be written now is written with a later action.

    Args:
        file: open for writing.
        annotation: what is recorded; what it holds now is taken to be in the file already if `resumed`.
        complain: called with a sentence when writing begins to fail.
        resumed: whether the annotation was restored from this file.
    """

    def __init__(
        self, file: SessionFile, annotation: Annotation, complain: Callable[[str], None], *, resumed: bool = False
    ) -> None:
        self._file, self._annotation, self._complain = file, annotation, complain
        self._lock = threading.Lock()
        self._failing = False
        self._events: list[Row] = []
        self._masks: Masks = self._records() if resumed else {}
        self._prompts: dict[VideoItem, Pending] = dict(annotation.pending) if resumed else {}
        self._adapters: dict[tuple[Any, int], tuple[int, tuple]] = self._versions() if resumed else {}
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
        """Write what has changed; a failure is told once and loses nothing that is in memory."""
        with self._lock:
            if self._file.closed:
                return
            try:
                with self._file.transaction() as connection:
                    done = self._write(connection)
            except (sqlite3.Error, OSError) as error:
                if not self._failing:
                    self._complain(f"Not saved: {explain(self._file.path, error)}. What was done is kept in memory.")
                self._failing = True
                return
            self._masks, self._prompts, self._adapters, self._state = done
            self._events.clear()
            self._failing = False

    def close(self) -> None:
        """Write the rest and let go of the file."""
        self.save()
        with self._lock:
            self._file.close()

    # --- Inside -------------------------------------------------------------------------------

    def _write(self, connection: sqlite3.Connection) -> tuple:
        records, prompts, versions = self._records(), dict(self._annotation.pending), self._versions()
        self._write_masks(connection, records)
        if _differ(prompts, self._prompts):
            connection.execute("DELETE FROM prompt")
            rows = [self._prompt_row(item, pending) for item, pending in prompts.items()]
            connection.executemany("INSERT INTO prompt VALUES (?, ?, ?, ?, ?)", rows)
        if versions != self._adapters:
            self._write_adapters(connection, versions)
        state = self._write_state(connection)
        connection.executemany("INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?)", self._events)
        return records, prompts, versions, state

    def _write_masks(self, connection: sqlite3.Connection, records: Masks) -> None:
        for object_id in self._masks.keys() | records.keys():
            saved, present = self._masks.get(object_id, {}), records.get(object_id, {})
            gone = [(object_id, frame) for frame in saved.keys() - present.keys()]
            connection.executemany("DELETE FROM mask WHERE object = ? AND frame = ?", gone)
            changed = [(frame, record) for frame, record in present.items() if saved.get(frame) is not record]
            connection.executemany(
                "INSERT OR REPLACE INTO mask VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self._mask_row(VideoItem(frame, object_id), record) for frame, record in changed),
            )

    def _mask_row(self, item: VideoItem, record: FrameRecord) -> tuple:
        output = record.output
        return (
            item.object,
            item.frame,
            record.status,
            record.conditioning,
            record.reverse,
            float(output.iou),
            float(output.object_score),
            self._annotation.clicks.get(item),
            pack_pointer(output.pointer),
            encode_mask(self._annotation.learner.mask(output)),
        )

    def _prompt_row(self, item: VideoItem, pending: Pending) -> tuple:
        painted = None
        if pending.painted and pending.base is not None:
            painted = encode_mask(self._annotation.learner.mask(pending.base))
        return item.object, item.frame, pack_points(pending.points), pending.prediction is None, painted

    def _write_adapters(
        self, connection: sqlite3.Connection, versions: dict[tuple[Any, int], tuple[int, tuple]]
    ) -> None:
        from safetensors.torch import save

        for place in self._adapters.keys() - versions.keys():
            connection.execute("DELETE FROM adapter WHERE object = ? AND slot = ?", place)
        for place in (each for each in versions if self._adapters.get(each) != versions[each]):
            state = self._annotation.learner.adapters.get(*place).snapshot()
            learned_from = json.dumps([[item.frame, item.object] for item in state.learned_from])
            total = sum(version for (owner, _), (version, _) in versions.items() if owner == place[0])
            report = self._annotation.reports.get((place[0], total))
            weights = save({name: tensor.cpu().contiguous() for name, tensor in state.tensors.items()})
            row = (*place, state.version, learned_from, json.dumps(report and asdict(report)), weights)
            connection.execute("INSERT OR REPLACE INTO adapter VALUES (?, ?, ?, ?, ?, ?)", row)

    def _write_state(self, connection: sqlite3.Connection) -> str:
        """Objects, and what is chosen; one text, so that it is cheap to see whether it changed."""
        annotation, objects = self._annotation, self._annotation.objects
        state = json.dumps({"active": annotation.active, "next_id": objects.next_id, "range": annotation.range})
        things = [(each, t.name, t.colour, t.hidden, t.locked) for each, t in objects.things.items()]
        if (now := state + json.dumps(things)) != self._state:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('state', ?)", (state,))
            connection.execute("DELETE FROM object")
            connection.executemany("INSERT INTO object VALUES (?, ?, ?, ?, ?)", things)
        return now

    def _records(self) -> Masks:
        banks = dict(self._annotation.learner.banks)
        return {object_id: dict(bank.records) for object_id, bank in banks.items()}

    def _versions(self) -> dict[tuple[Any, int], tuple[int, tuple]]:
        return self._annotation.learner.adapters.versions()


def _differ(one: dict[VideoItem, Pending], other: dict[VideoItem, Pending]) -> bool:
    return one.keys() != other.keys() or any(one[item] is not other[item] for item in one)


def _seconds(update: UpdateReport | None) -> float:
    return 0.0 if update is None else update.update_s
