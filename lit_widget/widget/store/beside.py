"""Objects and the range of frames, as they are now and as they were at a step of undo."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from lit_widget.widget.limits import AnnotationError, check_range
from lit_widget.widget.objects import Objects, Thing

from .file import SessionFileError
from .values import from_json, whole

Range = tuple[int, int] | None


def object_rows(objects: Objects) -> list[tuple[int, str, str, bool, bool]]:
    """Objects as their table has them."""
    return [(each, thing.name, thing.colour, thing.hidden, thing.locked) for each, thing in objects.things.items()]


def objects_of(rows: Iterable[Any], next_id: object) -> Objects:
    """Objects from the rows of their table.

    Raises:
        SessionFileError: if there are none, or one of them cannot be one.
    """
    objects = Objects({}, 1)
    for row in rows:
        if not isinstance(row, list | tuple) or len(row) != 5:
            raise SessionFileError("its objects are damaged")
        each, name, colour, hidden, locked = row
        things = {**objects.things, whole(each): Thing("", "")}
        try:
            objects = Objects(things, 1).edit(each, name=name, colour=colour, hidden=bool(hidden), locked=bool(locked))
        except AnnotationError as error:
            raise SessionFileError(f"object {each} is damaged: {error}") from None
    if not objects.things:
        raise SessionFileError("it holds no object and is damaged")
    return Objects(objects.things, max(whole(next_id), max(objects.things) + 1))


def range_of(value: object, n_frames: int) -> Range:
    """A range of frames from JSON.

    Raises:
        SessionFileError: if the video has no such range.
    """
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise SessionFileError("its range of frames is damaged")
    first, last = whole(value[0]), whole(value[1])
    try:
        check_range(first, last, n_frames)
    except AnnotationError as error:
        raise SessionFileError(f"its range of frames is damaged: {error}") from None
    return first, last


def pack_beside(objects: Objects, span: Range) -> str:
    """Both as JSON."""
    return json.dumps({"objects": object_rows(objects), "next_id": objects.next_id, "range": span})


def unpack_beside(text: object, n_frames: int) -> tuple[Objects, Range]:
    """Both from JSON.

    Raises:
        SessionFileError: if they are damaged.
    """
    value = from_json(text, dict)
    rows = value.get("objects")
    if not isinstance(rows, list):
        raise SessionFileError("its objects are damaged")
    return objects_of(rows, value.get("next_id")), range_of(value.get("range"), n_frames)
