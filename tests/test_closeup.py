"""Close-ups: what they show, how masks go in and out, and the strategy that learns on them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import FRAMES, clip, correction, done, learner_on, pocket, same_output, widget_on
from hypothesis import given
from hypothesis import strategies as st

from lit_widget.core.checks import same_weights
from lit_widget.core.session import LiveSession
from lit_widget.core.types import Prediction
from lit_widget.core.update import UpdateConfig
from lit_widget.simulation.metrics import iou
from lit_widget.simulation.runner import run_simulation
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.closeup import EXTENTS, SMALLEST, close_up, window_around
from lit_widget.video.sam2 import ABSENT_LOGIT
from lit_widget.video.strategies import LitPlus

KIND, SIZE = "tiny", (192, 256)
ITEM = VideoItem(2, 1)


def box(top, left, height, width, size=SIZE):
    mask = np.zeros(size, dtype=bool)
    mask[top : top + height, left : left + width] = True
    return mask


@pytest.fixture
def followed():
    """A small object, its true masks settled up to the frame before `ITEM`."""
    learner = learner_on(KIND)
    for frame in range(1, ITEM.frame):
        learner.settle_one(VideoItem(frame, 1), learner.from_mask(frame, clip(KIND).target[frame]))
    return learner


# --- Windows ----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 191), st.integers(0, 255), st.integers(1, 192), st.integers(1, 256))
def test_a_window_shows_the_mask_within_the_frame_and_in_its_shape(top, left, height, width):
    mask = box(top, left, height, width)
    window = window_around(mask)
    assert window is not None
    assert window.cut(mask).sum() == mask.sum()
    assert 0 <= window.top <= SIZE[0] - window.height
    assert 0 <= window.left <= SIZE[1] - window.width
    assert window.height / window.width == pytest.approx(SIZE[0] / SIZE[1], abs=0.01)
    share = EXTENTS * ((np.ptp(np.argwhere(mask), 0) + 1) / SIZE).max()
    assert window.height / SIZE[0] == pytest.approx(np.clip(share, SMALLEST, 1), abs=0.01)


@pytest.mark.parametrize(
    ("mask", "share"),
    [(box(90, 120, 2, 2), SMALLEST), (box(80, 100, 24, 8), 0.5), (box(80, 100, 6, 24), 0.375), (box(0, 0, 150, 9), 1)],
)
def test_a_window_is_as_wide_as_the_mask_needs(mask, share):
    window = window_around(mask)
    assert (window.height, window.width) == (SIZE[0] * share, SIZE[1] * share)


def test_a_window_has_the_mask_in_its_middle_where_the_frame_allows():
    window = window_around(box(90, 120, 10, 20))
    middle = window.top + window.height / 2, window.left + window.width / 2
    assert middle == pytest.approx((95, 130), abs=1)


def test_nothing_to_look_at():
    assert window_around(np.zeros(SIZE, dtype=bool)) is None


# --- Close-ups --------------------------------------------------------------------------------------------------------


def test_a_mask_survives_the_way_out_and_stays_within_the_window(followed):
    prediction = followed.predict_one(ITEM)
    closer, truth = close_up(followed, prediction), clip(KIND).target[ITEM.frame]
    features = followed.model.encode(closer.window.cut(clip(KIND).frames[ITEM.frame]))
    inside = followed.model.from_mask(features, closer.window.cut(truth))
    pasted = closer.paste(inside)
    assert iou(followed.mask(pasted), truth) > 0.7
    everywhere = closer.paste(replace(inside, logits=torch.full_like(inside.logits, 5.0)))
    share = closer.window.height * closer.window.width / truth.size
    assert followed.mask(everywhere).mean() == pytest.approx(share, rel=0.1)
    absent = closer.paste(replace(inside, logits=torch.full_like(inside.logits, ABSENT_LOGIT)))
    assert bool((absent.logits == ABSENT_LOGIT).all())
    assert torch.equal(pasted.pointer, prediction.output.pointer)


@pytest.mark.slow
def test_a_small_object_needs_fewer_corrections():
    result = run_simulation("embedded:tiny:201", strategies=["lit-lora", "lit-plus"], model=pocket(), progress=False)
    corrections = result.records.set_index("strategy")["corrections"]
    assert corrections["lit-plus"] < 0.8 * corrections["lit-lora"]


def test_the_same_prediction_keeps_its_close_up_when_memory_changes(followed):
    prediction = followed.predict_one(ITEM)
    closer = close_up(followed, prediction)
    followed.settle_one(VideoItem(ITEM.frame - 1, 1), followed.from_mask(ITEM.frame - 1, box(0, 0, 9, 9)))
    assert close_up(followed, prediction) is closer
    assert close_up(followed, followed.predict_one(ITEM)).window != closer.window


def test_backwards_the_frame_before_is_the_later_one():
    learner = learner_on(KIND, objects=())
    learner.prompt(VideoItem(5, 1), learner.from_mask(5, clip(KIND).target[5]))
    prediction = learner.predict_one(VideoItem(4, 1))
    assert close_up(learner, prediction).window == window_around(learner.mask(learner.bank(1).records[5].output))


# --- The strategy -----------------------------------------------------------------------------------------------------


def test_the_first_error_is_met_with_a_close_up_and_later_ones_with_the_adapter_too(followed):
    strategy, truth = LitPlus(), clip(KIND).target
    prediction = followed.predict_one(ITEM)
    assert [each.source for each in strategy.propose(followed, prediction)] == ["frozen close-up"]
    report = strategy.learn(followed, prediction, correction(followed, ITEM, truth[ITEM.frame]))
    assert report.losses[-1] < report.losses[0]
    proposals = strategy.propose(followed, prediction)
    assert [(each.source, each.version, each.learned_from) for each in proposals] == [
        ("adapter close-up", 1, (ITEM,)),
        ("adapter", 1, (ITEM,)),
        ("frozen close-up", 0, ()),
    ]


@pytest.mark.parametrize("tracker", ["samurai", "dam4sam"])
def test_other_trackers_get_close_ups_too(tracker):
    learner, truth = learner_on(KIND, tracker=tracker), clip(KIND).target
    session = LiveSession(learner, LitPlus())
    session.keep(session.predict(VideoItem(1, 1)))
    prediction = session.predict(ITEM)
    session.correct(prediction, correction(learner, ITEM, truth[ITEM.frame]))
    later = session.predict(VideoItem(ITEM.frame + 1, 1))
    near, *others = session.propose(later)
    assert [each.source for each in (near, *others)] == ["adapter close-up", "adapter", "frozen close-up"]
    session.accept(later, near)
    assert learner.bank(1).records[later.item.frame].note is not None


def test_what_is_learned_helps_on_the_close_up_and_on_the_frame():
    learner = learner_on("part", update=UpdateConfig(learning_rate=1e-3))
    strategy, truth = LitPlus(), clip("part").target
    for frame in (1, 2):
        learner.settle_one(VideoItem(frame, 1), learner.from_mask(frame, truth[frame]))
    prediction = learner.predict_one(VideoItem(3, 1))
    strategy.learn(learner, prediction, correction(learner, prediction.item, truth[3]))
    near, whole, frozen = (iou(learner.mask(each.output), truth[3]) for each in strategy.propose(learner, prediction))
    assert near > frozen
    assert whole > iou(learner.mask(prediction.output), truth[3])


@pytest.mark.parametrize("void", [False, True])
def test_where_the_close_up_shows_nothing_of_the_object_the_whole_frame_teaches(followed, void):
    prediction = followed.predict_one(ITEM)
    corners = [box(0, 0, 8, 8), box(184, 248, 8, 8)]
    far = next(each for each in corners if not close_up(followed, prediction).window.cut(each).any())
    valid = ~box(60, 60, 9, 9) if void else None
    given = correction(followed, ITEM, far, valid)
    assert close_up(followed, prediction).shown(given) is None
    assert LitPlus().learn(followed, prediction, given) is not None
    assert not same_output(followed.propose_one(prediction).output, prediction.output)


def test_without_a_mask_before_it_is_lit_lora(followed):
    followed.settle_one(VideoItem(ITEM.frame - 1, 1), followed.from_mask(ITEM.frame - 1, np.zeros(SIZE, dtype=bool)))
    prediction: Prediction = followed.predict_one(ITEM)
    assert close_up(followed, prediction) is None
    assert LitPlus().propose(followed, prediction) == ()
    LitPlus().learn(followed, prediction, correction(followed, ITEM, clip(KIND).target[ITEM.frame]))
    (proposal,) = LitPlus().propose(followed, prediction)
    assert same_output(proposal.output, followed.propose_one(prediction).output)


def test_forgetting_teaches_the_remaining_corrections_on_the_close_ups_of_then():
    learner, truth = learner_on("union"), clip("union").target
    session, given = LiveSession(learner, LitPlus()), {}
    for frame in range(1, 6):
        prediction = session.predict(VideoItem(frame, 1))
        if frame in (2, 4):
            given[frame] = prediction, correction(learner, prediction.item, truth[frame])
            session.correct(*given[frame])
        else:
            session.keep(prediction)
    learner.settle_one(VideoItem(3, 1), learner.from_mask(3, box(0, 0, 9, 9)))
    session.forget(VideoItem(2, 1))
    forgotten = learner.snapshot()
    learner.reset()
    LitPlus().learn(learner, *given[4])
    assert same_weights(forgotten, learner.snapshot())


def test_the_widget_offers_them_side_by_side():
    widget, heard = widget_on(KIND, strategy="lit-plus")
    widget.give_mask(0, clip(KIND).target[0])
    widget.track()
    widget.flag(3)
    done(widget)
    assert widget.proposal is not None
    widget.reject()
    widget.give_mask(3, clip(KIND).target[3])
    widget.learn(3)
    widget.flag(FRAMES - 1)
    done(widget)
    offered = [message for message, _ in heard if message["type"] == "proposalInfo" and message["frame"] >= 0]
    assert [len(message["candidates"]) for message in offered] == [1, 3]
    widget.accept(1)
    assert done(widget).accepted == [FRAMES - 1]
    widget.close()
