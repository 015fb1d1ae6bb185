"""What was done, as a table, as events, and as a script that does it again."""

import runpy
import threading

import numpy as np
import pytest
from helpers import FRAMES, clip, done, pocket, widget_on
from PIL import Image

import lit_widget
from lit_widget.core.checks import same_weights
from lit_widget.widget.journal import COLUMNS
from lit_widget.widget.limits import AnnotationError
from lit_widget.widget.messages import AddObject, Click, Reject, Track, encode
from lit_widget.widget.widget import LITWidget

TARGET = clip("union").target


@pytest.fixture
def widget():
    widget, _ = widget_on()
    yield widget
    widget.close()


def test_every_action_is_a_row(widget):
    widget.give_mask(0, TARGET[0])
    widget._receive(None, encode(Track(0)), [])
    done(widget).edit_object(1, name="cup")
    log = widget.log
    assert tuple(log.columns) == COLUMNS
    assert list(log["action"]) == ["give_mask", "track", "edit_object"]
    assert list(log["by"]) == ["method", "view", "method"]
    assert set(log["outcome"]) == {"done"}
    assert list(log["frame"].fillna(-1)) == [0, 0, -1]
    assert list(log["object"].fillna(-1)) == [1, -1, 1]
    assert log["reached"][1] == FRAMES - 1
    assert log["took_s"][1] > 0
    assert list(log["at_s"]) == sorted(log["at_s"])


def test_what_fails_is_told_and_what_is_refused_was_never_done(widget):
    with pytest.raises(AnnotationError):
        widget.click(99, 1.0, 1.0)
    with pytest.raises(AnnotationError):
        widget.give_mask(0, TARGET[0], object_id=3)
    assert widget.log.empty
    widget._receive(None, encode(Reject()), [])
    done(widget)
    assert list(widget.log["outcome"]) == ["failed"]
    assert "no open proposal" in widget.log["told"][0]


def test_what_was_cancelled_before_it_began_is_dropped(widget):
    gate = threading.Event()
    widget._model_worker.submit(lambda _: gate.wait(30.0))
    widget.click(0, 40.0, 40.0)
    widget.cancel()
    gate.set()
    done(widget)
    assert list(widget.log["outcome"]) == ["dropped"]


def test_verdicts_know_where_they_were(widget):
    heard, all_of_them = [], []
    widget.give_mask(0, TARGET[0])
    widget.track(0)
    stop = widget.on("accept", heard.append)
    widget.on(None, all_of_them.append)
    widget.give_mask(3, TARGET[3])
    widget.learn(3)
    widget.flag(5)
    widget.accept()
    done(widget)
    assert [(each.name, each.frame, each.object_id, each.outcome) for each in heard] == [("accept", 5, 1, "done")]
    assert [each.name for each in all_of_them][-3:] == ["learn", "flag", "accept"]
    stop()
    widget.undo()
    done(widget)
    assert len(heard) == 1
    assert all_of_them[-1].name == "undo"
    with pytest.raises(AnnotationError, match="nothing is called 'corrected'"):
        widget.on("corrected", print)


def test_a_callback_that_fails_spoils_nothing(widget):
    def fail(_):
        raise KeyError("mine")

    widget.on("click", fail)
    widget.click(0, 40.0, 40.0)
    with pytest.raises(KeyError, match="mine"):
        widget.wait(30.0)
    assert widget.mask(0) is not None


def test_scores_are_a_table(widget):
    widget.give_mask(0, TARGET[0])
    widget.track(0, stop=2)
    scores = done(widget).scores
    assert list(scores["frame"]) == [0, 1, 2]
    assert list(scores["status"]) == ["prompted", "tracked", "tracked"]
    assert scores["confidence"][0] == 1.0
    assert scores["predicted_iou"].between(0, 1).all()
    assert np.isfinite(scores["object_score"]).all()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "clip").mkdir()
    for index, frame in enumerate(clip("union").frames):
        Image.fromarray(frame).save(tmp_path / "clip" / f"{index:05}.png")
    return tmp_path


def annotate(widget):
    """Something of everything, one part stopped on the way."""
    widget.give_mask(0, TARGET[0])
    widget._receive(None, encode(AddObject()), [])
    widget._receive(None, encode(Click(0, 2, 20.0, 30.0, True)), [])
    widget.edit_object(2, name='a "cup"', colour="#112233")
    widget.track(0, stop=5)
    done(widget)
    widget.give_mask(3, TARGET[3], object_id=1)
    halt = widget.on(None, lambda _: None)
    told = widget._annotation.feed.show

    def stop_at_five(items):
        told(items)
        if any(item.frame == 5 for item in items):
            widget.interrupt()

    widget._annotation.feed.show = stop_at_five
    widget.learn(3, object_id=1)
    done(widget)
    widget._annotation.feed.show = told
    halt()
    widget.set_range(0, 6)
    widget.flag(5, object_id=1)
    widget.accept()
    widget.undo()
    widget.undo()
    widget.redo()
    widget.click(6, 30.5, 30.0, positive=False, object_id=1)
    with pytest.raises(ValueError, match="no click 7"):
        widget.remove_prompt(6, 7, object_id=1) or widget.wait(30.0)
    return done(widget)


def test_a_script_gives_the_same_masks_and_weights(folder):
    widget = LITWidget(folder / "clip", model=pocket(), update=lit_widget.UpdateConfig(1e-3, epochs=3))
    annotate(widget)
    path = widget.to_script(folder / "again.py")
    text = path.read_text()
    assert "remove_prompt" not in text
    assert "model='pocket'" in text
    again = runpy.run_path(str(path))["w"]
    try:
        assert again.objects == widget.objects == {1: "object 1", 2: 'a "cup"'}
        for each in widget.objects:
            assert np.array_equal(again.masks(object_id=each), widget.masks(object_id=each))
        assert same_weights(*(each._annotation.learner.snapshot() for each in (widget, again)))
        assert again.scores.equals(widget.scores)
        assert (again.log["action"].isin(widget.log["action"])).all()
    finally:
        again.close()
        widget.close()


def test_a_script_has_a_name_of_one_and_waits_for_work(widget, tmp_path):
    with pytest.raises(AnnotationError, match=r"ends in \.py"):
        widget.to_script(tmp_path / "script.txt")
    gate = threading.Event()
    widget._model_worker.submit(lambda _: gate.wait(30.0))
    widget.click(0, 40.0, 40.0)
    with pytest.raises(AnnotationError, match="wait"):
        widget.to_script(tmp_path / "script.py")
    gate.set()
    done(widget)
    assert "# Give video again" in widget.to_script(tmp_path / "script.py").read_text()
