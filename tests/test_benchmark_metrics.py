"""The scores of each benchmark against its rule written down a second time, over whole arrays and by dilation."""

import math
import subprocess
import sys
import weakref
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_widget.simulation.metrics import (
    davis_mean,
    davis_object,
    lvos_frames,
    lvos_mean,
    lvos_object,
    mosev2_mean,
    mosev2_object,
    sav_object,
    vost_mean,
    vost_object,
)

SHAPES = [(1, 1), (1, 9), (7, 1), (9, 13), (3, 130), (170, 4), (5, 480), (2, 800)]
"""Small, but some so long that the tolerance is several pixels, whole at the last one only."""


def mask_of(kind, shape, random):
    h, w = shape
    mask = np.zeros(shape, bool)
    if kind == "full":
        mask[:] = True
    elif kind == "pixel":
        mask[random.integers(h), random.integers(w)] = True
    elif kind == "border":
        edge = random.integers(4)
        mask[(0, slice(None)) if edge == 0 else (-1, slice(None)) if edge == 1 else (slice(None), -(edge % 2))] = True
    elif kind == "noise":
        mask = random.random(shape) < random.random()
    elif kind == "box":
        y, x = np.sort(random.integers(0, h + 1, 2)), np.sort(random.integers(0, w + 1, 2))
        mask[y[0] : y[1], x[0] : x[1]] = True
    return mask


KINDS = st.sampled_from(["empty", "full", "pixel", "border", "noise", "box", "same"])


@st.composite
def videos(draw, smallest=3, largest=14):
    """(predicted, target), each (t, h, w), with masks that are degenerate more often than not."""
    shape, random = draw(st.sampled_from(SHAPES)), np.random.default_rng(draw(st.integers(0, 10**6)))
    kinds = draw(st.lists(st.tuples(KINDS, KINDS), min_size=smallest, max_size=largest))
    target = np.stack([mask_of(kind, shape, random) for _, kind in kinds])
    predicted = [
        target[t].copy() if kind == "same" else mask_of(kind, shape, random) for t, (kind, _) in enumerate(kinds)
    ]
    return np.stack(predicted), target


def pairs(video):
    return ((predicted, target) for predicted, target in zip(*video, strict=True))


# --- The rules a second time ------------------------------------------------------------------------------------------


def slow_j(predicted, target):
    both = either = 0
    for p, g in zip(predicted.ravel().tolist(), target.ravel().tolist(), strict=True):
        both += p and g
        either += p or g
    return both / either if either else 1.0


def slow_outline(mask):
    h, w = mask.shape
    outline = np.zeros((h, w), bool)
    for y in range(h):
        for x in range(w):
            down, right = y + 1 < h, x + 1 < w
            differs = [down and mask[y + 1, x] != mask[y, x], right and mask[y, x + 1] != mask[y, x]]
            outline[y, x] = any(differs) or bool(down and right and mask[y + 1, x + 1] != mask[y, x])
    return outline


def disc(radius):
    """The structuring element as image libraries draw it: on a grid from -radius in steps of one."""
    grid = np.arange(-radius, radius + 1)
    return grid[:, None] ** 2 + grid[None] ** 2 <= radius**2


def dilate(outline, element):
    """Every pixel that reaches a set one by an offset of the element, whose origin is its middle."""
    n = len(element)
    padded = np.pad(outline, n)
    h, w = outline.shape
    found = np.zeros_like(outline)
    for y, x in np.argwhere(element) - n // 2:
        found |= padded[n + y : n + y + h, n + x : n + x + w]
    return found


def slow_f(predicted, target, radius):
    ours, theirs, element = slow_outline(predicted), slow_outline(target), disc(radius)
    if not ours.sum() or not theirs.sum():
        return float(ours.sum() == theirs.sum())
    precision = (ours & dilate(theirs, element)).sum() / ours.sum()
    recall = (theirs & dilate(ours, element)).sum() / theirs.sum()
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def davis_radius(shape):
    return float(np.ceil(0.008 * np.linalg.norm(shape)))


def slow_jf(video):
    j = np.array([slow_j(*pair) for pair in pairs(video)])
    f = np.array([slow_f(*pair, davis_radius(video[0].shape[1:])) for pair in pairs(video)])
    return j, f


def near(value):
    return pytest.approx(value, abs=1e-9, nan_ok=True)


# --- One benchmark after the other ------------------------------------------------------------------------------------


def slow_statistics(values):
    n = len(values)
    ends = [round(1 + (n - 1) * k / 4 + 1e-10) - 1 for k in range(5)]
    quarters = [values[a : b + 1] for a, b in pairwise(ends)]
    return [sum(values) / n, sum(value > 0.5 for value in values) / n, np.mean(quarters[0]) - np.mean(quarters[3])]


