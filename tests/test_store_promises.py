"""What a session file promises about order, ends and beginnings: the moments at which a process may die."""

import inspect
import itertools
import os
import shutil
import sqlite3
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from helpers import clip, done, pocket, widget_on

from lit_widget.widget.store import SessionFile
from lit_widget.widget.store.file import explain
from lit_widget.widget.widget import LITWidget

MADE = clip("union")


def test_a_view_sees_no_verdict_before_it_is_in_the_file(tmp_path):
    widget, _ = widget_on(session=tmp_path / "x.lit", strategy="previous-mask")
    connection, early, seen = widget._recorder._file.connection, [], set()

    def hear(message, _):
        for info in message["items"] if message["type"] == "masks" else ():
            if info["status"] in ("accepted", "corrected"):
                seen.add(info["status"])
                query = "SELECT status FROM mask WHERE object = ? AND frame = ?"
                if connection.execute(query, (info["object"], info["frame"])).fetchall() != [(info["status"],)]:
                    early.append(info)

    widget.give_mask(0, MADE.target[0])
    widget.track()
    done(widget)
    widget._outbox._send = hear
    widget.flag(2)
    widget.accept()
    done(widget)
    widget.give_mask(4, MADE.target[4])
    widget.learn(4)
    done(widget).close()
    assert seen == {"accepted", "corrected"}
    assert early == []


def test_a_process_that_died_while_making_the_file_leaves_a_place_to_begin(tmp_path):
    path = tmp_path / "x.lit"
    path.touch()
    widget, _ = widget_on(session=path)
    widget.give_mask(0, MADE.target[0])
    done(widget).close()
    again = LITWidget.open(path, MADE.frames)
    assert again.mask(0).any()
    again.close()


def test_a_file_of_someone_else_is_never_begun_over(tmp_path):
    path = tmp_path / "x.lit"
    path.write_bytes(b"precious")
    with pytest.raises(ValueError, match="is there already"):
        widget_on(session=path)
    assert path.read_bytes() == b"precious"


def test_all_that_opening_needs_is_there_with_the_first_commit(tmp_path):
    """Killed right after any commit while the file is made, it opens: so the first must be the whole."""
    path, states = tmp_path / "x.lit", []

    class Counting(sqlite3.Connection):
        def execute(self, statement, *values):
            result = super().execute(statement, *values)
            if statement == "COMMIT":
                states.append(dict(super().execute("SELECT key, value FROM meta")).keys())
            return result

    with pytest.MonkeyPatch.context() as patch:
        connect = sqlite3.connect
        patch.setattr(sqlite3, "connect", lambda *given, **more: connect(*given, **more, factory=Counting))
        widget, _ = widget_on(session=path)
    widget.close()
    assert {"video", "model", "strategy", "tracker", "quality", "seed", "state"} <= states[0]


def test_work_that_outlives_the_closing_is_refused_quietly(tmp_path):
    widget, _ = widget_on(session=tmp_path / "x.lit")
    widget.give_mask(0, MADE.target[0])
    done(widget)
    recorder, errors = widget._recorder, []
    widget.close()

    def late():
        try:
            recorder.note("accept", None, 0.0)
            recorder.save()
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    thread = threading.Thread(target=late)
    thread.start()
    thread.join()
    assert errors == []


def test_closing_while_others_write_loses_nothing_and_raises_nothing(tmp_path):
    widget, _ = widget_on(session=tmp_path / "x.lit")
    widget.give_mask(0, MADE.target[0])
    done(widget)
    recorder, errors, go_on = widget._recorder, [], threading.Event()
    numbers = itertools.count()

    def write():
        try:
            while not go_on.is_set():
                things = widget._annotation.objects
                widget._annotation.objects = things.edit(1, name=f"n{next(numbers)}")
                recorder.save()
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    widget.close()
    go_on.set()
    thread.join()
    assert errors == []
    with sqlite3.connect(tmp_path / "x.lit") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@contextmanager
def anyone(folder):
    """Within this context this process may not write to a folder, also if it is root's."""
    for path in (*folder.iterdir(), folder):
        path.chmod(path.stat().st_mode & 0o555)
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shared():
    """A folder that all users may look into."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_file_that_can_only_be_read_is_opened_and_says_that_nothing_is_saved(shared):
    path = shared / "x.lit"
    widget, _ = widget_on(session=path)
    widget.give_mask(0, MADE.target[0])
    masks = done(widget).masks()
    widget.close()
    path.chmod(0o644)
    before = path.read_bytes()
    with anyone(shared):
        again = LITWidget.open(path, MADE.frames, model=pocket())
        assert again.session is None
        assert (again.masks() == masks).all()
        again.give_mask(2, MADE.target[2])
        assert done(again).mask(2).any()
        again.close()
        with pytest.raises(ValueError, match="cannot be written"):
            widget_on(session=shared / "new.lit")
    assert path.read_bytes() == before


def test_a_file_that_was_not_closed_is_not_read_without_its_latest_part(shared):
    widget, _ = widget_on(session=shared / "x.lit")
    widget.give_mask(0, MADE.target[0])
    done(widget)
    with anyone(shared), pytest.raises(ValueError, match=r"copy it and x\.lit-wal"):
        LITWidget.open(shared / "x.lit", MADE.frames)
    shared.chmod(0o755)
    widget.close()


def test_what_is_no_path_and_what_has_no_locks_is_said_in_a_sentence(tmp_path):
    opened = inspect.unwrap(SessionFile.__init__)
    with pytest.raises(ValueError, match=r"given by its path, got None; give one like"):
        opened(object.__new__(SessionFile), None, new=False)
    assert "file locks; choose a folder" in explain(tmp_path, sqlite3.OperationalError("locking protocol"))
