"""The widget by its methods, without any front end: every action, undo, errors, simulation, picture and end."""

import base64
import io
import threading
import time

import numpy as np
import pytest
from helpers import FRAMES, clip, done, pocket, widget_on
from PIL import Image
from traitlets import TraitError

from lit_widget import LITWidget
from lit_widget.core.checks import same_weights
from lit_widget.simulation.metrics import iou
from lit_widget.video.adaptation import VideoItem
from lit_widget.widget.annotation import AnnotationError

TARGET = clip("union").target
MIDDLE = [float(round(mean)) for mean in np.argwhere(TARGET[0]).mean(0)[::-1]]  # x, y


@pytest.fixture
def widget():
    widget, _ = widget_on()
    yield widget
    widget.close()


def tracked(widget):
    """Object 1 prompted with its true mask on frame 0 and followed to the end."""
    widget.give_mask(0, TARGET[0])
    widget.track()
    return done(widget)


def taught(widget):
    """Corrected on frame 3 as well, so that the adapter has learned once."""
    tracked(widget).give_mask(3, TARGET[3])
    widget.learn(3)
    return done(widget)


def statuses(widget, object_id=1):
    records = widget._annotation.learner.bank(object_id).records
    return {frame: record.status for frame, record in sorted(records.items())}


# --- Prompting and tracking -------------------------------------------------------------------------------------------


def test_a_click_gives_a_mask_at_once(widget):
    assert widget.mask(0) is None
    widget.click(0, *MIDDLE)
    done(widget)
    assert widget.mask(0).shape == TARGET[0].shape
    assert widget.mask(0).any()
    before = widget.mask(0)
    widget.click(0, 2.0, 2.0, positive=False)
    assert not np.array_equal(done(widget).mask(0), before)
    assert [prompt.positive for prompt in widget._annotation.state.prompts] == [True, False]
    assert statuses(widget) == {0: "prompted"}


def test_a_box_replaces_the_clicks(widget):
    rows, columns = (np.flatnonzero(TARGET[0].any(axis)) for axis in (1, 0))
    widget.click(0, 2.0, 2.0)
    widget.box(0, *[float(edge) for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)])
    done(widget)
    assert not widget._annotation.state.prompts
    assert widget.mask(0).any()


def test_a_given_mask_is_the_mask(widget):
    for mask in (TARGET[0], TARGET[0].astype(np.uint8)):
        widget.give_mask(0, mask)
        assert iou(done(widget).mask(0), TARGET[0]) > 0.95


def test_tracking_reaches_every_frame(widget):
    tracked(widget)
    assert statuses(widget) == {0: "prompted", **dict.fromkeys(range(1, FRAMES), "tracked")}
    masks = widget.masks()
    assert masks.shape == TARGET.shape
    assert masks.dtype == bool
    assert all(np.array_equal(masks[frame], widget.mask(frame)) for frame in range(FRAMES))
    assert np.mean([iou(mask, truth) for mask, truth in zip(masks, TARGET, strict=True)]) > 0.3


def test_tracking_to_a_frame_and_backwards(widget):
    widget.give_mask(4, TARGET[4])
    widget.track(4, stop=6)
    widget.track(4, stop=2, reverse=True)
    assert sorted(statuses(done(widget))) == [2, 3, 4, 5, 6]
    widget.frame_index = 2
    widget.track(reverse=True)
    assert sorted(statuses(done(widget))) == [0, 1, 2, 3, 4, 5, 6]
    assert not widget.masks()[7].any()
    with pytest.raises(TraitError, match=f"no frame {FRAMES}; expected 0 to {FRAMES - 1}"):
        widget.frame_index = FRAMES
    assert widget.frame_index == 2


def test_objects_are_tracked_together(widget):
    second = widget.add_object("the other half")
    assert widget.objects == {1: "object 1", second: "the other half"}
    widget.give_mask(0, TARGET[0], object_id=1)
    widget.give_mask(2, TARGET[2])
    widget.track(0)
    done(widget)
    assert sorted(statuses(widget, 1)) == list(range(8))
    assert sorted(statuses(widget, second)) == [2, 3, 4, 5, 6, 7]
    assert widget.masks(object_id=second)[5].any()


