"""The loss of an update against the formulas of the paper, written out once more."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lit_widget.simulation.metrics import iou
from lit_widget.video.losses import dice_loss, focal_loss, mask_iou, mask_loss

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 6))
LOGITS = st.floats(-20, 20, width=32)
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
    tensors = torch.from_numpy(z), torch.from_numpy(g), torch.from_numpy(valid)
    floats = tensors[0], tensors[1].float(), tensors[2].float()
    assert float(focal_loss(*floats)) == pytest.approx(focal(z, g, valid), abs=1e-4)
    assert float(dice_loss(*floats)) == pytest.approx(dice(z, g, valid), abs=1e-4)
    assert float(mask_loss(*tensors)) == pytest.approx(20 * focal(z, g, valid) + dice(z, g, valid), rel=1e-3, abs=1e-3)
    everywhere = np.ones_like(valid)
    expected = 20 * focal(z, g, everywhere) + dice(z, g, everywhere)
    assert float(mask_loss(*tensors[:2])) == pytest.approx(expected, rel=1e-3, abs=1e-3)


@given(CASES)
def test_void_counts_for_nothing(case):
    z, g, valid = (torch.from_numpy(array) for array in case)
    logits = z.clone().requires_grad_()
    loss = mask_loss(logits, g, valid)
    loss.backward()
    assert not logits.grad[~valid].any()
    assert torch.equal(loss, mask_loss(torch.where(valid, z, 3.0), g ^ ~valid, valid))
    assert float(mask_iou(z > 0, g, valid)) == pytest.approx(iou(case[0] > 0, case[1], case[2]))


@given(CASES)
def test_iou_is_that_of_the_metrics(case):
    z, g, _ = case
    assert float(mask_iou(torch.from_numpy(z > 0), torch.from_numpy(g))) == pytest.approx(iou(z > 0, g))


@pytest.mark.parametrize("value", [-20.0, 20.0])
def test_a_perfect_mask_costs_nothing_and_its_opposite_much(value):
    logits, target = torch.full((4, 5), value), torch.full((4, 5), value > 0)
    assert float(mask_loss(logits, target)) == pytest.approx(0, abs=1e-3)
    assert float(mask_loss(logits, ~target)) > 100 * 0.25


def test_the_size_of_the_image_does_not_weigh_focal():
    logits, target = torch.tensor([[1.0, -2.0]]), torch.tensor([[1.0, 1.0]])
    valid = torch.ones_like(target)
    tiled = [tensor.repeat(7, 3) for tensor in (logits, target, valid)]
    assert float(focal_loss(*tiled)) == pytest.approx(float(focal_loss(logits, target, valid)), rel=1e-5)
