"""What an adapter is trained on when a label was corrected (the paper's live image classification)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lit_widget.core.options import require


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

    def __post_init__(self) -> None:
        """Refuse weights that are no numbers, or below zero."""
        for name in ("margin", "margin_weight", "decay"):
            given = getattr(self, name)
            require(name, given, Real, "a number from 0")
            if not 0 <= given < math.inf:
                raise ValueError(f"{name} is {given!r}; give a number from 0")


def label_loss(
    scores: Float[Tensor, " k"],
    label: int,
    ahead: Float[Tensor, ""],
    parameters: Sequence[nn.Parameter],
    config: LossConfig,
) -> Float[Tensor, ""]:
    """Cross-entropy over all classes, a margin to the best wrong one, and a pull towards no change.

    Args:
        scores: of all classes.
        label: the right class.
        ahead: its `lead`.
        parameters: of the adapter.
        config: margin and weights.
    """
    entropy = scores.logsumexp(0) - scores[label]
    behind = (config.margin - ahead).clamp(min=0)
    norm = sum(torch.dot(weight, weight) for weight in (parameter.flatten() for parameter in parameters))
    return entropy + config.margin_weight * behind + config.decay * norm


def lead(scores: Float[Tensor, " k"], label: int) -> Float[Tensor, ""]:
    """By how much a class leads the best other one; negative where it does not."""
    best, others = scores.topk(2)
    return scores[label] - best[1 if int(others[0]) == label else 0]
