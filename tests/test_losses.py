"""The loss of an update against the formulas of the paper, written out once more."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lit_widget.simulation.metrics import iou
from lit_widget.video.losses import MaskLoss, mask_iou

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 6))
LOGITS = st.floats(-20, 20, width=32) | st.floats(-300, 300, width=32)
CASES = SHAPES.flatmap(
    lambda shape: st.tuples(arrays(np.float32, shape, elements=LOGITS), arrays(bool, shape), arrays(bool, shape))
)


def focal(z, g, valid):
    """Mean over valid pixels of alpha_t (1 - p_t)^2 cross-entropy."""
    if not valid.any():
        return 0.0
    z, g = z[valid].astype(float), g[valid]
    p = 1 / (1 + np.exp(-z))
    p_t = np.where(g, p, 1 - p)
    return float(np.mean(np.where(g, 0.25, 0.75) * (1 - p_t) ** 2 * np.logaddexp(0, np.where(g, -z, z))))


def dice(z, g, valid):
    p, g = (1 / (1 + np.exp(-z[valid].astype(float)))), g[valid]
    return float(1 - (2 * (p * g).sum() + 1) / (p.sum() + g.sum() + 1))


@given(CASES)
def test_equal_the_formulas(case):
    z, g, valid = case
    logits, target, counts = torch.from_numpy(z), torch.from_numpy(g), torch.from_numpy(valid)
    for weight in (20.0, 0.0):
        expected = weight * focal(z, g, valid) + dice(z, g, valid)
        given = MaskLoss(target, counts, focal_weight=weight)(logits)
        assert float(given) == pytest.approx(expected, rel=1e-4, abs=1e-4)
    everywhere = np.ones_like(valid)
    expected = 20 * focal(z, g, everywhere) + dice(z, g, everywhere)
    assert float(MaskLoss(target)(logits)) == pytest.approx(expected, rel=1e-4, abs=1e-4)


@given(CASES)
def test_the_gradient_is_that_of_the_formulas(case):
    z, g, valid = (torch.from_numpy(array) for array in case)

    def formulas(logits):
        p = logits.sigmoid()
        p_t, alpha = torch.where(g, p, 1 - p), torch.where(g, 0.25, 0.75)
        surprise = torch.nn.functional.softplus(torch.where(g, -logits, logits))
        focal = (alpha * (1 - p_t) ** 2 * surprise * valid).sum() / valid.sum().clamp(min=1)
        p, truth = p * valid, g * valid
        return 20 * focal + 1 - (2 * (p * truth).sum() + 1) / (p.sum() + truth.sum() + 1)

    own, theirs = z.clone().requires_grad_(), z.double().requires_grad_()
    (3 * MaskLoss(g, valid)(own)).backward()
    (3 * formulas(theirs)).backward()
    torch.testing.assert_close(own.grad.double(), theirs.grad, rtol=1e-4, atol=1e-5)


@given(CASES)
def test_void_counts_for_nothing(case):
    z, g, valid = (torch.from_numpy(array) for array in case)
    logits = z.clone().requires_grad_()
    loss = MaskLoss(g, valid)(logits)
    loss.backward()
    assert not logits.grad[~valid].any()
    assert torch.equal(loss, MaskLoss(g ^ ~valid, valid)(torch.where(valid, z, 3.0)))
    assert float(mask_iou(z > 0, g, valid)) == pytest.approx(iou(case[0] > 0, case[1], case[2]))


@given(CASES)
def test_iou_is_that_of_the_metrics(case):
    z, g, _ = case
    assert float(mask_iou(torch.from_numpy(z > 0), torch.from_numpy(g))) == pytest.approx(iou(z > 0, g))


@pytest.mark.parametrize("value", [-20.0, 20.0])
def test_a_perfect_mask_costs_nothing_and_its_opposite_much(value):
    logits, target = torch.full((4, 5), value), torch.full((4, 5), value > 0)
    assert float(MaskLoss(target)(logits)) == pytest.approx(0, abs=1e-3)
    assert float(MaskLoss(~target)(logits)) > 100 * 0.25


def test_the_size_of_the_image_does_not_weigh_focal():
    logits, target = torch.tensor([[1.0, -2.0]]), torch.tensor([[True, True]])

    def focal_of(n):
        z, g = logits.repeat(n, n), target.repeat(n, n)
        return float(MaskLoss(g)(z)) - float(MaskLoss(g, focal_weight=0.0)(z))

    assert focal_of(7) == pytest.approx(focal_of(1), rel=1e-5)
