"""The embedded clips: the same pixels for the same arguments, and targets of sensible size."""

import numpy as np
import pytest
import torch
from scipy.ndimage import label

from lit_widget import embedded_clip
from lit_widget.video.pocket import clips
from lit_widget.video.pocket.clips import HELD_OUT, KINDS, PARTIAL, _much_smaller, _training_scene, training_clip
from lit_widget.video.pocket.scene import render
from lit_widget.video.pocket.sprites import alike, unlike

FRAMES = 10


def equal(one, other):
    return np.array_equal(one.frames, other.frames) and np.array_equal(one.target, other.target)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_arguments_give_equal_pixels(kind):
    torch.manual_seed(1)
    one = embedded_clip(kind, 3, frames=FRAMES)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    again = embedded_clip(kind, 3, frames=FRAMES)
    assert equal(one, again)
    assert torch.equal(state, torch.get_rng_state())
    assert not equal(one, embedded_clip(kind, 4, frames=FRAMES))


@pytest.mark.parametrize("kind", KINDS)
def test_targets_are_of_sensible_size(kind):
    low, high = (0.0015, 0.012) if kind == "tiny" else (0.012, 0.35)
    for seed in range(4):
        made = embedded_clip(kind, seed, frames=FRAMES)
        assert (made.kind, made.seed) == (kind, seed)
        assert made.frames.shape == (FRAMES, 192, 256, 3)
        assert made.frames.dtype == np.uint8
        assert made.frames.std() > 10
        assert made.target.shape == (FRAMES, 192, 256)
        assert made.target.dtype == bool
        areas = made.target.mean((1, 2))
        assert low < areas[0] < high
        assert np.mean(areas > low / 2) > 0.6


def test_clips_move():
    made = embedded_clip("easy", 0, frames=FRAMES)
    assert not np.array_equal(made.target[0], made.target[-1])
    assert all(not np.array_equal(a, b) for a, b in zip(made.frames, made.frames[1:], strict=False))


def test_kinds_differ():
    made = [embedded_clip(kind, 0, frames=2) for kind in KINDS]
    assert len({clip.frames.tobytes() for clip in made}) == len(KINDS)


def test_length_and_size():
    assert embedded_clip("easy", 0).frames.shape == (48, 192, 256, 3)
    assert embedded_clip("easy", 0, frames=1, size=(96, 160)).frames.shape == (1, 96, 160, 3)


def test_a_split_target_ends_in_more_pieces():
    """Pieces below a fiftieth of the target are specks."""

    def pieces(mask):
        labels, _ = label(mask)
        return int((np.bincount(labels.ravel())[1:] > mask.sum() / 50).sum())

    grown = [
        pieces(made.target[-1]) > pieces(made.target[0])
        for made in (embedded_clip("split", seed, frames=24) for seed in range(5))
    ]
    assert sum(grown) >= 3


@pytest.mark.parametrize(
    ("kind", "seed", "reason"),
    [
        ("esay", 0, "unknown kind of embedded clip 'esay'; choose one of easy, deformation"),
        ("all", 0, "unknown kind"),
        ("easy", -1, "whole number from 0 on, got -1"),
    ],
)
def test_what_is_refused(kind, seed, reason):
    with pytest.raises(ValueError, match=reason):
        embedded_clip(kind, seed)


@pytest.mark.parametrize(
    ("frames", "size", "reason"),
    [(0, (96, 128), "needs frames and pixels, got 0"), (3, (0, 8), "0 x 8"), (3, (6, 6), "ask for more")],
)
def test_a_clip_too_small_to_show_anything_is_refused(frames, size, reason):
    with pytest.raises(ValueError, match=reason):
        embedded_clip("tiny", 0, frames=frames, size=size)


def test_filming_less_often_shows_the_same_frames():
    scene = _training_scene(np.random.default_rng(3), 9, (64, 96))
    scene.noise = 0.0
    rng = np.random.default_rng(0)
    every, third = render(rng, scene, 64, 96), render(rng, scene.every(3), 64, 96)
    assert torch.equal(every[1][::3], third[1])
    assert (every[0][::3].int() - third[0].int()).abs().max() <= 1


def test_held_out_kinds_are_kinds():
    assert set(HELD_OUT) == {"split", "part", "leak", "union"} < set(KINDS)


def test_training_clips_hold_whole_objects():
    images, ids = training_clip(np.random.default_rng(5), frames=3, size=(64, 96))
    again = training_clip(np.random.default_rng(5), frames=3, size=(64, 96))
    assert images.shape == (3, 64, 96, 3)
    assert ids.shape == (3, 64, 96)
    assert 1 <= len(set(ids.unique().tolist()) - {0}) <= 13
    assert torch.equal(images, again[0])
    assert torch.equal(ids, again[1])


@pytest.mark.parametrize("kind", PARTIAL)
def test_following_the_whole_body_of_a_partial_target_is_an_error(kind, monkeypatch):
    shares = []

    def recorded(target, body):
        assert not (target & ~body).any()
        shares.append(int(target.sum()) / max(int(body.sum()), 1))
        return _much_smaller(target, body)

    monkeypatch.setattr(clips, "_much_smaller", recorded)
    for seed in range(3):
        embedded_clip(kind, seed, frames=2)
        assert 0.15 < shares[-1] < 0.4
    monkeypatch.setattr(clips, "_much_smaller", lambda *_: False)
    with pytest.raises(ValueError, match="shows its target well"):
        embedded_clip(kind, 0, frames=1, size=(32, 48))


def test_alike_surfaces_differ_in_their_tint_only():
    surface, tinted = alike(np.random.default_rng(1))
    ratio = (tinted / surface.clamp(min=1e-6))[:, (surface.amin(0) > 0.05) & (tinted.amax(0) < 1)]
    assert (ratio.std(1) < 1e-3).all()
    assert ((ratio.mean(1) - 1).abs() < 0.36).all()
    assert not torch.equal(*unlike(np.random.default_rng(1)))