@settings(deadline=None, max_examples=30)
@given(videos())
def test_davis(video):
    scores = davis_object(pairs(video))
    j, f = (slow_statistics(each[1:-1]) for each in slow_jf(video))
    assert [scores.j.mean, scores.j.recall, scores.j.decay] == near(j)
    assert [scores.f.mean, scores.f.recall, scores.f.decay] == near(f)
    assert scores.j_and_f == near((j[0] + f[0]) / 2)


def test_davis_means_are_over_objects():
    random = np.random.default_rng(0)
    objects = [davis_object(pairs(random.random((2, n, 9, 13)) < 0.5)) for n in (3, 8)]
    together = davis_mean(objects)
    assert together.j.mean == near((objects[0].j.mean + objects[1].j.mean) / 2)
    assert together.f.decay == near((objects[0].f.decay + objects[1].f.decay) / 2)


@settings(deadline=None, max_examples=30)
@given(videos())
def test_vost(video):
    scores = vost_object(pairs(video))
    j = [slow_j(*pair) for pair in pairs(video)][1:-1]
    last = j[math.floor(len(j) * 0.75) :]
    assert [scores.j, scores.j_tr] == near([sum(j) / len(j), sum(last) / len(last)])


def test_vost_means_are_over_objects():
    random = np.random.default_rng(0)
    objects = [vost_object(pairs(random.random((2, n, 9, 13)) < 0.5)) for n in (3, 8)]
    assert vost_mean(objects).j_tr == near((objects[0].j_tr + objects[1].j_tr) / 2)


@settings(deadline=None, max_examples=30)
@given(videos())
def test_sav(video):
    shown = [t for t in range(1, len(video[0]) - 1) if video[0][t].any() or video[1][t].any()]
    if not shown:
        with pytest.raises(ValueError, match="no frames to score"):
            sav_object(pairs(video))
        return
    scores = sav_object(pairs(video))
    j, f = (each[shown[0] : -1] for each in slow_jf(video))
    assert [scores.j, scores.f, scores.n_frames] == near([np.mean(j), np.mean(f), len(j)])


@settings(deadline=None, max_examples=30)
@given(videos(smallest=2), st.integers(0, 4), st.booleans())
def test_lvos(video, missing, unseen):
    n = len(video[0])
    frame_nums = n + missing
    j, f = np.zeros(frame_nums - 2), np.zeros(frame_nums - 2)
    all_j, all_f = slow_jf(video)
    scored = [t for t in range(1, n) if t != frame_nums - 1]
    if not scored:
        with pytest.raises(ValueError, match="no frames to score"):
            lvos_object(pairs(video), frame_nums, unseen=unseen)
        return
    for t in scored:
        j[t - 1], f[t - 1] = all_j[t], all_f[t]
    found = lvos_object(pairs(video), frame_nums, unseen=unseen)
    both = (j + f) / 2
    variance = sum((value - both.mean()) ** 2 for value in both) / len(both)
    assert [found.scores.j, found.scores.f] == near([j.mean(), f.mean()])
    assert found.v == near(math.sqrt(round(variance, 4)))
    assert found.unseen == unseen


def test_lvos_weighs_seen_and_unseen_alike():
    random = np.random.default_rng(0)
    seen, other, unseen = (
        lvos_object(pairs(random.random((2, 6, 9, 13)) < 0.5), 6, unseen=each) for each in (False, False, True)
    )
    together = lvos_mean([seen, other, unseen])
    assert together.seen.j == near((seen.scores.j + other.scores.j) / 2)
    assert together.j_and_f == near(
        (together.seen.j + together.seen.f + unseen.scores.j + unseen.scores.f) / 4  # three objects, two groups
    )
    assert together.v == near((seen.v / 2 + other.v / 2 + unseen.v) / 2)
    assert math.isnan(lvos_mean([seen]).j_and_f)


def test_lvos_visits_every_fifth_frame_but_the_end():
    assert list(lvos_frames(11, 26)) == [11, 16, 21]
    four = np.zeros((2, 6, 3, 3), bool)
    with pytest.raises(ValueError, match="there are 6 frames but frame_nums is 4; give the meta's own"):
        lvos_object(pairs(four), 4, unseen=False)


