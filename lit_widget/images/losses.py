"""What an adapter is trained on when a label was corrected (the paper's live image classification)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class LossConfig:
    """Weights of the loss; the paper gives its form and not its values.

    Attributes:
        margin: by how much the right class should lead, in scores.
        margin_weight: of the margin term.
        decay: of the squared norm of the adapter's weights.
    """

    margin: float = 1.0
    margin_weight: float = 1.0
    decay: float = 1e-4


def label_loss(
    scores: Float[Tensor, " k"], label: int, parameters: Sequence[nn.Parameter], config: LossConfig
) -> Float[Tensor, ""]:
    """Cross-entropy over all classes, a margin to the best wrong one, and a pull towards no change.

    Args:
        scores: of all classes.
        label: the right class.
        parameters: of the adapter.
        config: margin and weights.
    """
    entropy = F.cross_entropy(scores[None], torch.tensor([label], device=scores.device))
    behind = (config.margin - lead(scores, label)).clamp(min=0)
    norm = torch.stack([parameter.square().sum() for parameter in parameters]).sum()
    return entropy + config.margin_weight * behind + config.decay * norm


def lead(scores: Float[Tensor, " k"], label: int) -> Float[Tensor, ""]:
    """By how much a class leads the best other one; negative where it does not."""
    others = torch.cat([scores[:label], scores[label + 1 :]])
    return scores[label] - others.max()
