"""Undo and redo outlive the kernel: a reopened session goes back and forth as the closed one would have."""

import shutil
import sqlite3

import numpy as np
import pytest
from helpers import clip, done, pocket, widget_on
from store_helpers import alter, contents, same, worked

from lit_widget.video.frames import open_frames
from lit_widget.video.strategies import STRATEGIES, learner_for
from lit_widget.widget.annotation import Annotation
from lit_widget.widget.store import Recorder, SessionFile, SessionFileError, restore, steps
from lit_widget.widget.store.doctor import examine, repair
from lit_widget.widget.widget import LITWidget

MADE = clip("union")


def travelled(path):
    """A closed session of which a part was undone, with a correction standing."""
    widget = worked(path)
    widget.choose(1)
    widget.click(6, 50.0, 60.0)
    widget.click(6, 52.0, 60.0, positive=False)
    widget.learn(6)
    done(widget)
    widget.click(7, 30.0, 30.0)
    widget.delete_object(2)
    widget.click(7, 33.0, 30.0)
    widget.clear_prompts(7)
    for _ in range(3):
        widget.undo()
    done(widget).close()
    return widget


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    path = tmp_path_factory.mktemp("undo") / "clip.lit"
    widget = travelled(path)
    back, forth = [contents(widget)], []
    # Without its worker and its file it still goes back and forth in memory.
    session = widget._annotation.session
    while session.history.can_undo:
        session.undo()
        back.append(contents(widget))
    while session.history.can_redo:
        session.redo()
        forth.append(contents(widget))
    return path, back, forth


@pytest.fixture
def copy(closed, tmp_path):
    return shutil.copy(closed[0], tmp_path / "clip.lit")


def test_it_goes_back_and_forth_as_the_closed_one_would_have(copy, closed):
    _, back, forth = closed
    assert len(back) > 10
    assert len(forth) > len(back), "some was undone before it was closed"
    widget = LITWidget.open(copy, MADE.frames)
    same(contents(widget), back[0])
    for before in back[1:]:
        widget.undo()
        same(contents(done(widget)), before)
    assert not widget._annotation.session.history.can_undo
    widget.close()
    # What was undone is in the file, too.
    again = LITWidget.open(copy, MADE.frames)
    same(contents(again), back[-1])
    for after in forth:
        again.redo()
        same(contents(done(again)), after)
    assert not again._annotation.session.history.can_redo
    again.close()
    assert examine(copy) == []


def test_a_correction_that_stands_is_learned_on(copy):
    widget = LITWidget.open(copy, MADE.frames)
    assert done(widget)._annotation.pending[7, 1].prediction is not None
    version = widget.adapter_version
    widget.click(7, 31.0, 35.0)
    widget.learn(7)
    assert done(widget).adapter_version == version + 1
    for _ in range(3):
        widget.undo()
    assert done(widget).adapter_version == version
    widget.close()


def test_a_damaged_step_ends_undo_and_harms_nothing_else(copy, closed):
    file = SessionFile(copy, new=False)
    ids = [each for (each,) in file.rows("SELECT id FROM step WHERE undone = 0 ORDER BY id DESC")]
    file.close()
    alter(copy, "UPDATE step SET beside = '[' WHERE id = ?", ids[4])
    widget = LITWidget.open(copy, MADE.frames)
    for before in closed[1][1:5]:
        widget.undo()
        same(contents(done(widget)) | {"clicks": {}}, before | {"clicks": {}})
    assert not widget._annotation.session.history.can_undo
    widget.close()
    assert examine(copy) == [], "what could not be used was taken out"


def test_the_doctor_takes_damaged_steps_out(copy, closed):
    file = SessionFile(copy, new=False)
    query = (
        "SELECT DISTINCT step FROM old_mask JOIN step ON step = id WHERE NOT undone AND bits IS NOT NULL ORDER BY id"
    )
    (damaged,) = file.rows(query)[-3]
    file.close()
    alter(copy, "UPDATE old_mask SET bits = x'00' WHERE step = ? AND bits IS NOT NULL", damaged)
    assert f"at step {damaged} of undo" in examine(copy)[0]
    repair(copy)
    assert examine(copy) == []
    widget = LITWidget.open(copy, MADE.frames)
    same(contents(widget), closed[1][0] | {"clicks": contents(widget)["clicks"]})
    assert 0 < len(widget._annotation.session.history.states[0]) < len(closed[1]) - 1
    widget.close()


HOSTILE = (
    "UPDATE step SET beside = '{\"objects\": [[1, 2, 3]]}'",
    "UPDATE step SET beside = json_set(beside, '$.objects', json_array())",
    "UPDATE step SET beside = json_set(beside, '$.range', json_array(5, 100))",
    "DELETE FROM old_mask",
    "UPDATE old_mask SET pointer = x'00' WHERE pointer IS NOT NULL",
    "UPDATE old_mask SET frame = frame + 100",
    "UPDATE old_mask SET object = object + 7",
    "UPDATE old_adapter SET weights = x'00' WHERE weights IS NOT NULL",
    "UPDATE old_adapter SET slot = 10000000",
    "UPDATE old_prompt SET output = x'00' WHERE output IS NOT NULL",
    "UPDATE old_prompt SET points = '[]' WHERE points IS NOT NULL",
    "UPDATE step SET id = -id",
    f"UPDATE step SET id = {2**63 - 1} WHERE id = (SELECT max(id) FROM step)",
    "UPDATE step SET whole = 1 - whole",
    "UPDATE step SET undone = 1 - undone",
)


