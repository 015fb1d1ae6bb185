"""Masks painted by hand: exact, bounded on the wire, and clicks on them taken back one by one."""

import zlib
from contextlib import closing

import numpy as np
import pytest
from helpers import clip, done, widget_on
from hypothesis import given
from hypothesis import strategies as st

from lit_widget import LITWidget, embedded_clip
from lit_widget.widget.codec import decode_mask, encode_mask
from lit_widget.widget.limits import AnnotationError
from lit_widget.widget.messages import MessageError

TARGET = clip("union", frames=4).target
SIZE = TARGET[0].shape


@pytest.fixture
def told():
    """A widget, and what its views heard."""
    widget, heard = widget_on(frames=4)
    yield widget, heard
    widget.close()


def checkered():
    """No mask of the decoder's resolution comes near it."""
    return np.indices(SIZE).sum(0) % 2 == 0


def give(widget, mask, frame=0, buffers=None):
    message = {"type": "giveMask", "frame": frame, "object": 1}
    widget._receive(None, message, [encode_mask(mask)] if buffers is None else buffers)


def test_a_painted_mask_is_kept_pixel_by_pixel(told):
    widget, _ = told
    give(widget, checkered())
    assert np.array_equal(done(widget).mask(0), checkered())
    widget.track()
    widget.give_mask(2, checkered())
    widget.learn(2)
    assert np.array_equal(done(widget).mask(2), checkered())
    assert widget.corrections == [2]
    widget.track(0)
    assert np.array_equal(done(widget).masks()[[0, 2]], [checkered()] * 2)


def test_clicks_are_taken_back_one_by_one(told):
    widget, _ = told
    give(widget, TARGET[0])
    painted = done(widget).mask(0)
    masks = [painted]
    for x, y, positive in [(10.0, 10.0, True), (100.0, 100.0, False)]:
        widget.click(0, x, y, positive=positive)
        masks.append(done(widget).mask(0))
    widget.remove_prompt(0, 1)
    assert np.array_equal(done(widget).mask(0), masks[1])
    assert [(each.x, each.y) for each in widget._annotation.state.prompts] == [(10, 10)]
    assert not widget._annotation.state.standing[0].painted
    widget.remove_prompt(0, 0)
    assert np.array_equal(done(widget).mask(0), painted)
    assert widget._annotation.state.standing[0].painted
    widget.remove_prompt(0, 0)
    with pytest.raises(AnnotationError, match="there is no click 0 on frame 0, which has 0"):
        widget.wait()
    widget.undo()
    widget.clear_prompts(0)
    assert done(widget).mask(0) is None


def test_without_its_last_click_a_correction_is_gone(told):
    widget, _ = told
    widget.give_mask(0, TARGET[0])
    widget.track()
    before = done(widget).mask(2)
    widget.click(2, 10.0, 10.0)
    widget.remove_prompt(2, 0)
    assert np.array_equal(done(widget).mask(2), before)
    assert not widget._annotation.state.standing


@pytest.mark.parametrize(
    ("buffers", "part"),
    [
        ([], "expected one buffer, got 0"),
        ([b"", b""], "expected one buffer, got 2"),
        ([b"junk"], "not zlib data"),
        ([zlib.compress(b"\0" * 6143)], "does not fit 256×192 pixels, which are 6144 bytes"),
        ([zlib.compress(b"\0" * 6145)], "does not fit"),
        ([zlib.compress(b"\0" * 6144)[:-5]], "does not fit"),
        ([zlib.compress(b"\0" * 100_000_000)], "does not fit"),
    ],
)
def test_what_is_no_mask_is_refused(told, buffers, part):
    widget, heard = told
    give(widget, None, buffers=buffers)
    assert part in heard[-1][0]["message"]
    assert done(widget).mask(0) is None


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_masks_survive_the_wire(height, width, seed):
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    assert np.array_equal(decode_mask(memoryview(encode_mask(mask)), mask.shape), mask)


@given(st.binary(max_size=60))
def test_junk_is_refused(data):
    try:
        mask = decode_mask(data, (5, 7))
    except MessageError:
        return
    assert mask.shape == (5, 7)


@pytest.mark.parametrize("prompt", ["painted", "tracked"])
def test_a_click_off_the_object_alone_keeps_the_rest(prompt):
    frames = embedded_clip("distractor", 315).frames[:2]
    with closing(LITWidget(frames)) as widget:
        widget.click(0, 73.0, 135.0)
        before = done(widget).mask(0)
        if prompt == "painted":
            widget.give_mask(0, before)
        else:
            widget.track()
        widget.click(0, 141.0, 126.0, positive=False)
        assert (done(widget).mask(0) & before).sum() > 0.5 * before.sum()
