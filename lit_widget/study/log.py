"""One participant's file: what they were to do, what happened when, and how it ended. It holds no name."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from lit_widget.widget.store.file import connect, explain, in_use

from .planning import CONDITIONS, DESIGNS, StudyError, Task, check_identifier
from .timing import LogEvent

VERSION = 1
APPLICATION_ID = 0x4C495453
"""Marks the file as ours ("LITS")."""

ENDING = ".study"

MOST_EVENTS = 2_000_000
"""Of one participant; more is no file of ours."""

TABLES = {
    "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "task": (
        "CREATE TABLE task (number INTEGER PRIMARY KEY, video TEXT NOT NULL, condition TEXT NOT NULL, "
        "counted INTEGER NOT NULL, iou REAL) STRICT"
    ),
    "event": (
        "CREATE TABLE event (id INTEGER PRIMARY KEY, task INTEGER NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL, "
        "frame INTEGER, what TEXT NOT NULL) STRICT"
    ),
}


class StudyInUseError(StudyError):
    """A participant's file that another kernel or sitting has open."""


class ParticipantFile:
    """A participant's tasks and their log, written event by event and kept by one process at a time.

    Args:
        path: where it is, or is made.
        tasks: to write into a new file; one that is there must hold the same. `None` opens only what is there.
        design: of the study.

    Raises:
        StudyError: if it is in use, damaged, of another plan or no such file.
    """

    def __init__(self, path: str | os.PathLike, tasks: tuple[Task, ...] | None = None, design: str = "both") -> None:
        self.path = Path(path)
        self.participant = check_identifier(self.path.stem)
        if tasks is None and not self.path.is_file():
            raise StudyError(f"there is no file {self.path} of a participant; Study.sit makes one")
        if not self.path.parent.is_dir():
            raise StudyError(f"there is no folder {self.path.parent} for the files of a study; make it first")
        self._lock = threading.Lock()
        self._waiting: list[tuple] = []
        with self._explained():
            self._connection = connect(self.path)
        try:
            with self._explained():
                for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL"):
                    self._connection.execute(f"PRAGMA {pragma}")
                if tasks is not None:
                    self._begin(tasks, design)
                self._check()
                self.tasks, self.iou, self.design = self._read()
            self._compare(tasks, design)
        except BaseException:
            self._connection.close()
            raise

    @property
    def task(self) -> Task | None:
        """The first task that is not done; `None` after the last."""
        return next((task for task in self.tasks if task.number not in self.iou), None)

    def add(self, task: Task, event: LogEvent) -> None:
        """Write down what happened during a task, and what could not be written before.

        Raises:
            StudyError: if it cannot be written; it is kept for the next time.
        """
        with self._lock, self._explained():
            self._waiting.append((task.number, event.at, event.kind, event.frame, event.what))
            with self._connection:
                self._write()

    def finish(self, task: Task, iou: float) -> None:
        """Write down that a task is done, and how well its masks fit (mean IoU over frames).

        Raises:
            StudyError: if it cannot be written.
        """
        with self._lock, self._explained(), self._connection:
            self._write()
            self._connection.execute("UPDATE task SET iou = ? WHERE number = ?", (iou, task.number))
        self.iou[task.number] = iou

    def events(self, task: Task) -> list[LogEvent]:
        """What happened during a task.

        Raises:
            StudyError: if the file is damaged.
        """
        query = "SELECT at, kind, frame, what FROM event WHERE task = ? ORDER BY at LIMIT ?"
        with self._lock, self._explained():
            return [LogEvent(*row) for row in self._connection.execute(query, (task.number, MOST_EVENTS))]

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    # --- Inside -------------------------------------------------------------------------------

    def _write(self) -> None:
        """Write what waits, as a part of the transaction that this begins."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?)", self._waiting)
        self._waiting = []

    def _begin(self, tasks: tuple[Task, ...], design: str) -> None:
        """Fill an empty file, all or nothing."""
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
                return
            for sql in TABLES.values():
                connection.execute(sql)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("INSERT INTO meta VALUES ('design', ?)", (json.dumps(design),))
            rows = [tuple(asdict(task).values()) for task in tasks]
            connection.executemany("INSERT INTO task VALUES (?, ?, ?, ?, NULL)", rows)

    def _check(self) -> None:
        (mark,), (version,) = (
            self._connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        found = dict(self._connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        if (mark, version) != (APPLICATION_ID, VERSION) or found != TABLES:
            raise StudyError(f"{self.path} is no file of a study, or of another version; give one that Study wrote")

    def _read(self) -> tuple[tuple[Task, ...], dict[int, float], str]:
        """Tasks, the mean IoU of those that are done, and the design."""
        rows = self._connection.execute("SELECT * FROM task ORDER BY number").fetchall()
        (design,) = self._connection.execute("SELECT value FROM meta WHERE key = 'design'").fetchone() or ("null",)
        tasks = tuple(Task(number, video, condition, bool(counted)) for number, video, condition, counted, _ in rows)
        known = {f'"{each}"': each for each in DESIGNS}
        if design not in known or any(task.condition not in CONDITIONS for task in tasks):
            raise StudyError(f"{self.path} is damaged: it holds a design or condition that does not exist")
        return tasks, {row[0]: row[4] for row in rows if row[4] is not None}, known[design]

    def _compare(self, tasks: tuple[Task, ...] | None, design: str) -> None:
        if tasks is not None and (self.tasks, self.design) != (tasks, design):
            raise StudyError(
                f"{self.path} was begun with other videos, participants, practice, design or seed; go on with "
                "those, or take another folder"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            text = explain(self.path, error).partition("; `lit-widget doctor")[0]
            raise (StudyInUseError if in_use(error) else StudyError)(text) from None


def participant_files(folder: str | os.PathLike) -> list[Path]:
    """The files of a study's folder.

    Raises:
        StudyError: if there are none.
    """
    found = sorted(Path(folder).glob(f"*{ENDING}"))
    if not found:
        raise StudyError(f"{folder} holds no file of a participant (*{ENDING}); give the folder of a study")
    return found
