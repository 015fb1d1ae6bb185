"""When memory runs out: less is kept in it and the work is done again, or refused with nothing lost."""

import pytest
import torch
from helpers import QUICK, clip, done, pocket, same_output, widget_on

from lit_widget.video.adaptation import TrainingPass, VideoItem
from lit_widget.video.devices import FullMemoryError
from lit_widget.video.feature_cache import ShelvedFeatures
from lit_widget.widget.limits import AnnotationError
from lit_widget.widget.widget import LITWidget

FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


class Failing:
    """A function that runs out of memory at some of its calls."""

    def __init__(self, function, when):
        self.function, self.when, self.calls = function, when, 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        if self.when(self.calls):
            raise FULL
        return self.function(*args, **kwargs)


def begun(**options):
    widget, heard = widget_on("easy", **options)
    widget.give_mask(0, clip().target[0])
    return done(widget), heard


def corrected():
    """A widget with a correction that stands on frame 2."""
    widget, heard = begun()
    widget.track(0)
    done(widget).give_mask(2, clip().target[2])
    return done(widget), heard


def test_tracking_goes_on_with_less_in_memory(monkeypatch):
    plain, _ = begun()
    plain.track(0)
    done(plain)
    widget, _ = begun()
    shelves = widget._annotation.learner.shelves
    before = [shelf.max_bytes for shelf in shelves]
    module = pocket().module
    monkeypatch.setattr(module, "_encode_new_memory", Failing(module._encode_new_memory, lambda call: call == 3))
    widget.track(0)
    done(widget)
    ours, theirs = widget._annotation.learner.records(), plain._annotation.learner.records()
    assert len(ours) == 8
    assert all(same_output(ours[item].output, theirs[item].output) for item in theirs)
    assert [shelf.max_bytes for shelf in shelves] == [most // 2 for most in before]


def test_a_frame_is_read_back_with_less_in_memory(monkeypatch):
    widget, _ = begun(memory_mb=1)
    widget.track(0)
    done(widget)
    learner = widget._annotation.learner
    before = [shelf.max_bytes for shelf in learner.shelves]
    read = ShelvedFeatures.features.fget
    monkeypatch.setattr(ShelvedFeatures, "features", property(Failing(read, lambda call: call == 1)))
    assert learner.predict_one(VideoItem(3, 1)).output.logits.isfinite().all()
    assert [shelf.max_bytes for shelf in learner.shelves] == [most // 2 for most in before]


def test_a_proposal_is_made_with_less_in_memory(monkeypatch):
    widget, _ = corrected()
    widget.learn(2)
    learner = done(widget)._annotation.learner
    prediction = learner.predict_one(VideoItem(4, 1))
    plain = learner.propose_one(prediction)
    before = [shelf.max_bytes for shelf in learner.shelves]
    decoder = learner.adapters.get(1).module
    monkeypatch.setattr(decoder, "predict_masks", Failing(decoder.predict_masks, lambda call: call == 1))
    assert same_output(learner.propose_one(prediction).output, plain.output)
    assert [shelf.max_bytes for shelf in learner.shelves] == [most // 2 for most in before]


def test_tracking_that_cannot_go_on_keeps_what_is_done(monkeypatch):
    widget, heard = begun()
    module = pocket().module
    monkeypatch.setattr(module, "_encode_new_memory", Failing(module._encode_new_memory, lambda call: call >= 4))
    widget.track(0)
    with pytest.raises(FullMemoryError, match="cpu ran out of memory with pocket; free some"):
        widget.wait(60.0)
    assert {item.frame for item in widget._annotation.learner.records()} == {0, 1, 2, 3}
    assert any(message.get("type") == "error" and "ran out of memory" in message["message"] for message, _ in heard)
    monkeypatch.undo()
    widget.track(0)
    assert len(done(widget)._annotation.learner.records()) == 8


def test_an_update_is_made_again_from_the_same_weights(monkeypatch):
    weights = []
    for when in (lambda _: False, lambda call: call == 2):
        widget, _ = corrected()
        monkeypatch.setattr(TrainingPass, "__call__", failing_pass(when))
        widget.learn(2)
        done(widget)
        monkeypatch.undo()
        weights.append(weights_of(widget))
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_an_update_that_cannot_be_made_leaves_the_correction_standing(monkeypatch):
    widget, _ = corrected()
    learner = widget._annotation.learner
    before = weights_of(widget)
    steps = len(widget._annotation.session.history.states[0])
    monkeypatch.setattr(TrainingPass, "__call__", failing_pass(lambda call: call % 2 == 0))
    widget.learn(2)
    with pytest.raises(FullMemoryError):
        widget.wait(60.0)
    assert learner.adapters.get(1).version == 0
    assert all(torch.equal(each, before[name]) for name, each in weights_of(widget).items())
    assert VideoItem(2, 1) in widget._annotation.pending
    assert len(widget._annotation.session.history.states[0]) == steps
    monkeypatch.undo()
    widget.learn(2)
    assert done(widget)._annotation.learner.adapters.get(1).version == 1


def weights_of(widget):
    return dict(widget._annotation.learner.adapters.get(1).snapshot().tensors)


def failing_pass(when):
    failing = Failing(TrainingPass.__call__, when)

    def call(self):
        return failing(self)

    return call


def test_a_widget_keeps_no_more_in_memory_than_it_may():
    widget, heard = begun(memory_mb=1)
    widget.track(0)
    done(widget)
    shelves = widget._annotation.learner.shelves
    assert sum(shelf.used_bytes for shelf in shelves) <= 2**20
    assert all(shelf.file_bytes > 0 for shelf in shelves)
    told = [message["memory"] for message, _ in heard if message["type"] == "state"][-1]
    assert told["used"] <= told["most"] == 1
    assert told["file"] == round(sum(shelf.file_bytes for shelf in shelves) / 2**20)
    plain, _ = begun()
    plain.track(0)
    done(plain)
    assert (widget.masks() == plain.masks()).all()


@pytest.mark.parametrize("given", [0, -1, True])
def test_other_bounds_are_refused(given):
    with pytest.raises(AnnotationError, match="memory_mb is a whole number of megabytes"):
        LITWidget(clip().frames, model=pocket(), update=QUICK, memory_mb=given)


def test_closing_gives_memory_back():
    widget, _ = begun(memory_mb=1)
    widget.track(0)
    masks = done(widget).masks()
    for_masks, for_frames = widget._annotation.learner.shelves
    widget.close()
    assert for_masks.used_bytes == for_frames.used_bytes == for_frames.file_bytes == 0
    assert (widget.masks() == masks).all()