def slow_mosev2(video):
    """[J, Ḟ, F, J&Ḟ_d, J&Ḟ_r]"""
    h, w = video[0].shape[1:]
    limit = max(1.0, 0.008 * np.linalg.norm((h, w)))
    j, f_adaptive, f, absent = [], [], [], []
    for predicted, target in list(pairs(video))[1:-1]:
        j.append((np.logical_and(predicted, target).sum() + 1) / (np.logical_or(predicted, target).sum() + 1))
        area = target.sum()
        radius = min(limit, np.ceil(0.1 * np.sqrt(area))) if area else limit
        f_adaptive.append(slow_f(predicted, target, radius))
        f.append(slow_f(predicted, target, np.ceil(0.008 * np.linalg.norm((h, w))) if radius < limit else limit))
        absent.append(not area)
    runs = {True: [], False: []}
    current = None
    for t in range(1, len(j)):
        if absent[t] != absent[t - 1]:
            current = []
            runs[absent[t]].append(current)
        if current is not None:
            current.append((j[t] + f_adaptive[t]) / 2)
    means = [np.mean([np.mean(run) for run in runs[gone]]) if runs[gone] else np.nan for gone in (True, False)]
    return [np.mean(j), np.mean(f_adaptive), np.mean(f), *means]


@settings(deadline=None, max_examples=80)
@given(videos())
def test_mosev2(video):
    scores = mosev2_object(pairs(video))
    expected = slow_mosev2(video)
    found = [scores.j, scores.f_adaptive, scores.f, scores.disappearance, scores.reappearance]
    assert found == near(expected)
    assert scores.j_and_f_adaptive == near((expected[0] + expected[1]) / 2)
    assert scores.j_and_f == near((expected[0] + expected[2]) / 2)


def test_mosev2_on_a_large_image():
    """The limit of the tolerance is 17.6 pixels."""
    target = np.zeros((1080, 1920), bool)
    target[200:900, 300:1500] = True
    for shift, right in ((-17, True), (-18, False), (17, True), (18, False)):
        predicted = np.roll(target, shift, axis=1)
        video = np.stack([predicted] * 3), np.stack([target] * 3)
        f = mosev2_object(pairs(video)).f
        assert (f > 0.9) == right, shift


def test_mosev2_runs():
    """Gone at first (no run), back for two frames, gone for one, back to the end."""
    target = np.zeros((8, 9, 13), bool)
    for t in (3, 4, 6):
        target[t, 2:5, 3:9] = True
    predicted = target.copy()
    predicted[5, :3] = True  # sees it while it is gone
    predicted[6] = False  # and not when it is back
    scores = mosev2_object(pairs((predicted, target)))
    assert scores.disappearance == near((1 / 40 + 0) / 2)
    assert scores.reappearance == near(np.mean([1.0, (1 / 19 + 0) / 2]))
    never = mosev2_object(pairs((target[3:4].repeat(4, 0), target[3:4].repeat(4, 0))))
    assert math.isnan(never.disappearance)
    together = mosev2_mean([scores, never])
    assert together.disappearance == scores.disappearance
    assert together.j == near((scores.j + 1) / 2)


@pytest.mark.parametrize("score", [davis_object, vost_object, sav_object, mosev2_object])
def test_nothing_to_score_is_said(score):
    with pytest.raises(ValueError, match="give at least one, and three where the ends are left out"):
        score(pairs(np.ones((2, 2, 4, 4), bool)))
    for mean in (davis_mean, vost_mean, mosev2_mean):
        with pytest.raises(ValueError, match="there are no"):
            mean([])


def lvos(frames):
    return lvos_object(frames, 10_000, unseen=True)


def spots(n):
    """A spot that moves; a pair of masks per frame."""
    target = np.zeros((24, 32), bool)
    target[5:9, 8:14] = True
    for t in range(n):
        yield np.roll(target, t % 3, axis=1), target.copy()


@pytest.mark.parametrize("score", [davis_object, vost_object, sav_object, mosev2_object, lvos])
def test_frames_are_let_go(score):
    alive, most = set(), 0

    def watched():
        nonlocal most
        for t, pair in enumerate(spots(500)):
            alive.add(t)
            most = max(most, len(alive))
            weakref.finalize(pair[0], alive.discard, t)
            yield pair

    score(watched())
    assert most <= 4


GROWTH = """
import resource
import numpy as np
from lit_widget.simulation.metrics import mosev2_object

def spots(n):
    target = np.zeros((64, 80), bool)
    target[5:9, 8:14] = True
    for t in range(n):
        yield np.roll(target, t % 3, axis=1), target.copy()

mosev2_object(spots(100))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
mosev2_object(spots(10_000))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is in another unit")
def test_ten_thousand_frames_in_bounded_memory():
    """All frames together would be 102 MB."""
    done = subprocess.run([sys.executable, "-c", GROWTH], capture_output=True, text=True, check=True)
    print(f"grew by {done.stdout.strip()} kB")
    assert int(done.stdout) < 8_000
