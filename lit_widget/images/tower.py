"""An adapter inside the vision tower: no cached features, every consult and every step goes through all its layers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jaxtyping import Float
from torch import Tensor

from .clip import Clip
from .head import Head, Placement
from .sources import ImageSet

ATTENTION = Placement(
    "attention",
    "LoRA on queries, keys and values of the vision tower; needs the images themselves and seconds per update",
    ("q_proj", "k_proj", "v_proj"),
)
"""On ViT-B/32 442,368 parameters; `Tower` and `Pixels` take the places of `Head` and cached features."""

RECENT = 32
"""Images whose pixels stay in memory."""


class Tower(Head):
    """From pixels to one score per class.

    Args:
        clip: whose vision tower it is.
        head: what follows it.
    """

    def __init__(self, clip: Clip, head: Head) -> None:
        super().__init__(head.projection.weight, head.classes, scale=head.scale)
        self.vision = clip.model.vision_model

    def forward(self, features: Float[Tensor, "n 3 s s"]) -> Float[Tensor, "n k"]:
        """Scores of all classes.

        Args:
            features: pixels, as `Clip.pixels` gives them.
        """
        vision: Any = self.vision
        return super().forward(vision(pixel_values=features).pooler_output)


class Pixels:
    """The images of a set as the vision tower takes them, in the place of features.

    Args:
        clip: prepares them.
        images: to read.
    """

    def __init__(self, clip: Clip, images: ImageSet) -> None:
        self._images = images
        self._read = lru_cache(RECENT)(lambda image: clip.pixels([images.read(image)])[0])

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, image: int) -> Float[Tensor, "3 s s"]:
        """The pixels of one image."""
        return self._read(image)
