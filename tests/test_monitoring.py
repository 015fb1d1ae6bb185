"""The monitoring benchmark's arithmetic on made-up scores."""

import numpy as np
import pytest

from benchmarks.monitoring import Pair, after_verdicts, agreement, auroc, before_each_verdict, best, false_alarms_at
from lit_widget.video.verdicts import Kernel, Measurement, Prior

RIGHT = np.array([True, True, True, False, False])
SCORE = np.array([0.9, 0.8, 0.3, 0.5, 0.1])
PRIOR = Prior(("x",), (0.0,), (1.0,), (2.0,), -1.0, 0.0, Kernel(1.0, 0.5, 2.0, 8.0), "made up")
PAIR = Pair(
    "walk",
    "tracking",
    0.0,
    [Measurement(frame, (1, 0), np.array([value])) for frame, value in enumerate((1.0, 0.5, -0.5, -0.6))],
    [0.9, 0.8, 0.7, 0.6],
    [0.9, 0.4, 0.8, 0.1],
)


def test_agreement_counts_what_is_passed_and_doubted():
    row = agreement(SCORE, RIGHT, 0.5)
    assert (row["accuracy"], row["fpr"], row["fnr"]) == pytest.approx((3 / 5, 1 / 2, 1 / 3))
    assert row["balanced"] == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_the_best_threshold_is_never_worse_than_any():
    assert best(SCORE, RIGHT)["accuracy"] == 4 / 5
    rng = np.random.default_rng(0)
    score, right = rng.random(80), rng.random(80) < 0.7
    every = [np.mean((score >= cut) == right) for cut in [*score, np.inf]]
    assert best(score, right)["accuracy"] == pytest.approx(max(every), abs=0.015)
    assert best(score, right)["accuracy"] >= max(right.mean(), 1 - right.mean())


def test_auroc_is_the_share_of_pairs_in_order():
    assert auroc(SCORE, RIGHT) == 5 / 6
    assert auroc(np.ones(5), RIGHT) == 0.5
    assert np.isnan(auroc(SCORE, np.ones(5, bool)))


def test_false_alarms_where_few_errors_are_missed():
    assert false_alarms_at(SCORE, RIGHT, 0.0) == pytest.approx(1 / 3)
    assert false_alarms_at(SCORE, RIGHT, 1.0) == 0.0
    assert false_alarms_at(SCORE, np.ones(5, bool), 0.1) == 0.0


def test_judged_frames_are_not_scored():
    """The two most doubtful frames are the last."""
    scored = after_verdicts(PAIR, 0.5, 2, PRIOR)
    assert scored.predicted_iou.tolist() == [0.9, 0.8]
    assert scored.right.tolist() == [True, False]
    assert len(after_verdicts(PAIR, 0.5, 10, PRIOR).learned) == 1


def test_a_frame_is_scored_before_its_own_verdict():
    turned = Pair(PAIR.video, PAIR.way, 0.0, PAIR.measurements, PAIR.predicted_iou, [*PAIR.iou[:-1], 0.9])
    one, other = (before_each_verdict(pair, 0.5, PRIOR).learned for pair in (PAIR, turned))
    assert one.tolist() == other.tolist()
    assert one[0] == after_verdicts(PAIR, 0.5, 0, PRIOR).learned[0]
