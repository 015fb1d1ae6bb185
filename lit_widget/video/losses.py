"""The loss of an online update: focal and dice, in the ratio SAM 2 was trained with (paper section 3.2)."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

FOCAL_WEIGHT = 20.0
DICE_WEIGHT = 1.0
FOCAL_ALPHA = 0.25
FOCAL_GAMMA = 2.0
"""The exponent of what is wrong; a square in the code."""
LEAST = torch.finfo(torch.float32).tiny
"""Probability below which its logarithm is not taken."""


class MaskLoss:
    """20 times focal plus dice of logits against one target; pixels outside `valid` count for neither.

    Focal is alpha_t (1 - p_t)^gamma times the cross-entropy, mean over valid pixels; dice is one minus the soft Dice
    coefficient, with 1 added above and below. What depends on the target alone is made once for all steps.

    Args:
        target: what is to be segmented.
        valid: pixels that count; all of them when `None`.
        focal_weight: of focal relative to dice.
    """

    def __init__(
        self,
        target: Bool[Tensor, "h w"],
        valid: Bool[Tensor, "h w"] | None = None,
        *,
        focal_weight: float = FOCAL_WEIGHT,
    ) -> None:
        truth = target.float()
        counts = torch.ones_like(truth) if valid is None else valid.float()
        # Turned, logits are high where they are wrong.
        self._turn = 1 - 2 * truth
        alpha = torch.where(target, FOCAL_ALPHA, 1 - FOCAL_ALPHA)
        self._balance = focal_weight * alpha * counts / counts.sum().clamp(min=1)
        self._regions = torch.stack([truth * counts, (1 - truth) * counts]).flatten(1)
        self._area = self._regions[0].sum()

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """All tensors in which another target has other values."""
        return self._turn, self._balance, self._regions, self._area

    def __call__(self, logits: Float[Tensor, "h w"]) -> Float[Tensor, ""]:
        """The loss of one step."""
        return _KnownGradient.apply(logits, *self._with_gradient(logits.detach()))

    def _with_gradient(self, logits: Float[Tensor, "h w"]) -> tuple[Float[Tensor, ""], Float[Tensor, "h w"]]:
        """The loss and its gradient, which together need a third of the passes over the image that autograd takes."""
        turned = logits * self._turn
        wrong = turned.sigmoid()
        # Softplus by what is known: imprecise only where next to nothing is wrong, and there it is not weighted.
        surprise = turned.sub_(wrong.clamp(min=LEAST).log_())
        balanced = wrong.square().mul_(self._balance)
        missed, spilled = self._regions @ wrong.flatten()
        hit = self._area - missed
        agreed, all_in_all = 2 * hit + 1, hit + spilled + self._area + 1
        loss = balanced.flatten() @ surprise.flatten() + DICE_WEIGHT * (1 - agreed / all_in_all)
        # Of dice by what is missed and spilled, then by the turned logits.
        slopes = torch.stack([2 * all_in_all - agreed, agreed]) * (DICE_WEIGHT / all_in_all.square())
        right = 1 - wrong
        inside, outside = self._regions.unflatten(1, wrong.shape)
        gradient = (inside * slopes[0]).addcmul_(outside, slopes[1]).mul_(right)
        gradient = gradient.mul_(wrong).addcmul_(balanced, surprise.mul_(right).mul_(FOCAL_GAMMA).add_(wrong))
        return loss, gradient.mul_(self._turn)


class _KnownGradient(torch.autograd.Function):
    """A value that depends on its first input by a gradient worked out beforehand."""

    @staticmethod
    def forward(ctx: Any, _inputs: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return value

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None, None]:
        return ctx.saved_tensors[0] * outer[0], None, None


def mask_iou(
    predicted: Bool[Tensor, "h w"], target: Bool[Tensor, "h w"], valid: Bool[Tensor, "h w"] | None = None
) -> Float[Tensor, ""]:
    """IoU over valid pixels; 1 when both are empty."""
    if valid is not None:
        predicted, target = predicted & valid, target & valid
    union = (predicted | target).count_nonzero()
    return torch.where(union == 0, 1.0, (predicted & target).count_nonzero() / union.clamp(min=1))