def test_prompts_can_be_taken_back(widget):
    widget.click(0, *MIDDLE)
    widget.clear_prompts(0)
    assert done(widget).mask(0) is None
    tracked(widget)
    before = widget.masks()
    for frame in (0, 3):
        widget.click(frame, 2.0, 2.0)
        assert not np.array_equal(done(widget).mask(frame), before[frame])
        widget.clear_prompts(frame)
        done(widget)
    assert np.array_equal(widget.masks(), before)
    assert statuses(widget)[0] == "prompted"


# --- Correcting, proposing, undoing -----------------------------------------------------------------------------------


def test_a_correction_is_learned_and_tracked_on_from(widget):
    before = tracked(widget).masks()
    widget.give_mask(3, TARGET[3])
    assert widget.adapter_version == 0
    widget.learn(3)
    done(widget)
    assert (widget.corrections, widget.accepted, widget.adapter_version) == ([3], [], 1)
    assert iou(widget.mask(3), TARGET[3]) > 0.95
    assert np.array_equal(widget.masks()[:3], before[:3])
    assert not np.array_equal(widget.masks()[4:], before[4:])
    widget.track(0)
    assert iou(done(widget).mask(3), TARGET[3]) > 0.95


def test_tracking_learns_what_is_pending_first(widget):
    tracked(widget).click(2, *MIDDLE)
    widget.click(2, 2.0, 2.0, positive=False)
    widget.track(0)
    done(widget)
    assert (widget.corrections, widget.adapter_version) == ([2], 1)
    assert widget._annotation.clicks == {VideoItem(2, 1): 2}


def test_an_accepted_proposal_becomes_the_mask(widget):
    taught(widget).flag(5)
    proposal = done(widget).proposal
    assert proposal is not None
    assert not np.array_equal(proposal, widget.mask(5))
    widget.accept()
    done(widget)
    assert widget.proposal is None
    assert widget.accepted == [5]
    widget.track(0)
    assert np.array_equal(done(widget).mask(5), proposal)


def test_a_rejected_proposal_changes_nothing(widget):
    before = taught(widget).masks()
    widget.flag(5)
    widget.reject()
    done(widget)
    assert widget.proposal is None
    assert np.array_equal(widget.masks(), before)


def test_accepting_replaces_a_click_on_the_same_frame(widget):
    taught(widget).click(5, 2.0, 2.0)
    widget.flag(5)
    proposal = done(widget).proposal
    widget.accept()
    widget.track(0)
    done(widget)
    assert (widget.accepted, widget.corrections) == ([5], [3])
    assert np.array_equal(widget.mask(5), proposal)


def test_correcting_closes_the_proposal(widget):
    taught(widget).flag(5)
    widget.give_mask(5, TARGET[5])
    assert done(widget).proposal is None
    widget.learn(5)
    assert done(widget).corrections == [3, 5]
    assert widget.adapter_version == 2


def test_undo_goes_back_through_masks_and_weights(widget):
    def state():
        done(widget)
        standing = sorted(widget._annotation.pending)
        return widget._annotation.learner.snapshot(), widget.masks(), statuses(widget), standing

    tracked(widget)
    states = [state()]
    widget.give_mask(3, TARGET[3])
    states.append(state())
    widget.learn(3)
    states.append(state())
    widget.flag(5)
    widget.accept()
    done(widget)
    for weights, masks, status, standing in reversed(states):
        widget.undo()
        now = state()
        assert same_weights(now[0], weights)
        assert np.array_equal(now[1], masks)
        assert now[2:] == (status, standing)