@pytest.mark.parametrize("statement", HOSTILE)
def test_strangers_steps_are_undone_or_left_out(copy, statement):
    alter(copy, statement)
    strategy = STRATEGIES["lit-lora"]
    annotation = Annotation(learner_for(strategy, pocket(), open_frames(MADE.frames)), strategy, lambda *_: None)
    file = SessionFile(copy, new=False)
    recorder = Recorder(file, annotation, [], pytest.fail, steps=restore(file, annotation).steps)
    while annotation.session.history.can_undo:
        annotation.session.undo()
        recorder.save()
    while annotation.session.history.can_redo:
        annotation.session.redo()
        recorder.save()
    recorder.close()
    assert all("mask" not in reason for reason in examine(copy))


def test_a_process_that_dies_between_any_two_statements_keeps_what_was_committed(tmp_path):
    path, deaths, committed = tmp_path / "x.lit", [], [set()]

    class Dying(sqlite3.Connection):
        """Leaves a copy of the file as it is before each statement."""

        def execute(self, statement, *values):
            if self.in_transaction and statement.split()[0] in {"INSERT", "DELETE", "COMMIT"} and len(deaths) < 150:
                folder = tmp_path / f"{len(deaths)}"
                folder.mkdir()
                for part in tmp_path.glob("x.lit*"):
                    shutil.copy(part, folder)
                deaths.append((folder / "x.lit", committed[-1]))
            result = super().execute(statement, *values)
            if statement == "COMMIT":
                committed.append(verdicts(self))
            return result

    def verdicts(connection):
        query = "SELECT object, frame, status FROM mask WHERE status IN ('accepted', 'corrected')"
        return set(sqlite3.Connection.execute(connection, query).fetchall())

    widget, _ = widget_on(session=path, strategy="previous-mask")
    widget.give_mask(0, MADE.target[0])
    widget.track(0, stop=4)
    done(widget)
    widget.close()
    with pytest.MonkeyPatch.context() as patch:
        connect = sqlite3.connect
        patch.setattr(sqlite3, "connect", lambda *given, **more: connect(*given, **more, factory=Dying))
        widget = LITWidget.open(path, MADE.frames)
        for frame in (2, 3):
            widget.flag(frame)
            widget.accept()
        widget.undo()
        done(widget)
    assert len(deaths) > 50
    assert {len(held) for _, held in deaths} == {0, 1, 2}
    for died, held in deaths:
        file = SessionFile(died, new=False)
        assert verdicts(file.connection) == held
        file.close()
    assert [finding for died, _ in deaths[::5] for finding in examine(died)] == []
    widget.close()


def test_steps_for_which_there_is_no_room_are_left_out_from_the_first_on(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "LEAST_ROOM", 0)
    monkeypatch.setattr(steps, "ROOM", 0.1)
    widget, _ = widget_on(session=tmp_path / "x.lit")
    noise = np.random.default_rng(0)
    for _ in range(12):
        widget.give_mask(0, noise.random(MADE.target[0].shape) > 0.5)
    done(widget).close()
    back, session = [contents(widget)], widget._annotation.session
    while session.history.can_undo:
        session.undo()
        back.append(contents(widget))
    again = LITWidget.open(tmp_path / "x.lit", MADE.frames)
    held = len(again._annotation.session.history.states[0])
    assert 1 <= held < len(back) - 1
    for before in back[1 : held + 1]:
        again.undo()
        same(contents(done(again)), before)
    again.close()
    assert examine(tmp_path / "x.lit") == []


def test_steps_that_were_written_at_once_come_back_in_order(tmp_path):
    widget, _ = widget_on(session=tmp_path / "x.lit")
    connection = widget._recorder._file.connection
    connection.execute("PRAGMA query_only = ON")
    widget.give_mask(0, MADE.target[0])
    with pytest.raises(SessionFileError, match="Not saved"):
        widget.wait()
    widget.edit_object(1, name="cup")
    widget.edit_object(1, colour="#112233")
    widget.give_mask(2, MADE.target[2])
    widget.click(2, 30.0, 30.0)
    for _ in range(2):
        widget.undo()
    with pytest.raises(SessionFileError, match="Not saved"):
        widget.wait()
    held = contents(widget)
    connection.execute("PRAGMA query_only = OFF")
    widget.close()
    again = LITWidget.open(tmp_path / "x.lit", MADE.frames)
    same(contents(again), held)
    for name in ("cup", "object 1"):
        assert again.objects == {1: "cup"}
        again.undo()
        assert done(again).objects == {1: name}
    for _ in range(4):
        again.redo()
    assert done(again)._annotation.pending[2, 1].points.xy == ((30.0, 30.0),)
    again.close()
