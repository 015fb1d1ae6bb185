"""Writing labels down as they are given, and reading them back; everything read is checked before it is believed."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, get_args

import torch

from lit_widget.core.types import AdapterState
from lit_widget.images.learner import ImageItem
from lit_widget.widget.store.file import SessionFile, SessionFileError, explain
from lit_widget.widget.store.values import from_json, number

from .book import Entry
from .to_view import Verdict

if TYPE_CHECKING:
    from .labelling import Labelling

Versions = dict[tuple[Any, int], tuple[int, tuple]]


class Keeper:
    """Keeps a file in step with a labelling; what cannot be written now is written with a later action.

    Args:
        file: open for writing.
        labelling: what is kept; what it holds now is in the file already.
        complain: called with a sentence whenever something could not be written.
    """

    def __init__(self, file: SessionFile, labelling: Labelling, complain: Callable[[str], None]) -> None:
        self.file, self._labelling, self._complain = file, labelling, complain
        self._lock = threading.Lock()
        self._failed = ""
        self._events: list[tuple] = []
        self._adapters: Versions = labelling.learner.adapters.versions()

    def heard(self, what: str, image: int, entry: Entry) -> None:
        """Put an action into the journal; it is written with the next `save`."""
        with self._lock:
            self._events.append((time.time(), what, image, entry.label, entry.verdict))

    def save(self) -> None:
        """Write what has changed; a failure is told and loses nothing that is in memory."""
        book = self._labelling.book
        with self._lock:
            versions = self._labelling.learner.adapters.versions()
            if self.file.closed or not (book.changed or self._events or versions != self._adapters):
                return
            try:
                with self.file.transaction() as connection:
                    self._write(connection, versions)
            except (sqlite3.Error, OSError) as error:
                self._failed = explain(self.file.path, error)
                self._complain(f"Not saved: {self._failed}. What was done is kept in memory.")
                return
            self._adapters, self._failed = versions, ""
            self._events.clear()
            book.changed.clear()

    def close(self) -> None:
        """Write the rest and let go of the file.

        Raises:
            SessionFileError: if the rest could not be written; the file is closed all the same.
        """
        self.save()
        with self._lock:
            self.file.close()
        if self._failed:
            raise SessionFileError(f"closed without what was done last: {self._failed}")

    def _write(self, connection: sqlite3.Connection, versions: Versions) -> None:
        book, names = self._labelling.book, self._labelling.names
        rows = [
            (image, names[image], e.label, e.verdict, e.flagged, e.learned, e.took_s, e.at)
            for image, e in ((image, book[image]) for image in book.changed)
        ]
        connection.executemany("INSERT OR REPLACE INTO label VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        for place in self._adapters.keys() - versions.keys():
            connection.execute("DELETE FROM adapter WHERE class = ? AND slot = ?", place)
        for place in (each for each in versions if self._adapters.get(each) != versions[each]):
            connection.execute("INSERT OR REPLACE INTO adapter VALUES (?, ?, ?, ?, ?, ?)", self._adapter(place))
        connection.executemany("INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?)", self._events)

    def _adapter(self, place: tuple[Any, int]) -> tuple:
        from safetensors.torch import save

        state = self._labelling.learner.adapters.get(*place).snapshot()
        report = self._labelling.reports.get((place[0], state.version))
        learned_from = json.dumps([item.image for item in state.learned_from])
        weights = save({name: tensor.cpu().contiguous() for name, tensor in state.tensors.items()})
        return (*place, state.version, learned_from, json.dumps(report and asdict(report)), weights)


def restore(file: SessionFile, labelling: Labelling) -> None:
    """Bring a labelling of the same images to what the file holds.

    Raises:
        SessionFileError: if the file is damaged, or was written with another model or strategy.
    """
    with file.explained():
        n_images, n_classes = len(labelling.names), len(labelling.classes)
        labelling.book.fill(dict(entry_of(row, n_images, n_classes) for row in file.rows("SELECT * FROM label")))
        states = dict(state_of(row, n_images, n_classes) for row in file.rows("SELECT * FROM adapter"))
    try:
        labelling.learner.adapters.restore(states)
    except ValueError:
        file.close()
        raise SessionFileError(
            f"the adapters in {file.path} are of another model or placement; open it with those that wrote it"
        ) from None


def entry_of(row: tuple, n_images: int, n_classes: int) -> tuple[int, Entry]:
    """The image and the entry of a row of the table of labels.

    Raises:
        SessionFileError: if there is no such image, class or verdict.
    """
    image, _, label, verdict, flagged, learned, took_s, at = row
    known = isinstance(image, int) and 0 <= image < n_images
    fine = known and isinstance(label, int) and -1 <= label < n_classes
    if not (fine and verdict in get_args(Verdict) and number(took_s) and number(at)):
        raise SessionFileError(f"the label of image {image!r} is damaged")
    return image, Entry(label, verdict, bool(flagged), bool(learned), took_s, at)


def state_of(row: tuple, n_images: int, n_classes: int) -> tuple[tuple[Any, int], AdapterState]:
    """The group and slot, and the state, of a row of the table of adapters.

    Raises:
        SessionFileError: if the weights cannot be read or there is no such group or image.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    group, slot, version, learned_from, _, weights = row
    try:
        images = from_json(learned_from, list)
        tensors = load(weights)
    except (SafetensorError, ValueError, KeyError, TypeError):
        images, tensors = [], {}
    finite = bool(tensors) and all(bool(tensor.isfinite().all()) for tensor in tensors.values())
    known = all(isinstance(image, int) and 0 <= image < n_images for image in images)
    if not (finite and known and isinstance(group, int) and 0 <= group < n_classes and version > 0):
        raise SessionFileError(f"the adapter of group {group!r} is damaged")
    items = tuple(ImageItem(image, group) for image in images)
    return (group, slot), AdapterState(version, items, {name: each.to(torch.float32) for name, each in tensors.items()})