def test_undo_takes_the_latest_step_wherever_it_was():
    widget, heard = widget_on()
    widget.box(0, 10.0, 10.0, 60.0, 60.0)
    second = done(widget).add_object("second")
    widget.click(4, *MIDDLE, object_id=second)
    widget.click(4, 2.0, 2.0, object_id=second)
    widget.delete_object(second)
    done(widget)

    def standing():
        done(widget)
        return {item: pending.points.n_clicks for item, pending in widget._annotation.pending.items()}

    seen = []
    for _ in range(5):
        widget.undo()
        seen.append((standing(), list(widget.objects.values())))
    one, both = ["object 1"], ["object 1", "second"]
    boxed = {(0, 1): 0}
    assert seen == [
        ({**boxed, (4, second): 2}, both),
        ({**boxed, (4, second): 1}, both),
        (boxed, both),
        (boxed, one),
        ({}, one),
    ]
    assert not widget._annotation.state.can_undo
    assert "Taken back: frame 0, object 1" in [each[0].get("note") for each in heard]
    for _ in range(5):
        widget.redo()
    assert standing() == boxed
    assert list(widget.objects.values()) == one
    widget.close()


def test_redo_takes_the_undo_back(widget):
    after = taught(widget).masks()
    weights = widget._annotation.learner.snapshot()
    widget.undo()
    assert done(widget).adapter_version == 0
    widget.redo()
    assert done(widget).adapter_version == 1
    assert same_weights(widget._annotation.learner.snapshot(), weights)
    assert np.array_equal(widget.masks(), after)
    widget.redo()
    with pytest.raises(AnnotationError, match="nothing to redo"):
        widget.wait()


def test_undoing_an_acceptance_asks_for_the_verdict_again(widget):
    before = taught(widget).masks()
    widget.flag(5)
    proposal = done(widget).proposal
    widget.accept()
    widget.undo()
    assert np.array_equal(done(widget).proposal, proposal)
    assert np.array_equal(widget.masks(), before)
    widget.redo()
    assert done(widget).proposal is None
    assert widget.accepted == [5]
    widget.undo()
    widget.reject()
    widget.give_mask(5, TARGET[5])
    widget.learn(5)
    widget.undo()
    widget.undo()
    assert done(widget).proposal is None, "it was the correction that was taken back"
    assert np.array_equal(widget.mask(5), before[5])


def test_a_forgotten_correction_keeps_its_mask(widget):
    taught(widget).give_mask(5, TARGET[5])
    widget.learn(5)
    done(widget)
    both = widget._annotation.learner.snapshot()
    masks = widget.masks()
    widget.forget(3)
    assert done(widget)._annotation.state.adapters[0].learned_from == [5]
    assert widget.adapter_version == 1
    assert widget.corrections == [3, 5]
    assert np.array_equal(widget.masks(), masks)
    widget.undo()
    assert same_weights(done(widget)._annotation.learner.snapshot(), both)
    widget.forget(4)
    with pytest.raises(AnnotationError, match=r"nothing was learned from frame 4, but from frames \[3, 5\]"):
        widget.wait()


def test_candidates_side_by_side():
    widget, heard = widget_on(strategy="three-loras")
    taught(widget).give_mask(5, TARGET[5])
    widget.learn(5)
    widget.flag(6)
    done(widget)
    info, masks = [each for each in heard if each[0]["type"] == "proposalInfo"][-1]
    assert [each["learned_from"] for each in info["candidates"]] == [[3], [5]]
    first, second = (widget._annotation.learner.mask(each.output) for each in widget._annotation.proposal.proposals)
    assert len(masks) == 2
    assert not np.array_equal(first, second)
    widget.accept(2)
    with pytest.raises(AnnotationError, match="no candidate 2; candidates are 0 to 1"):
        widget.wait()
    widget.accept(1)
    assert np.array_equal(done(widget).mask(6), second)
    widget.close()


def test_undo_takes_back_a_click(widget):
    before = tracked(widget).mask(3)
    widget.click(3, 2.0, 2.0)
    assert not np.array_equal(done(widget).mask(3), before)
    widget.undo()
    assert np.array_equal(done(widget).mask(3), before)


def test_the_original_strategy_has_nothing_to_propose():
    widget, heard = widget_on(strategy="original")
    taught(widget).flag(5)
    assert done(widget).proposal is None
    assert (widget.corrections, widget.adapter_version) == ([3], 0)
    assert "Nothing to propose" in heard[-1][0]["note"]
    widget.close()


@pytest.mark.parametrize("name", ["lit-plus", "token-0", "previous-mask", "close-up"])
def test_some_strategies_propose_before_anything_was_learned(name):
    widget, _ = widget_on(strategy=name)
    tracked(widget).flag(5)
    assert done(widget)._annotation.state.proposes_untaught
    assert widget.proposal is not None
    assert widget.adapter_version == 0
    widget.close()


