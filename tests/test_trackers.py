"""Trackers: what each chooses, notes and recalls, on made-up records."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lit_widget.video.adaptation import gated
from lit_widget.video.memory import FrameRecord, MaskOutput
from lit_widget.video.sam2 import Candidates
from lit_widget.video.trackers import Moment, Tracker, find_tracker
from lit_widget.video.trackers.dam4sam import Dam4SamNote, is_look_alike
from lit_widget.video.trackers.kalman import NOTHING, Motion, box_iou
from lit_widget.video.trackers.samurai import SamuraiNote, mask_boxes

SIZE = (64, 64)


# --- Made-up records ----------------------------------------------------------------------------


def drawn(*box, high=8.0):
    """Logits (64, 64), positive inside (x0, y0, x1, y1), both corners included."""
    logits = torch.full(SIZE, -high)
    if box:
        x0, y0, x1, y1 = box
        logits[y0 : y1 + 1, x0 : x1 + 1] = high
    return logits


def offered(*candidates, score=5.0):
    """Candidates from (estimated IoU, box) pairs."""
    logits = torch.stack([drawn(*box) for _, box in candidates])
    ious, tokens = torch.tensor([iou for iou, _ in candidates]), torch.zeros(len(candidates), 4)
    return Candidates(logits, ious, tokens, torch.tensor([score]), torch.tensor([score > 0]))


def record(note=None, *, status="tracked", conditioning=False, score=5.0):
    output = MaskOutput(torch.zeros(1, 4, 4), torch.zeros(4), torch.tensor([score]), 0.9, note)
    return FrameRecord(output, torch.zeros(2, 1, 1), torch.zeros(2, 1, 1), status, conditioning)


PROMPT = record(status="prompted", conditioning=True)


def moment(records, frame, **options):
    return Moment(records, frame, 100, SIZE, SIZE[0], options.pop("model", "pocket"), **options)


def frames_of(recalled, records):
    """Which frames were recalled; `None` stays."""
    names = {id(each): at for at, each in records.items()}
    return [None if each is None else names[id(each)] for each in recalled]


# --- SAM 2 --------------------------------------------------------------------------------------


def test_sam2_recalls_the_six_frames_before_and_sixteen_pointers():
    records = {0: PROMPT} | {at: record() for at in range(1, 40)} | {27: replace(PROMPT, status="corrected")}
    recall = Tracker().recall(moment(records, 30))
    assert frames_of(recall.permanent, records) == [0, 27]
    assert frames_of(recall.recent, records) == [29, 28, None, 26, 25, 24]
    assert [age for age, _ in recall.pointers] == [30, 3, 1, 2, *range(4, 16)]
    assert recall.reach == 15
    backward = Tracker().recall(moment(records, 30, reverse=True))
    assert frames_of(backward.recent, records) == [31, 32, 33, 34, 35, 36]
    assert not Tracker().recall(moment({1: record()}, 2)).permanent


# --- Kalman -------------------------------------------------------------------------------------


class Reference:
    """The same filter, written from the published constants with inverses and the Joseph form."""

    def __init__(self, box):
        x, y, a, h = self.seen(box)
        self.x = np.array([x, y, a, h, 0, 0, 0, 0])
        self.P = np.diag([h / 10, h / 10, 1e-2, h / 10, h / 16, h / 16, 1e-5, h / 16]) ** 2

    @staticmethod
    def seen(box):
        x0, y0, x1, y1 = box
        return np.array([(x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / (y1 - y0), y1 - y0])

    def predict(self):
        h = self.x[3]
        Q = np.diag([h / 20, h / 20, 1e-2, h / 20, h / 160, h / 160, 1e-5, h / 160]) ** 2
        F = np.block([[np.eye(4), np.eye(4)], [np.zeros((4, 4)), np.eye(4)]])
        self.x, self.P = F @ self.x, F @ self.P @ F.T + Q

    def update(self, box):
        h = self.x[3]
        R = np.diag([h / 20, h / 20, 1e-1, h / 20]) ** 2
        H = np.hstack([np.eye(4), np.zeros((4, 4))])
        K = self.P @ H.T @ np.linalg.inv(H @ self.P @ H.T + R)
        self.x = self.x + K @ (self.seen(box) - H @ self.x)
        rest = np.eye(8) - K @ H
        self.P = rest @ self.P @ rest.T + K @ R @ K.T


def test_the_filter_equals_an_independent_one():
    rng = np.random.default_rng(0)
    box = (10.0, 20.0, 40.0, 80.0)
    motion, reference = Motion.started(box), Reference(box)
    for _ in range(30):
        box = tuple(each + float(step) for each, step in zip(box, rng.normal(1, 2, 4), strict=True))
        motion, _ = motion.predicted(), reference.predict()
        np.testing.assert_allclose(motion.mean, reference.x, rtol=1e-9)
        np.testing.assert_allclose(motion.covariance, reference.P, rtol=1e-8, atol=1e-12)
        motion, _ = motion.updated(box), reference.update(box)
        np.testing.assert_allclose(motion.mean, reference.x, rtol=1e-9)
        np.testing.assert_allclose(motion.covariance, reference.P, rtol=1e-8, atol=1e-12)


def test_boxes():
    logits = torch.stack([drawn(10, 20, 30, 25), drawn()])
    assert mask_boxes(logits, 64) == [(10, 20, 30, 25), NOTHING]
    assert Motion.started((4.0, 8.0, 10.0, 20.0)).box == (4, 8, 10, 20)
    assert Motion.started(NOTHING).mean.tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    square = (0.0, 0.0, 10.0, 10.0)
    assert box_iou(square, (5.0, 0.0, 15.0, 10.0)) == pytest.approx(1 / 3)
    assert box_iou(square, NOTHING) == 0
    assert box_iou(square, (18.0, 18.0, 19.0, 19.0)) == 0


# --- SAMURAI ------------------------------------------------------------------------------------

NEAR, FAR = (10, 10, 20, 20), (40, 40, 60, 60)
SAMURAI = find_tracker("samurai")


def followed(*chosen):
    """The notes of SAMURAI on frames 1, 2, ... that offer one mask each, as (estimated IoU, box)."""
    records = {0: PROMPT}
    for frame, each in enumerate(chosen, 1):
        _, note = SAMURAI.choose(offered(each), moment(records, frame))
        records[frame] = record(SAMURAI.note(record(note).output, "tracked", moment(records, frame)))
    return records


def test_motion_has_no_say_for_fifteen_frames():
    for frames, stable, choice in ((1, 1, 0), (14, 14, 0), (15, 15, 1)):
        records = followed(*[(0.9, NEAR)] * frames)
        assert records[frames].note.stable == stable
        index, note = SAMURAI.choose(offered((0.62, FAR), (0.60, NEAR)), moment(records, frames + 1))
        assert index == choice
        assert (note.motion_iou is None) == (frames < 15)
        assert note.stable == min(frames + 1, 15)


def test_the_weight_of_motion_is_the_authors():
    records = followed(*[(0.9, NEAR)] * 15)
    # Motion outweighs a lead in estimated IoU of 0.15 / 0.85 = 0.176; with smaller models 0.25 / 0.75 = 0.333.
    for model, lead, choice in (
        ("sam2.1-large", 0.17, 1),
        ("sam2.1-large", 0.19, 0),
        ("sam2.1-tiny", 0.32, 1),
        ("sam2.1-tiny", 0.35, 0),
    ):
        candidates = offered((0.5 + lead, FAR), (0.5, NEAR))
        index, note = SAMURAI.choose(candidates, moment(records, 16, model=model))
        assert index == choice
        assert note.motion_iou == pytest.approx(choice, abs=0.02)


def test_motion_starts_anew_after_an_unsure_mask():
    early = followed((0.9, NEAR), (0.9, NEAR), (0.3, NEAR), (0.9, FAR))
    assert [early[at].note.stable for at in range(1, 5)] == [1, 2, 0, 1]
    assert early[3].note.motion is None
    assert early[4].note.motion.box == FAR
    assert early[4].note.motion.mean[4:].tolist() == [0, 0, 0, 0]
    # The threshold itself is sure enough once the motion is stable.
    late = followed(*[(0.9, NEAR)] * 15, (0.3, NEAR), (0.29, NEAR))
    assert [late[at].note.stable for at in (15, 16, 17)] == [15, 15, 0]


def test_motion_coasts_over_frames_without_record():
    records = followed(*[(0.9, NEAR)] * 4)
    del records[4]
    _, note = SAMURAI.choose(offered((0.9, NEAR)), moment(records, 6))
    assert note.stable == 4


def test_a_person_starts_motion_anew_and_an_accepted_mask_keeps_the_scores():
    noted = SamuraiNote(iou=0.4, motion_iou=0.7, motion=Motion.started((10.0, 10.0, 20.0, 20.0)), stable=15)
    output = replace(PROMPT.output, note=noted, iou=0.9)
    accepted = SAMURAI.note(output, "accepted", moment({}, 3))
    assert (accepted.iou, accepted.motion_iou, accepted.motion, accepted.stable) == (0.4, 0.7, None, 0)
    corrected = SAMURAI.note(replace(output, note=None), "corrected", moment({}, 3))
    assert (corrected.iou, corrected.motion_iou, corrected.motion) == (0.9, None, None)
    assert SAMURAI.note(output, "tracked", moment({}, 3)) is noted


def test_only_reliable_frames_are_recalled_and_the_one_before():
    sure = SamuraiNote(iou=0.9, motion_iou=0.5)
    records = {0: PROMPT} | {at: record(sure) for at in range(1, 12)}
    assert frames_of(SAMURAI.recall(moment(records, 12)).recent, records) == [11, 10, 9, 8, 7, 6]
    records[11] = record(replace(sure, iou=0.5))
    records[10] = record(replace(sure, motion_iou=0.0))
    records[9] = record(sure, score=0.0)
    records[8] = record(replace(sure, motion_iou=None))
    assert frames_of(SAMURAI.recall(moment(records, 12)).recent, records) == [11, 8, 7, 6, 5, 4]
    # Frame 1 is never among the reliable ones, and slots may stay empty.
    assert frames_of(SAMURAI.recall(moment(records, 4)).recent, records) == [3, 2]
    assert frames_of(SAMURAI.recall(moment(records, 2)).recent, records) == [1]
    assert frames_of(SAMURAI.recall(moment(records, 1)).recent, records) == [None]
    # Pointers are SAM 2's.
    assert SAMURAI.recall(moment(records, 12)).pointers == Tracker().recall(moment(records, 12)).pointers


def test_frames_that_became_permanent_are_skipped_not_missed():
    records = {0: PROMPT} | {at: record(SamuraiNote(iou=0.9)) for at in range(1, 12)}
    records |= {11: replace(PROMPT, status="corrected"), 9: replace(PROMPT, status="corrected")}
    del records[7]
    assert frames_of(SAMURAI.recall(moment(records, 12)).recent, records) == [None, 10, 8, 6, 5, 4]


def test_an_object_between_minus_one_and_zero_is_visible_to_samurai():
    for score, visible in ((-0.5, True), (-1.0, False)):
        logits = gated(torch.ones(1, 4, 4), torch.tensor([score]) > SAMURAI.visible_above)
        assert bool((logits > 0).any()) == visible


# --- DAM4SAM ------------------------------------------------------------------------------------

DAM4SAM = find_tracker("dam4sam")
SEEN = Dam4SamNote(area=121, visible=True)


def dam_records(n, **changes):
    return {0: PROMPT} | {at: record(SEEN) for at in range(1, n)} | {int(k[1:]): v for k, v in changes.items()}


def becomes_permanent(records, frame, *candidates):
    index, note = DAM4SAM.choose(offered(*candidates), moment(records, frame))
    assert index == int(np.argmax([iou for iou, _ in candidates]))
    return note.permanent


LOOK_ALIKE = ((0.5, FAR), (0.81, NEAR), (0.3, NEAR))


@pytest.mark.parametrize(
    ("expected", "records", "candidates"),
    [
        (True, dam_records(10), LOOK_ALIKE),
        (False, dam_records(10), ((0.5, FAR), (0.79, NEAR))),
        (False, dam_records(10), ((0.81, NEAR), (0.5, NEAR))),
        (False, dam_records(10), ((0.81, NEAR), (0.5, (10, 10, 21, 21)))),
        (False, dam_records(10), ((0.81, ()), (0.5, FAR))),
        (False, dam_records(1), LOOK_ALIKE),
        (False, {0: PROMPT} | {at: record(replace(SEEN, area=100)) for at in range(1, 10)}, LOOK_ALIKE),
        (True, {0: PROMPT} | {at: record(replace(SEEN, area=101)) for at in range(1, 10)}, LOOK_ALIKE),
        (False, {0: PROMPT} | {at: record(replace(SEEN, area=152)) for at in range(1, 10)}, LOOK_ALIKE),
        (True, dam_records(10, f4=record(replace(SEEN, permanent=True), conditioning=True)), LOOK_ALIKE),
        (False, dam_records(10, f5=record(replace(SEEN, permanent=True), conditioning=True)), LOOK_ALIKE),
        (True, dam_records(10, f9=record(replace(SEEN, area=0))), LOOK_ALIKE),
    ],
    ids=[
        "a look-alike",
        "not sure",
        "no other object",
        "the other is near",
        "absent",
        "no area known",
        "too large",
        "large",
        "too small",
        "6 frames after another",
        "5 frames after another",
        "reappearing",
    ],
)
def test_when_a_frame_becomes_permanent(expected, records, candidates):
    frame = 10 if len(records) > 1 else 1
    assert becomes_permanent(records, frame, *candidates) is expected


def test_the_usual_area_is_that_of_the_last_ten():
    old = {at: record(replace(SEEN, area=1000)) for at in range(1, 20)}
    # The median of the present area and the nine before is theirs, whatever came earlier.
    new = {at: record(SEEN) for at in range(20, 29)}
    assert becomes_permanent({0: PROMPT} | old | new, 29, *LOOK_ALIKE)
    assert not becomes_permanent({0: PROMPT} | old | {at: new[at] for at in range(20, 24)}, 24, *LOOK_ALIKE)


def test_the_largest_piece_of_the_rest_stands_for_the_look_alike():
    chosen, other = (np.zeros(SIZE, dtype=bool) for _ in range(2))
    chosen[10:21, 10:21] = True
    other[60, 60] = True
    assert is_look_alike(chosen, other)
    # Diagonal neighbours are one piece, larger than the single far pixel.
    other[21, 20] = other[20, 21] = True
    assert not is_look_alike(chosen, other)


def test_settled_masks_decide_area_and_visibility():
    output = replace(PROMPT.output, logits=drawn(10, 10, 19, 19)[None])
    assert DAM4SAM.note(output, "accepted", moment({}, 3)) == Dam4SamNote(area=100, visible=True)
    gone = replace(output, logits=drawn()[None], note=replace(SEEN, permanent=True))
    assert DAM4SAM.note(gone, "tracked", moment({}, 3)) == Dam4SamNote(permanent=True)
    assert not DAM4SAM.note(gone, "corrected", moment({}, 3)).permanent


def drm(*frames):
    return {at: record(replace(SEEN, permanent=True), conditioning=True) for at in frames}


def test_permanent_frames_are_the_newest_the_first_and_the_nearest():
    records = dam_records(40) | drm(8, 14, 20, 29, 35)
    recall = DAM4SAM.recall(moment(records, 30))
    # Frame 29 has just become permanent and is still read as a recent one; 35 is of a pass before.
    assert frames_of(recall.permanent, records) == [20, 0, 14, 8]
    assert frames_of(recall.recent, records) == [29, 25, 15]
    given = records | {35: replace(PROMPT, status="corrected")}
    assert frames_of(DAM4SAM.recall(moment(given, 30)).permanent, given) == [20, 0, 35, 14]


def test_recent_frames_are_every_fifth_that_shows_the_object():
    hidden = record(Dam4SamNote())
    records = dam_records(40)
    assert frames_of(DAM4SAM.recall(moment(records, 33)).recent, records) == [32, 30, 25, 20, 15, 10]
    records |= dict.fromkeys((32, 31, 25), hidden)
    recall = DAM4SAM.recall(moment(records, 33))
    assert frames_of(recall.recent, records) == [30, 20, 15, 10, 5]
    assert [age for age, _ in recall.pointers] == [33, *(age for age in range(3, 16) if age != 8)]
    assert frames_of(DAM4SAM.recall(moment(records, 1)).recent, records) == []
    assert DAM4SAM.recall(moment(records, 4)).reach == 4


def test_frames_count_from_the_first_prompt():
    records = dam_records(40) | drm(12)
    late = {at + 7: each for at, each in records.items()}
    early, shifted = DAM4SAM.recall(moment(records, 20)), DAM4SAM.recall(moment(late, 27))
    assert [at + 7 for at in frames_of(early.recent, records)] == frames_of(shifted.recent, late)
    assert early.shape == shifted.shape
