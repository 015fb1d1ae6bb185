"""Propagation goes around what a person has settled, in both directions, and keeps what is done when cancelled."""

from itertools import count

import torch
from helpers import FRAMES, clip, learner_on, same_output

from lit_widget.video.adaptation import VideoItem
from lit_widget.video.propagate import propagate
from lit_widget.video.sam2 import Points

LAST = FRAMES - 1


def follow(learner, start, stop, *, objects=(1,), **options):
    return list(propagate(learner, objects, start, stop, **options))


def tracked(steps):
    return [(step.frame, [prediction.item.object for prediction in step.predictions]) for step in steps]


def test_every_frame_gets_a_mask():
    learner = learner_on()
    assert tracked(follow(learner, 0, LAST)) == [(0, []), *((frame, [1]) for frame in range(1, FRAMES))]
    records = learner.bank(1).records
    assert [records[frame].status for frame in range(FRAMES)] == ["prompted"] + LAST * ["tracked"]
    assert not any(record.reverse for record in records.values())


def test_settled_frames_are_never_overwritten():
    learner = learner_on()
    follow(learner, 0, LAST)
    painted = learner.from_mask(2, clip().target[5])
    learner.settle_one(VideoItem(2, 1), painted, verdict="corrected", full=True)
    item = VideoItem(4, 1)
    clicked = learner.segment(item, Points(((9.0, 9.0),), (1,)), evidence=learner.predict_one(item).evidence)
    learner.settle_one(item, clicked, verdict="corrected")
    learner.settle_one(VideoItem(6, 1), learner.from_mask(6, clip().target[0]), verdict="accepted")
    settled = {frame: learner.bank(1).records[frame] for frame in (0, 2, 4, 6)}
    between = {frame: learner.bank(1).records[frame] for frame in (1, 3, 5, 7)}
    for reverse in (False, True):
        steps = follow(learner, LAST if reverse else 0, 0 if reverse else LAST, reverse=reverse)
        # An object has no past before its first permanent frame, nor a future after its last.
        assert [frame for frame, objects in tracked(steps) if objects] == ([1] if reverse else [1, 3, 5, 7])
        assert all(learner.bank(1).records[frame] is record for frame, record in settled.items())
    assert all(learner.bank(1).records[frame] is not record for frame, record in between.items())


def test_corrections_change_the_frames_after_them():
    learner = learner_on()
    follow(learner, 0, LAST)
    before = learner.bank(1).records[4].output
    learner.settle_one(VideoItem(3, 1), learner.from_mask(3, ~clip().target[3]), verdict="corrected", full=True)
    follow(learner, 4, LAST)
    assert not same_output(before, learner.bank(1).records[4].output)


def test_cancelling_keeps_what_is_done():
    learner = learner_on()
    asked = count()
    steps = follow(learner, 1, LAST, cancelled=lambda: next(asked) == 3)
    assert [step.frame for step in steps] == [1, 2, 3]
    assert sorted(learner.bank(1).records) == [0, 1, 2, 3]
    again = learner_on()
    follow(again, 1, LAST)
    assert same_output(learner.bank(1).records[3].output, again.bank(1).records[3].output)


def test_going_on_later_gives_the_same_masks():
    whole, parts = learner_on(), learner_on()
    follow(whole, 1, LAST)
    follow(parts, 1, 3)
    follow(parts, 4, LAST)
    for frame in range(FRAMES):
        assert same_output(whole.bank(1).records[frame].output, parts.bank(1).records[frame].output)


def test_objects_begin_at_their_first_prompt():
    learner = learner_on()
    learner.prompt(VideoItem(4, 2), learner.from_mask(4, clip().target[4]))
    steps = follow(learner, 0, LAST, objects=(1, 2, 3))
    assert [objects for _, objects in tracked(steps)] == [[], [1], [1], [1], [1], [1, 2], [1, 2], [1, 2]]
    assert min(learner.bank(2).records) == 4
    assert not learner.bank(3).records


def test_backward():
    learner = learner_on(objects=())
    learner.prompt(VideoItem(5, 1), learner.from_mask(5, clip().target[5]))
    steps = follow(learner, LAST, 0, reverse=True)
    assert tracked(steps) == [(7, []), (6, []), (5, []), *((frame, [1]) for frame in (4, 3, 2, 1, 0))]
    records = learner.bank(1).records
    assert all(records[frame].reverse for frame in range(5))
    # What was tracked backwards is asked again backwards.
    settled = records[2].output
    assert torch.equal(learner.predict_one(VideoItem(2, 1)).output.logits, settled.logits)


def test_objects_together_are_objects_alone():
    alone, together = learner_on(), learner_on(objects=(1, 2))
    follow(alone, 1, 4)
    follow(together, 1, 4, objects=(1, 2))
    for frame in range(1, 5):
        for each in (1, 2):
            difference = alone.bank(1).records[frame].output.logits - together.bank(each).records[frame].output.logits
            assert difference.abs().max() < 1e-3