def test_learning_can_be_turned_off(widget):
    taught(widget).set_learning(False)
    widget.flag(6)
    assert done(widget).proposal is None
    widget.give_mask(5, TARGET[5])
    widget.learn(5)
    assert done(widget).corrections == [3, 5]
    assert widget.adapter_version == 1
    widget.set_learning(True)
    widget.flag(7)
    assert done(widget).proposal is not None


# --- Waiting, cancelling, failing, closing ----------------------------------------------------------------------------


def test_wait_raises_the_first_error_once(widget):
    with pytest.raises(AnnotationError, match=r"the click \(9999, 0\) is outside the frame; x must be from 0 to 255"):
        widget.click(0, 9999.0, 0.0)
    widget.undo()
    widget.learn(0)
    with pytest.raises(AnnotationError, match="nothing to undo"):
        widget.wait()
    assert widget.wait()
    assert widget.mask(0) is None
    assert tracked(widget).masks()[7].any()


def test_wait_with_a_timeout(widget):
    widget.give_mask(0, TARGET[0])
    widget.track()
    assert widget.wait(0.0) is False
    assert widget.wait(60.0) is True


def test_interrupting_stops_tracking_and_no_learning():
    widget, heard = widget_on(frames=24)
    widget.give_mask(0, clip("union", frames=24).target[0])
    widget.track(stop=4)
    done(widget)
    widget.give_mask(3, TARGET[3])
    send = widget._outbox._send

    def interrupt_when_it_learns(message, buffers):
        send(message, buffers)
        if message["type"] == "job" and (message["kind"], message["status"]) == ("learn", "running"):
            widget.interrupt()

    widget._outbox._send = interrupt_when_it_learns
    heard.clear()
    widget.learn(3)
    widget.track(5)
    assert done(widget).corrections == [3]
    assert widget.adapter_version == 1
    assert widget.mask(5) is None
    ended = [each for each, _ in heard if each["type"] == "job" and each["status"] != "running"]
    assert [(each["kind"], each["status"]) for each in ended[-2:]] == [("learn", "done"), ("track", "interrupted")]
    widget.close()


def test_cancelling_keeps_what_is_done():
    widget, heard = widget_on(frames=24)
    send = widget._outbox._send

    def cancel_at_first_mask(message, buffers):
        send(message, buffers)
        if message["type"] == "masks" and message["items"][0]["status"] == "tracked":
            widget.cancel()

    widget._outbox._send = cancel_at_first_mask
    widget.give_mask(0, TARGET[0])
    widget.track()
    done(widget)
    assert widget.mask(1).any()
    assert widget.mask(23) is None
    assert [message["status"] for message, _ in heard if message["type"] == "job"][-1] == "cancelled"
    widget._outbox._send = send
    widget.track(len(statuses(widget)))
    assert len(statuses(done(widget))) == 24
    widget.close()


def test_a_failing_update_loses_no_correction(widget, monkeypatch):
    tracked(widget).give_mask(3, TARGET[3])
    learner = widget._annotation.learner
    with monkeypatch.context() as broken:
        broken.setattr(learner, "learn_one", lambda *_: 1 / 0)
        widget.learn(3)
        with pytest.raises(ZeroDivisionError):
            widget.wait()
    assert iou(widget.mask(3), TARGET[3]) > 0.95
    widget.learn(3)
    assert done(widget).corrections == [3]


def test_close_frees_the_threads():
    before = set(threading.enumerate())
    widget, _ = widget_on()
    widget.give_mask(0, TARGET[0])
    widget.track()
    assert set(threading.enumerate()) > before
    with pytest.warns(UserWarning, match=r"closed before this had begun: .*track; `wait\(\)` before `close\(\)`"):
        widget.close()
    assert set(threading.enumerate()) <= before
    for refused in (
        lambda: widget.click(0, 1.0, 1.0),
        lambda: widget.add_object("lost"),
        lambda: widget.set_range(1, 2),
    ):
        with pytest.raises(RuntimeError, match="the widget was closed"):
            refused()
    assert list(widget.objects) == [1]
    widget.close()


