"""SAMURAI and DAM4SAM give the masks of their authors' implementations on equal weights and video.

How the numbers in `data/tracker_masks.npz` were made: the authors' published code (yangchris11/samurai at 76ba195,
jovanavidenovic/DAM4SAM at 9c95450 with vot-toolkit 0.7.0) ran on a CPU with `reference_model(weights)` built from their
own copies of SAM 2, with the constants of their configurations and all of torch's attention kernels allowed, on the
embedded clip, prompted with the target's mask on frame 0. The file holds the bits of the masks that came out, and
per tracked frame how long SAMURAI had followed the motion and the mask's agreement with it, NaN where it had no say.
The recorded easy clips are those of scenes that draw two sprites for their target and keep the second.
"""

from pathlib import Path

import numpy as np
import pytest
from reference_weights import reference_model

from lit_widget.video.adaptation import VideoItem
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.pocket import clips, sprites
from lit_widget.video.propagate import propagate
from lit_widget.video.sam2 import Sam2

MASKS = Path(__file__).parent / "data" / "tracker_masks.npz"
FRAMES = 40
ROUNDING = 5
"""Pixels by which a mask may differ: processors round differently, and bfloat16 memory amplifies it."""


def iou(left, right):
    return (left & right).sum() / (left | right).sum() if (left | right).any() else 1.0


def notes_of(learner):
    return [learner.bank(1).records[frame].note for frame in range(1, FRAMES)]


def follows_below_the_threshold_of_sam2(learner):
    """Objects that SAM 2 would hold absent are followed, with motion having a say for long."""
    scores = [float(record.output.object_score) for record in learner.bank(1).records.values()]
    return sum(-1 < score <= 0 for score in scores) >= 10 and notes_of(learner)[20].motion_iou is not None


def skips_frames_and_starts_anew(learner):
    """Some frames are too unsure to be remembered, motion starts anew and also comes to have a say."""
    notes = notes_of(learner)
    unsure, stable = sum(note.iou <= 0.5 for note in notes), [note.stable for note in notes]
    return unsure >= 5 and 0 in stable and 15 in stable


def remembers_look_alikes(learner):
    """Tracked frames become permanent and are then attended to."""
    return sum(note.permanent for note in notes_of(learner)[:-1]) >= 3


def remembers_many_and_loses_the_object(learner):
    """As many as are attended to at once become permanent, and memories without the object are passed over."""
    notes = notes_of(learner)
    return sum(note.permanent for note in notes) >= 4 and sum(not note.visible for note in notes) >= 5


CASES = [
    ("samurai", 7, "distractor", 3, skips_frames_and_starts_anew),
    ("samurai", 3, "deformation", 1, skips_frames_and_starts_anew),
    ("samurai", 18, "easy", 4, follows_below_the_threshold_of_sam2),
    ("dam4sam", 16, "distractor", 5, remembers_look_alikes),
    ("dam4sam", 15, "occlusion", 2, remembers_many_and_loses_the_object),
    ("dam4sam", 15, "easy", 1, remembers_many_and_loses_the_object),
]


@pytest.fixture
def recorded_clip(monkeypatch):
    distinct = clips._distinct

    def second_of_two(rng, background):
        sprites.whole(rng)
        return distinct(rng, background)

    monkeypatch.setattr(clips, "_distinct", second_of_two)
    return lambda kind, seed: clips.embedded_clip(kind, seed, frames=FRAMES)


def masks_of(learner):
    return np.stack([learner.mask(learner.bank(1).records[frame].output) for frame in range(FRAMES)])


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case[:4])))
def test_masks_equal_those_of_the_authors_code(case, recorded_clip):
    tracker, weights, kind, seed, exercised = case
    clip = recorded_clip(kind, seed)
    learner = VideoLearner(Sam2(reference_model(weights), "reference"), open_frames(clip.frames), tracker=tracker)
    learner.prompt(VideoItem(0, 1), learner.from_mask(0, clip.target[0]))
    list(propagate(learner, [1], 1, FRAMES - 1))
    ours = masks_of(learner)
    name = f"{tracker}-{weights}-{kind}-{seed}"
    packed = np.load(MASKS)[name]
    theirs = np.unpackbits(packed, count=ours.size).reshape(ours.shape).astype(bool)
    assert exercised(learner)
    assert len(np.unique(theirs.reshape(FRAMES, -1), axis=0)) >= FRAMES // 4
    for own, other in zip(ours, theirs, strict=True):
        assert iou(own, other) >= 0.999 or (own ^ other).sum() <= ROUNDING
    if tracker == "samurai":
        said = [np.nan if note.motion_iou is None else note.motion_iou for note in notes_of(learner)]
        stable, agreement = np.load(MASKS)[f"{name}-motion"].T
        assert stable.tolist() == [note.stable for note in notes_of(learner)]
        np.testing.assert_allclose(said, agreement, atol=0.02)
