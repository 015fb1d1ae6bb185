"""Objects by the widget's methods: names, looks, locks, and deleting one without losing the others' work."""

import threading

import numpy as np
import pytest
from helpers import clip, done, widget_on
from hypothesis import given
from hypothesis import strategies as st

from lit_widget.core.checks import same_weights
from lit_widget.widget.limits import AnnotationError
from lit_widget.widget.objects import MAX_NAME, PALETTE, Objects

FRAMES = 4
TARGET = clip("union", frames=FRAMES).target


@pytest.fixture
def widget():
    """Two objects tracked through the video, the first corrected and learned once."""
    widget, _ = widget_on(frames=FRAMES)
    widget.give_mask(0, TARGET[0])
    widget.add_object("bike")
    widget.give_mask(0, TARGET[0])
    widget.track()
    widget.give_mask(2, TARGET[2], object_id=1)
    widget.learn(2, object_id=1)
    yield done(widget)
    widget.close()


def told(widget, object_id):
    return next(each for each in widget._annotation.state.objects if each.id == object_id)


def test_names_and_looks(widget):
    widget.edit_object(2, name="  a\nbike ", colour="#123456", hidden=True)
    assert widget.objects == {1: "object 1", 2: "a bike"}
    assert (told(widget, 2).colour, told(widget, 2).hidden, told(widget, 2).locked) == ("#123456", True, False)
    widget.edit_object(2, hidden=False)
    assert (told(widget, 2).name, told(widget, 2).hidden) == ("a bike", False)
    for wrong, part in [
        ({"name": " "}, "1 to 80 characters, got 0"),
        ({"name": "x" * (MAX_NAME + 1)}, "got 81"),
        ({"colour": "red"}, "is not #rrggbb; these are told apart by everyone: #0072B2"),
    ]:
        with pytest.raises(AnnotationError, match=part):
            widget.edit_object(2, **wrong)
    with pytest.raises(AnnotationError, match=r"object 9 does not exist; objects are \[1, 2\]"):
        widget.edit_object(9, name="x")
    assert told(widget, 2).name == "a bike"


def test_a_prompt_shows_a_hidden_object(widget):
    widget.edit_object(2, hidden=True)
    widget.click(3, 100.0, 100.0, object_id=2)
    done(widget)
    assert not told(widget, 2).hidden


def test_nothing_changes_what_is_locked(widget):
    widget.click(3, 100.0, 100.0, object_id=2)
    done(widget)
    widget.edit_object(2, locked=True)
    masks, others = widget.masks(object_id=2), widget.masks(object_id=1)
    for act in (
        lambda: widget.click(1, 5.0, 5.0, object_id=2),
        lambda: widget.give_mask(1, TARGET[1], object_id=2),
        lambda: widget.learn(3, object_id=2),
        lambda: widget.clear_prompts(3, object_id=2),
        lambda: widget.flag(1, object_id=2),
        lambda: widget.delete_object(2),
    ):
        act()
        with pytest.raises(AnnotationError, match="object 2 is locked; unlock it to change it"):
            widget.wait()
    widget.give_mask(1, TARGET[1], object_id=1)
    widget.track(0)
    done(widget)
    assert np.array_equal(widget.masks(object_id=2), masks)
    assert not np.array_equal(widget.masks(object_id=1), others)
    assert [each.frame for each in widget._annotation.state.prompts] == [3]
    widget.edit_object(1, locked=True)
    widget.track(0)
    with pytest.raises(AnnotationError, match="everything that could be tracked is locked"):
        widget.wait()


def test_deleting_an_object_loses_nothing_else(widget):
    first = widget.masks(object_id=1)
    both = widget._annotation.learner.snapshot()
    widget.edit_object(2, name="bike 2")
    widget.delete_object(2)
    assert done(widget).objects == {1: "object 1"}
    assert np.array_equal(widget.masks(object_id=1), first)
    assert (widget.corrections, widget.adapter_version) == ([2], 1)
    widget.undo()
    assert done(widget).objects == {1: "object 1", 2: "bike 2"}
    assert same_weights(widget._annotation.learner.snapshot(), both)
    assert widget.masks(object_id=2).any((1, 2)).sum() == FRAMES
    widget.redo()
    assert list(done(widget).objects) == [1]
    assert widget.add_object() == 3, "an id is not used twice"