def test_close_lets_go_of_features():
    widget = LITWidget(clip("union").frames, model=pocket())
    done(widget).give_mask(0, TARGET[0])
    done(widget)
    features = widget._annotation.learner.features
    assert features._kept
    widget.close()
    assert not features._kept
    assert features._bytes == 0


# --- Simulation and picture -------------------------------------------------------------------------------------------


def test_a_simulation_on_the_widgets_video(widget):
    result = widget.run_simulation(ground_truth=TARGET, tau=0.9, progress=False)
    assert result.records["strategy"].tolist() == ["original", "lit-lora"]
    assert set(result.records["frames"]) == {FRAMES - 1}
    assert result.settings["model"] == "pocket"
    assert result.settings["update"]["epochs"] == 3
    assert not statuses(widget)


def test_a_simulation_cancelled_while_it_waits_has_an_empty_result():
    widget, _ = widget_on(frames=3)
    gate = threading.Event()
    widget._model_worker.submit(lambda _: gate.wait(30.0))

    def cancel_it():
        while len(widget._model_worker._waiting) < 2:
            time.sleep(0.01)
        widget.cancel()
        gate.set()

    canceller = threading.Thread(target=cancel_it)
    canceller.start()
    result = widget.run_simulation(clip("union", frames=3).target, watch=True, strategies=["original"])
    canceller.join()
    assert not result.complete
    assert result.records.empty
    assert result.settings["strategies"] == ["original"]
    assert widget.mask(1) is None
    widget.close()


def test_a_simulation_can_be_watched_and_undone():
    widget, heard = widget_on(frames=6)
    own = TARGET[5]
    widget.give_mask(5, own)
    done(widget)
    heard.clear()
    truth = clip("union", frames=6).target
    watched = widget.run_simulation(truth, watch=True, strategies=["original", "lit-lora"], tau=0.97)
    again = widget.run_simulation(truth, strategies=["original", "lit-lora"], tau=0.97, progress=False)
    assert list(watched.records["corrections"]) == list(again.records["corrections"])
    assert watched.complete
    shown = [(info["frame"], info["object"]) for each, _ in heard if each["type"] == "masks" for info in each["items"]]
    assert shown.count((3, 1)) >= 2, "once with each strategy"
    notes = " ".join(each["note"] for each, _ in heard if each["type"] == "job")
    assert "original: " in notes
    assert "lit-lora: " in notes
    assert widget.corrections
    assert widget.adapter_version > 0
    assert widget.mask(3) is not None
    widget.undo()
    assert done(widget).corrections == []
    assert np.array_equal(widget.mask(5), own)
    assert widget.mask(3) is None
    widget.close()


def test_a_simulation_on_what_was_annotated(widget):
    with pytest.raises(AnnotationError, match=r"there is no ground truth: give ground_truth=\(T, H, W\) masks"):
        widget.run_simulation()
    before = taught(widget).masks()
    result = widget.run_simulation(strategies="original", progress=False)
    assert result.records["frames"].tolist() == [1]
    assert np.array_equal(widget.masks(), before)
    assert widget.adapter_version == 1


def picture(widget):
    data, _ = widget._repr_mimebundle_()
    return np.array(Image.open(io.BytesIO(base64.b64decode(data["image/jpeg"]))))


def test_a_picture_is_saved_with_the_notebook(widget):
    plain = picture(widget)
    assert plain.shape == (192, 256, 3)
    assert np.abs(plain.astype(int) - clip("union").frames[0]).mean() < 12
    widget.give_mask(0, TARGET[0])
    widget.wait()
    painted = picture(widget).astype(int) - plain
    assert painted[..., 0][TARGET[0]].mean() < -15  # blue paint takes red away
    assert np.abs(painted[~TARGET[0]]).mean() < 3


def test_no_pixels_in_synced_traits_but_the_picture(widget):
    tracked(widget)
    sizes = {name: len(repr(value)) for name, value in widget.get_state().items() if name not in ("_esm", "_css")}
    assert {name for name, size in sizes.items() if size > 1000} <= {"preview"}
