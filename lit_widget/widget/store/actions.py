"""The journal of actions in a session file: written as they happen, read back so that a script can be made of them."""

from __future__ import annotations

import dataclasses
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, get_args

import numpy as np

from lit_widget.core.update import UpdateConfig
from lit_widget.video.quirks import Quirks
from lit_widget.widget.journal import ACTIONS, Action, By, Outcome
from lit_widget.widget.script import bundled

from .file import SessionFile, SessionFileError
from .values import from_json, number

_OBJECTS: dict[str, type] = {"update": UpdateConfig, "quirks": Quirks}
"""Arguments of the widget that are objects of our own; others that are no plain values are not written."""


class Actions:
    """Keeps the table in step with a list of actions; those that have ended are written once.

    Args:
        actions: that is added to.
    """

    def __init__(self, actions: list[Action]) -> None:
        self._actions, self._ended = actions, 0
        self._waiting: list[tuple] = []

    def write(self, connection: sqlite3.Connection) -> list[tuple]:
        """Write what is new or has ended; returns it for `done`."""
        rows = [_row(each) for each in list(self._actions[self._ended :])]
        if rows != self._waiting:
            connection.execute("DELETE FROM action WHERE id > ?", (self._ended,))
            marks = ", ".join("?" for _ in range(13))
            numbered = [(at, *row) for at, row in enumerate(rows, self._ended + 1)]
            connection.executemany(f"INSERT INTO action VALUES ({marks})", numbered)  # noqa: S608
        return rows

    def done(self, rows: list[tuple]) -> None:
        """All is in the file."""
        ended = next((at for at, row in enumerate(rows) if row[5] == "waiting"), len(rows))
        self._ended, self._waiting = self._ended + ended, rows[ended:]


def _row(action: Action) -> tuple:
    given = dict(action.arguments)
    mask = given.pop("mask", None)
    arguments = json.dumps({name: plain(name, value) for name, value in given.items()})
    how = action.by, action.at_s, action.outcome, action.took_s, action.reached, action.told
    painted = mask if isinstance(mask, bytes) else None
    return action.name, arguments, painted, *how, _count(action.frame), _count(action.object_id), action.taken


def read_actions(file: SessionFile) -> tuple[list[Action], bool]:
    """All actions that can be read, and whether these are all."""
    actions, whole = list[Action](), True
    for _, *row in file.rows("SELECT * FROM action ORDER BY id"):
        try:
            action = action_of(row)
        except SessionFileError:
            whole = False
            continue
        # Names and arguments become source text, so that none but ours may come in.
        if action.name not in ACTIONS or not action.arguments.keys() <= set(ACTIONS[action.name]):
            whole = False
            continue
        actions.append(action)
    return actions, whole


def action_of(row: Iterable[Any]) -> Action:
    """An action from its row without the id.

    Raises:
        SessionFileError: if it is none.
    """
    name, arguments, mask, by, at_s, outcome, took_s, reached, told, frame, object_id, worked = row
    given = {each: unpacked(each, value) for each, value in from_json(arguments, dict).items()}
    if mask is not None:
        given["mask"] = mask
    counts = all(each is None or isinstance(each, int) for each in (reached, frame, object_id))
    texts = isinstance(name, str) and isinstance(told, str) and isinstance(mask, bytes | None)
    known = by in get_args(By) and outcome in get_args(Outcome)
    if not (counts and texts and known and number(at_s) and number(took_s)):
        raise SessionFileError("an action in the file is damaged")
    # Whoever was at work when the file was written for the last time did not live to say how it ended.
    ended = "cut" if outcome == "waiting" else outcome
    return Action(name, given, by, at_s, ended, took_s, reached, told, frame, object_id, bool(worked))


def pack_making(making: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a widget was made with, as JSON values."""
    return {name: plain(name, value) for name, value in making.items()}


def unpack_making(text: object, names: Iterable[str]) -> dict[str, Any]:
    """The arguments that a widget was made with; `...` is in the place of those that are not in the file.

    Raises:
        SessionFileError: if they are damaged.
    """
    value = from_json(text, dict)
    return {name: unpacked(name, value.get(name)) for name in names}


def plain(name: str, value: Any) -> Any:
    """An argument as a JSON value; what is none is only said to have been there."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    if isinstance(value, tuple(_OBJECTS.values())):
        return dataclasses.asdict(value)
    return bundled(name, value) or {}


def unpacked(name: str, value: Any) -> Any:
    """An argument from a JSON value."""
    if isinstance(value, str | int | float | bool | None):
        return value
    if value and isinstance(value, dict) and name in _OBJECTS:
        try:
            return _OBJECTS[name](**{each: part for each, part in value.items() if isinstance(each, str)})
        except (TypeError, ValueError):
            return ...
    return ...


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | np.integer) else None
