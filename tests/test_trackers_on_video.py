"""Trackers in a learner, a widget and a simulation: promises, late objects, undo, and what they refuse."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
from helpers import QUICK, clip, correction, learner_on, pocket, same_output, widget_on

import lit_widget
from lit_widget import check_learner, run_simulation
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.propagate import propagate
from lit_widget.video.sam2 import Points
from lit_widget.video.trackers import TRACKERS, Tracker, TrackerError

OTHERS = ["samurai", "dam4sam"]


def test_every_tracker_is_listed_with_help_and_capabilities():
    listed = lit_widget.trackers()
    assert list(listed) == ["sam2", *OTHERS] == list(TRACKERS)
    for name, info in listed.items():
        assert info.name == name
        assert info.help in str(info)
        assert "\n" not in str(info)
    assert str(listed["sam2"]).endswith("(several objects, both directions)")
    assert str(listed["samurai"]).endswith("(several objects, forward only)")


def test_an_unknown_name_lists_the_near_ones():
    with pytest.raises(TrackerError, match="unknown tracker 'samuray'; did you mean samurai"):
        VideoLearner(pocket(), open_frames(clip().frames), tracker="samuray")
    with pytest.raises(ValueError, match="choose from sam2, samurai, dam4sam"):
        run_simulation("embedded:easy:0", tracker="xyz")


def tracked(learner, objects=(1,), start=1, stop=None):
    stop = len(learner.frames) - 1 if stop is None else stop
    return [each for frame in propagate(learner, list(objects), start, stop) for each in frame.predictions]


@pytest.mark.parametrize("tracker", TRACKERS)
def test_every_tracker_keeps_the_promises_of_a_learner(tracker):
    learner, target = learner_on("union", tracker=tracker), clip("union").target
    items = [VideoItem(2, 1), VideoItem(4, 1)]
    done = check_learner(learner, items, lambda item: correction(learner, item, target[item.frame]), same_output)
    assert len(done) >= 15


@pytest.mark.parametrize("tracker", OTHERS)
def test_an_object_that_starts_late_is_followed_as_in_a_cut_video(tracker):
    made = clip("distractor", 3, 20)
    whole = VideoLearner(pocket(), open_frames(made.frames), tracker=tracker)
    cut = VideoLearner(pocket(), open_frames(made.frames[3:]), tracker=tracker)
    whole.prompt(VideoItem(3, 1), whole.from_mask(3, made.target[3]))
    cut.prompt(VideoItem(0, 1), cut.from_mask(0, made.target[3]))
    pairs = zip(tracked(whole, start=0), tracked(cut, start=0), strict=True)
    assert all(same_output(left.output, right.output) for left, right in pairs)


@pytest.mark.parametrize("tracker", OTHERS)
def test_objects_do_not_meet(tracker):
    alone, both = (learner_on("union", tracker=tracker, objects=objects) for objects in ((1,), (1, 2)))
    both.prompt(VideoItem(0, 2), both.from_mask(0, ~clip("union").target[0]))
    together = [each for each in tracked(both, (1, 2)) if each.item.object == 1]
    assert all(same_output(a.output, b.output) for a, b in zip(tracked(alone), together, strict=True))


@pytest.mark.parametrize("tracker", OTHERS)
def test_undo_takes_notes_back(tracker):
    learner = learner_on("union", tracker=tracker)
    tracked(learner, stop=4)
    before = learner.snapshot()
    first = tracked(learner, start=5)
    notes = {at: each.note for at, each in learner.bank(1).records.items()}
    assert all(notes.values())
    learner.restore(before)
    learner.settle_one(VideoItem(3, 1), learner.from_mask(3, clip("union").target[3]), verdict="corrected", full=True)
    assert learner.bank(1).records[3].note != notes[3]
    changed = tracked(learner, start=4)
    assert not all(same_output(a.output, b.output) for a, b in zip(first, changed[1:], strict=True))
    learner.restore(before)
    assert all(same_output(a.output, b.output) for a, b in zip(first, tracked(learner, start=5), strict=True))


def test_a_clicked_correction_is_permanent_for_dam4sam_only():
    for tracker in TRACKERS:
        learner, item = learner_on("union", tracker=tracker), VideoItem(4, 1)
        tracked(learner)
        prediction = learner.predict_one(item)
        output = learner.segment(item, Points(((60.0, 60.0),), (1,)), evidence=prediction.evidence)
        learner.settle_one(item, output, verdict="corrected")
        settled = learner.bank(1).records[4]
        assert settled.locked
        assert settled.conditioning == (tracker == "dam4sam")
        tracked(learner)
        assert learner.bank(1).records[4] is settled


@pytest.mark.parametrize("tracker", OTHERS)
def test_a_proposal_is_gated_and_noted_as_the_tracker_does(tracker):
    learner, target, items = learner_on("union", tracker=tracker), clip("union").target, [VideoItem(2, 1)]
    prediction = learner.predict_one(items[0])
    learner.learn_one(prediction, correction(learner, items[0], target[2]))
    proposal = learner.propose_one(prediction)
    assert proposal.output.note == prediction.output.note
    learner.settle_one(items[0], proposal.output, verdict="accepted")
    note = learner.bank(1).records[2].note
    if tracker == "samurai":
        assert (note.iou, note.motion) == (prediction.output.note.iou, None)
    else:
        assert note.area == int(learner.mask(proposal.output).sum())


def test_tracking_backward_is_refused_where_the_tracker_cannot():
    learner = learner_on(tracker="samurai", objects=())
    learner.prompt(VideoItem(5, 1), learner.from_mask(5, clip().target[5]))
    with pytest.raises(TrackerError, match=r"'samurai' tracks forward only; prompt .* or use tracker='sam2'"):
        list(propagate(learner, [1], 4, 0, reverse=True))
    with pytest.raises(TrackerError, match="forward only"):
        learner.predict_one(VideoItem(2, 1))


def test_a_second_object_is_refused_where_the_tracker_cannot():
    @dataclass(frozen=True)
    class Single(Tracker):
        name: ClassVar[str] = "single"
        several_objects: ClassVar[bool] = False

    learner = learner_on(tracker=Single())
    learner.prompt(VideoItem(2, 1), learner.from_mask(2, clip().target[2]))
    with pytest.raises(TrackerError, match="'single' follows one object, and object 2 would be another"):
        learner.prompt(VideoItem(0, 2), learner.from_mask(0, clip().target[0]))


def test_the_widget_knows_what_its_tracker_can_do():
    widget, _ = widget_on(tracker="dam4sam")
    assert widget.tracker == lit_widget.trackers()["dam4sam"]
    with pytest.raises(TrackerError, match="forward only"):
        widget.track(5, reverse=True)
    widget.close()


def test_the_simulation_runs_every_tracker():
    made = clip("easy", 0)
    sequence = lit_widget.sequence_from_arrays(made.frames, made.target, "easy")
    for tracker in TRACKERS:
        result = run_simulation(sequence, strategies=["original"], tracker=tracker, update=QUICK, progress=False)
        assert result.settings["tracker"] == tracker
        assert len(result.records) == 1