def test_work_that_waits_does_not_choose_another_object(widget):
    held = threading.Event()
    widget._model_worker.submit(lambda _: held.wait(10.0))
    widget.give_mask(1, TARGET[1], object_id=1)
    third = widget.add_object("cup")
    held.set()
    done(widget).click(1, 10.0, 10.0)
    assert done(widget).log.object.iloc[-1] == third


def test_undo_takes_back_what_objects_are_called_and_look_like(widget):
    def undone():
        widget.undo()
        return done(widget)

    masks, colours = widget.masks(object_id=1), {each: widget._annotation.objects[each].colour for each in (1, 2)}
    third = widget.add_object("cup")
    widget.edit_object(1, name="car")
    widget.edit_object(1, colour="#123456")
    widget.edit_object(2, hidden=True, locked=True)
    widget.set_range(1, 3)
    assert undone()._annotation.range is None
    assert undone()._annotation.objects[1].colour == colours[1]
    assert undone().objects == {1: "object 1", 2: "bike", third: "cup"}
    assert list(undone().objects) == [1, 2]
    assert widget._annotation.active != third
    assert widget._annotation.objects[2].locked, "what can be turned off by the same key is no step of its own"
    assert np.array_equal(widget.masks(object_id=1), masks)
    for _ in range(4):
        widget.redo()
    assert done(widget).objects == {1: "car", 2: "bike", third: "cup"}
    assert widget._annotation.objects[1].colour == "#123456"
    assert widget._annotation.range == (1, 3)
    assert np.array_equal(widget.masks(object_id=1), masks)
    told = [each for each in widget.log["told"] if each.startswith("Taken back")]
    whats = ("the range to track", "the colour of car", "car is object 1", "cup is gone")
    assert told[:4] == [f"Taken back: {what}" for what in whats]


def test_deleting_what_learned_and_undo(widget):
    weights = widget._annotation.learner.snapshot()
    widget.choose(1)
    widget.delete_object(1)
    assert list(done(widget).objects) == [2]
    assert widget.adapter_version == 0
    widget.forget(2, object_id=2)
    with pytest.raises(AnnotationError, match=r"nothing was learned from frame 2, but from frames \[\]"):
        widget.wait()
    widget.undo()
    assert same_weights(done(widget)._annotation.learner.snapshot(), weights)
    widget.forget(2, object_id=1)
    assert done(widget)._annotation.state.adapters[0].version == 0


def test_the_only_object_stays_and_is_emptied():
    widget, heard = widget_on(frames=FRAMES)
    widget.give_mask(0, TARGET[0])
    widget.track()
    done(widget)
    heard.clear()
    widget.delete_object(1)
    assert done(widget).objects == {1: "object 1"}
    assert not widget.masks().any()
    gone = [pair for message, _ in heard if message["type"] == "masks" for pair in message["forget"]]
    assert sorted(gone) == [(frame, 1) for frame in range(FRAMES)]
    widget.undo()
    assert done(widget).masks().any((1, 2)).all()
    widget.close()


@given(st.text())
def test_a_name_is_one_printable_line_or_refused(name):
    try:
        named = Objects.first().edit(1, name=name).names[1]
    except AnnotationError:
        return
    assert named.isprintable()
    assert 0 < len(named) <= MAX_NAME


def test_colours_come_round():
    objects = Objects.first()
    for _ in PALETTE:
        objects = objects.add(None)
    colours = [each.colour for each in objects.things.values()]
    assert colours == [*PALETTE.values(), next(iter(PALETTE.values()))]


def test_a_deleted_objects_colour_is_the_next_to_be_given():
    objects = Objects.first().add(None).add(None).remove(2).add(None)
    first, second, third, *_ = PALETTE.values()
    assert {each: thing.colour for each, thing in objects.things.items()} == {1: first, 3: third, 4: second}


def test_a_new_object_is_the_one_that_was_added_whatever_the_worker_does():
    fresh, _ = widget_on()
    for number in range(2, 12):
        fresh.click(0, 5.0, 5.0, object_id=1)
        assert fresh.add_object() == number
    fresh.close()
