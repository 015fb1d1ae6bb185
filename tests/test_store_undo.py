"""Undo and redo outlive the kernel: a reopened session goes back and forth as the closed one would have."""

import shutil

import pytest
from helpers import clip, done
from store_helpers import contents, same, worked

from lit_widget.widget.store.doctor import examine
from lit_widget.widget.widget import LITWidget

MADE = clip("union")


def travelled(path):
    """A closed session of which a part was undone, with a correction standing."""
    widget = worked(path)
    widget.choose(1)
    widget.click(6, 50.0, 60.0)
    widget.click(6, 52.0, 60.0, positive=False)
    widget.learn(6)
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
