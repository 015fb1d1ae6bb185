"""Steps of undo and redo read back, from the nearest on to the first that is damaged; the rest is left out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from lit_widget.core.history import MAX_UNDO, Checkpoint
from lit_widget.core.types import AdapterState, Snapshot, UpdateReport
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.memory import FrameRecord

from .beside import unpack_beside
from .contents import Book, Contents, Key, at, flat, present
from .file import SessionFile, SessionFileError
from .rows import MOST_SLOTS, Row, adapter_of, blobs, pending_of, record_of
from .statements import ROW, STATEMENTS
from .steps import Step
from .tables import COLUMNS, KEYS

if TYPE_CHECKING:
    from lit_widget.widget.annotation import Annotation
    from lit_widget.widget.objects import Objects

MOST_STEPS = 2**53
"""Ever made in one session."""

_CLICKS = COLUMNS["mask"].index("clicks") - len(KEYS["mask"])


@dataclass
class _Side:
    """One side of the history while it is read: where the reading is, and what there was then."""

    undone: bool
    after: Checkpoint | None
    then: Contents


def read_steps(file: SessionFile, annotation: Annotation) -> list[Step]:
    """Fill the history of an annotation that holds what the file says of the present.

    Returns:
        The steps, for whoever goes on writing the file.
    """
    now = present(annotation, annotation.learner.adapters.snapshot())
    past, undone = (list(_whole_ones(file, annotation, _Side(each, None, now))) for each in (False, True))
    sides = ([step.state for step in reversed(side)] for side in (past, undone))
    annotation.session.history.refill(*sides)
    return [*past, *undone]


def _whole_ones(file: SessionFile, annotation: Annotation, side: _Side) -> Iterator[Step]:
    """Steps of one side, the nearest first, up to one that is damaged: those behind it are told apart from it."""
    query = "SELECT id, whole, beside FROM step WHERE undone = ? ORDER BY id DESC LIMIT ?"
    for step, everything, beside in file.rows(query, side.undone, MAX_UNDO):
        try:
            yield _step(file, annotation, side, step, beside, everything=bool(everything))
        except SessionFileError:
            if file.closed:
                raise
            return


def _step(
    file: SessionFile, annotation: Annotation, side: _Side, step: int, beside: object, *, everything: bool
) -> Step:
    if not 0 < step < MOST_STEPS:
        raise SessionFileError("a step has a number that none gets")
    objects, span = unpack_beside(beside, len(annotation.learner.frames))
    if not everything:
        state = Checkpoint(None, (), (objects, span, None))
        return Step(step, state, side.undone, None, {table: frozenset() for table in KEYS}, ROW)
    rows = {table: _rows(file, table, step) for table in KEYS}
    then = _then(annotation, objects, side.then, rows)
    adapters = dict[tuple[Hashable, int], AdapterState](flat(then["adapter"]))
    prompts = {VideoItem(frame, owner): pending for (owner, frame), pending in flat(then["prompt"])}
    state = Checkpoint(Snapshot(adapters, then["mask"]), (), (objects, span, prompts))
    size = ROW + sum(ROW + blobs(row or ()) for of_table in rows.values() for row in of_table.values())
    keys = {table: frozenset(of_table) for table, of_table in rows.items()}
    read = Step(step, state, side.undone, side.after, keys, size)
    side.after, side.then = state, then
    return read


def _rows(file: SessionFile, table: str, step: int) -> dict[Key, Row | None]:
    """Rows without their keys, `None` where there was nothing at that step."""
    return {
        (owner, place): None if all(each is None for each in row) else tuple(row)
        for owner, place, *row in file.rows(STATEMENTS[table].read_old, step)
    }


def _then(
    annotation: Annotation, objects: Objects, after: Contents, rows: dict[str, dict[Key, Row | None]]
) -> Contents:
    """What there was at a step, from what there was after it.

    Raises:
        SessionFileError: if that cannot have been.
    """
    learner = annotation.learner
    masks = _changed(after["mask"], rows["mask"], lambda key, row: record_of(learner, key, row))
    prompts = _changed(
        after["prompt"], rows["prompt"], lambda key, row: pending_of(learner, key, row, _mask(masks, key))
    )
    reports: dict[int, UpdateReport | None] = {}
    adapters = _changed(after["adapter"], rows["adapter"], lambda key, row: _adapter(annotation, key, row, reports))
    then = {"mask": masks, "prompt": prompts, "adapter": adapters}
    if any(values and owner not in objects.things for book in then.values() for owner, values in book.items()):
        raise SessionFileError("a step is of an object that there was not")
    for key, _ in flat(prompts):
        _mask(masks, key)
    for (owner, frame), row in rows["mask"].items():
        if row is not None and isinstance(clicks := row[_CLICKS], int):
            annotation.clicks.setdefault(VideoItem(frame, owner), clicks)
    for owner, told in reports.items():
        if told is not None:
            annotation.reports.setdefault((owner, sum(each.version for each in adapters[owner].values())), told)
    return then


def _changed(book: Book, rows: dict[Key, Row | None], value: Callable[[Key, Row], Any]) -> Book:
    """A copy with other values where there are rows; what is the same for a whole object is not copied."""
    changed = book | {owner: dict(book.get(owner, {})) for owner, _ in rows}
    for key, row in rows.items():
        if row is None:
            changed[key[0]].pop(key[1], None)
        else:
            changed[key[0]][key[1]] = value(key, row)
    return changed


def _mask(masks: Book, key: Key) -> FrameRecord:
    """The mask under a prompt; there always is one."""
    record = at(masks, key)
    if record is None:
        raise SessionFileError(f"there are prompts without a mask on frame {key[1]}")
    return record


def _adapter(annotation: Annotation, key: Key, row: Row, reports: dict[int, UpdateReport | None]) -> AdapterState:
    """A state that the object's adapter can go back to; how its last update went is noted in `reports`."""
    state, reports[key[0]] = adapter_of(row)
    if not 0 <= key[1] < MOST_SLOTS:
        raise SessionFileError("an object has more adapters than any strategy makes")
    expected = annotation.learner.adapters.get(*key).parameters
    if _shapes(state.tensors) != _shapes(expected):
        raise SessionFileError("an adapter is of another strategy or model")
    return state


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}
