"""The embedded data sets: procedural look-alikes, drawn when they are read."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from lit_widget.images.pocket.pictures import COLOURS, LOOKS, Look, Style, picture, strange_style
from lit_widget.images.pocket.shapes import SHAPES
from lit_widget.images.sources import ImageError, ImageSet

CLASSES = 48
PER_CLASS = 20
VERSION = 1
"""Of the pictures: raised when they change."""


@dataclass(frozen=True, slots=True)
class DrawnSource:
    """A procedural picture.

    Attributes:
        look: what it shows.
        style: how it is drawn.
        seed: of everything else.
    """

    look: Look
    style: Style
    seed: tuple[int, ...]

    @property
    def key(self) -> str:
        """What the picture is made of."""
        return f"{VERSION} {self.look} {self.style} {self.seed}"

    def read(self) -> UInt8[ndarray, "h w 3"]:
        """Draw it."""
        return picture(self.look, np.random.default_rng(self.seed), self.style)


def embedded_images(seed: int, *, classes: int = CLASSES, per_class: int = PER_CLASS) -> ImageSet:
    """Look-alikes whose colour, texture and shape the pocket model has never seen together, in a style new to it.

    Args:
        seed: of everything.
        classes: how many look-alikes.
        per_class: images of each.

    Returns:
        The images, with labels; equal arguments give equal pixels.
    """
    random = np.random.default_rng([VERSION, seed])
    style = strange_style(random)
    first_colour, shapes = random.integers(len(COLOURS)), set(random.choice(list(SHAPES), 6, replace=False))
    near = {list(COLOURS)[(first_colour + step) % len(COLOURS)] for step in range(4)}
    family = [look for look in LOOKS if look.held_out and look.colour in near and look.shape in shapes]
    looks = [family[at] for at in sorted(random.permutation(len(family))[:classes])]
    order = random.permutation(np.repeat(np.arange(len(looks)), per_class)).tolist()
    return ImageSet(
        f"embedded:{seed}",
        [DrawnSource(looks[label], style, (VERSION, seed, at)) for at, label in enumerate(order)],
        [look.name for look in looks],
        order,
    )


def open_embedded(spec: str) -> ImageSet:
    """Open the embedded images that `embedded:SEED` names.

    Raises:
        ImageError: if there are none.
    """
    match = re.fullmatch(r"embedded:(\d+)", spec)
    if match is None:
        raise ImageError(f"{spec!r} is not a source; write embedded:SEED, for example embedded:0")
    return embedded_images(int(match[1]))
