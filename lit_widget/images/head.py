"""The last step of CLIP's image side: from cached features to scores of all classes, and where an adapter fits in."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lit_widget.core.recipes import Lora

RANK = 8
"""Of the adapters on CLIP (the paper's live image classification)."""

ALPHA = 8.0
"""Of the adapters on CLIP."""


@dataclass(frozen=True)
class Placement:
    """Where an adapter is put.

    Attributes:
        name: what users write.
        help: one line.
        layers: names of the linear layers that get a LoRA.
    """

    name: str
    help: str
    layers: tuple[str, ...]

    def recipe(self, *, alpha: float = ALPHA, dropout: float = 0.1) -> Lora:
        """A LoRA on these layers."""
        return Lora(RANK, alpha, dropout, self.layers)


PLACEMENTS = {
    each.name: each
    for each in (
        Placement(
            "projection", "LoRA on CLIP's visual projection, from pooled features to embeddings", ("projection",)
        ),
        Placement("residual", "LoRA added to the finished embedding", ("residual",)),
    )
}
"""Every placement whose training needs no more than the cached features."""


class Head(nn.Module):
    """From pooled image features to one score per class.

    Args:
        projection: (e, d) CLIP's visual projection.
        classes: (k, e) one embedding per class; normalised here.
        scale: CLIP's temperature; scores are `scale` times a cosine.

    Attributes:
        residual: a linear layer whose weights are zero, for adapters that add to the finished embedding.
    """

    classes: Tensor

    def __init__(
        self, projection: Float[Tensor, "e d"], classes: Float[Tensor, "k e"], *, scale: float = 100.0
    ) -> None:
        super().__init__()
        width = projection.shape[0]
        self.projection = _linear(projection)
        self.residual = _linear(torch.zeros(width, width))
        self.register_buffer("classes", nn.functional.normalize(classes.float(), dim=-1))
        self.scale = scale

    def alike(self) -> list[int]:
        """Classes that the model cannot tell from an earlier one, since their embeddings are the same."""
        same = (self.classes @ self.classes.T > 1 - 1e-5).tril(-1)
        return same.any(1).nonzero().flatten().tolist()

    def forward(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Scores of all classes.

        Args:
            features: of images, pooled, before the projection.

        Returns:
            (n, k), `scale` times a cosine.
        """
        embedding = nn.functional.normalize(self.projection(features), dim=-1)
        if type(self.residual) is not nn.Linear:  # adapted; before, it is zero and not worth its time
            embedding = nn.functional.normalize(embedding + self.residual(embedding), dim=-1)
        return nn.functional.linear(embedding, self.classes) * self.scale


def _linear(weight: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight = nn.Parameter(weight.detach().float().clone(), requires_grad=False)
    return layer
