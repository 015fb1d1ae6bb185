"""The memory adapter: a residual bottleneck on the features that carry an object's memory (paper section 4.4).

Two 1x1 convolutions, 256 to 128 to 256 channels in the official models: 65,920 parameters, the paper's "66K".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from jaxtyping import Float
from torch import Tensor, nn

from lit_widget.core.recipes import share_structure


class Bottleneck(nn.Module):
    """Squeeze the channels to half, then add what comes back; at first nothing does.

    Args:
        channels: of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels, channels // 2, 1)
        self.up = nn.Conv2d(channels // 2, channels, 1)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(cast("Tensor", self.up.bias))

    def forward(self, features: Float[Tensor, "n d h w"]) -> Float[Tensor, "n d h w"]:
        """The features, corrected."""
        return features + self.up(self.down(features).relu())


class BottleneckedTransformer(nn.Module):
    """The mask decoder's transformer with a bottleneck in front of its image input.

    That input already carries the constant embedding for "no mask given", which a bias absorbs.
    """

    def __init__(self, bottleneck: Bottleneck, transformer: nn.Module) -> None:
        super().__init__()
        self.bottleneck, self.transformer = bottleneck, transformer

    def forward(self, image: Tensor, position: Tensor, tokens: Tensor) -> Any:
        """As SAM 2's `TwoWayTransformer`."""
        return self.transformer(self.bottleneck(image), position, tokens)


@dataclass(frozen=True)
class MemoryBottleneck:
    """A recipe: train a bottleneck in front of a frozen mask decoder."""

    def build(self, module: nn.Module) -> nn.Module:
        """The decoder, with the bottleneck in front of its transformer."""
        adapted = share_structure(module)
        place = next(module.parameters()).device
        bottleneck = Bottleneck(cast("int", adapted.transformer_dim)).to(place)
        adapted.transformer = BottleneckedTransformer(bottleneck, cast("nn.Module", adapted.transformer))
        return adapted
