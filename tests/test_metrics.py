import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lit_widget.simulation.cost import CostModel
from lit_widget.simulation.metrics import (
    Interval,
    bootstrap_interval,
    boundary_f,
    iou,
    j_and_f,
    reduction_interval,
    sequence_scores,
)

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12))
MASKS = SHAPES.flatmap(lambda shape: st.tuples(*[arrays(bool, shape)] * 3))


def slow_iou(predicted, target, valid):
    both = either = 0
    for y, x in np.ndindex(target.shape):
        both += valid[y, x] and predicted[y, x] and target[y, x]
        either += valid[y, x] and (predicted[y, x] or target[y, x])
    return both / either if either else 1.0


def slow_boundary(mask):
    """The rule of DAVIS, pixel by pixel."""
    h, w = mask.shape
    found = []
    for y, x in np.ndindex(h, w):
        neighbours = [(y, x + 1), (y + 1, x), (y + 1, x + 1)]
        if y == h - 1:
            neighbours = [(y, x + 1)]
        if x == w - 1:
            neighbours = [(y + 1, x)]
        if (y, x) == (h - 1, w - 1):
            neighbours = []
        if any(mask[y, x] != mask[place] for place in neighbours):
            found.append((y, x))
    return found


def slow_f(predicted, target, radius):
    ours, theirs = slow_boundary(predicted), slow_boundary(target)

    def share(points, others):
        near = [p for p in points if any((p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 <= radius**2 for q in others)]
        return len(near) / len(points)

    if not ours or not theirs:
        precision, recall = float(not theirs or bool(ours)), float(not ours or bool(theirs))
        precision, recall = (1.0, 1.0) if not ours and not theirs else ((1.0, 0.0) if theirs else (0.0, 1.0))
    else:
        precision, recall = share(ours, theirs), share(theirs, ours)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@given(MASKS)
def test_iou_equals_counting(masks):
    predicted, target, valid = masks
    assert iou(predicted, target, valid) == slow_iou(predicted, target, valid)
    assert iou(predicted, target) == slow_iou(predicted, target, np.ones_like(valid))
    assert iou(target, target) == 1


@given(MASKS, st.sampled_from([None, 0.0, 1.0, 1.5, 3.0]))
def test_boundary_f_equals_counting(masks, tolerance):
    predicted, target, _ = masks
    radius = math.ceil(0.008 * math.hypot(*target.shape)) if tolerance is None else tolerance
    assert boundary_f(predicted, target, tolerance) == pytest.approx(slow_f(predicted, target, radius), abs=1e-12)
    assert boundary_f(target, target) == 1


@given(MASKS)
def test_void_does_not_count(masks):
    predicted, target, valid = masks
    assert j_and_f(predicted, target, valid) == j_and_f(predicted ^ ~valid, target, valid)
    assert j_and_f(predicted, target) == (iou(predicted, target) + boundary_f(predicted, target)) / 2


def test_degenerate_masks():
    none, full = np.zeros((4, 5), bool), np.ones((4, 5), bool)
    spot = none.copy()
    spot[1, 2] = True
    assert iou(none, none) == 1
    assert iou(none, full) == iou(spot, none) == 0
    assert boundary_f(none, none) == boundary_f(none, full) == 1  # neither has an outline
    assert boundary_f(spot, none) == boundary_f(none, spot) == 0


def test_the_default_tolerance_is_a_share_of_the_diagonal():
    target = np.zeros((480, 854), bool)
    target[100:300, 200:400] = True
    assert boundary_f(np.roll(target, 8, axis=1), target) > 0.999  # ceil(0.008 · 979.6) = 8
    assert boundary_f(np.roll(target, 9, axis=1), target) < 0.6


def test_sequence_scores_are_means():
    rng = np.random.default_rng(0)
    frames = [tuple(rng.random((3, 9, 7)) < 0.5) for _ in range(4)]
    scores = sequence_scores(frame for frame in frames)
    assert scores.j == pytest.approx(np.mean([iou(*frame) for frame in frames]))
    assert scores.j_and_f == pytest.approx(np.mean([j_and_f(*frame) for frame in frames]))
    assert scores.n_frames == 4
    assert sequence_scores([(frames[0][0], frames[0][0], None)]).j_and_f == 1
    with pytest.raises(ValueError, match="no frames"):
        sequence_scores([])


def test_bootstrap_of_a_mean():
    values = np.random.default_rng(1).normal(5, 2, 400)
    interval = bootstrap_interval(values)
    spread = 1.96 * values.std() / 20
    assert interval.estimate == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - spread, abs=0.02)
    assert interval.high == pytest.approx(values.mean() + spread, abs=0.02)
    assert interval == bootstrap_interval(list(values))
    assert interval != bootstrap_interval(values, seed=1)
    assert bootstrap_interval(values, n=500, level=0.5).low > interval.low


def test_bootstrap_of_few_values():
    assert bootstrap_interval([3]) == Interval(3.0, 3.0, 3.0)
    with pytest.raises(ValueError, match="at least one value"):
        bootstrap_interval([])


def test_bootstrap_equals_enumeration():
    values = [0, 1]  # the mean of two draws is 0, ½, ½ or 1
    assert bootstrap_interval(values, level=0.6) == Interval(0.5, 0.0, 1.0)
    assert bootstrap_interval(values, level=0.4) == Interval(0.5, 0.5, 0.5)


def test_reduction_is_a_ratio_of_sums():
    assert reduction_interval([10, 30], [5, 15], n=100) == Interval(50.0, 50.0, 50.0)
    interval = reduction_interval([10, 90], [10, 0])
    assert interval.estimate == pytest.approx(90)
    assert (interval.low, interval.high) == (0, 100)
    pairs = np.random.default_rng(0).integers(1, 30, (2, 50))
    interval = reduction_interval(*pairs, n=500)
    assert interval.low < interval.estimate < interval.high


def test_reduction_without_a_baseline():
    assert math.isnan(reduction_interval([0, 0], [0, 1]).estimate)
    assert reduction_interval([0, 4], [0, 1], n=200) == Interval(75.0, 75.0, 75.0)
    with pytest.raises(ValueError, match="got 2 and 1"):
        reduction_interval([1, 2], [1])


def test_cost_of_an_event():
    cost = CostModel()
    assert cost.event_s(3, full_mask=True) == 85.5
    assert cost.event_s(1, full_mask=False) == 2.5
    assert CostModel(mask_s=3.0, locate_s=0.0).event_s(2, full_mask=True) == 6
    assert cost.validate_s == 0
