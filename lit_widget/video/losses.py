"""The loss of an online update: focal and dice, in the ratio SAM 2 was trained with (paper section 3.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

FOCAL_WEIGHT = 20.0
DICE_WEIGHT = 1.0
FOCAL_ALPHA = 0.25
FOCAL_GAMMA = 2.0


def focal_loss(
    logits: Float[Tensor, "h w"], target: Float[Tensor, "h w"], valid: Float[Tensor, "h w"]
) -> Float[Tensor, ""]:
    """Focal loss, mean over valid pixels: alpha_t (1 - p_t)^gamma times the cross-entropy."""
    probability = logits.sigmoid()
    cross_entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    agreement = probability * target + (1 - probability) * (1 - target)
    balance = FOCAL_ALPHA * target + (1 - FOCAL_ALPHA) * (1 - target)
    return (balance * (1 - agreement) ** FOCAL_GAMMA * cross_entropy * valid).sum() / valid.sum().clamp(min=1)


def dice_loss(
    logits: Float[Tensor, "h w"], target: Float[Tensor, "h w"], valid: Float[Tensor, "h w"]
) -> Float[Tensor, ""]:
    """One minus the soft Dice coefficient, with 1 added above and below."""
    probability = logits.sigmoid() * valid
    target = target * valid
    return 1 - (2 * (probability * target).sum() + 1) / (probability.sum() + target.sum() + 1)


def mask_loss(
    logits: Float[Tensor, "h w"],
    target: Bool[Tensor, "h w"],
    valid: Bool[Tensor, "h w"] | None = None,
    *,
    focal_weight: float = FOCAL_WEIGHT,
) -> Float[Tensor, ""]:
    """20 times focal plus dice; pixels outside `valid` count for neither."""
    truth = target.float()
    mask = torch.ones_like(truth) if valid is None else valid.float()
    return focal_weight * focal_loss(logits, truth, mask) + DICE_WEIGHT * dice_loss(logits, truth, mask)


def mask_iou(
    predicted: Bool[Tensor, "h w"], target: Bool[Tensor, "h w"], valid: Bool[Tensor, "h w"] | None = None
) -> Float[Tensor, ""]:
    """IoU over valid pixels; 1 when both are empty."""
    if valid is not None:
        predicted, target = predicted & valid, target & valid
    union = (predicted | target).sum()
    return torch.where(union == 0, 1.0, (predicted & target).sum() / union.clamp(min=1))
