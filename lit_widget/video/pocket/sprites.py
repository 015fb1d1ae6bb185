"""Sprites: textured silhouettes with a marked part, and the pieces that make an articulated body."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from numpy.random import Generator
from torch import Tensor

from .textures import grid, texture

SPRITE = 80
"""Side of a sprite in texels; a body fills about 0.72 of the half side."""

_X, _Y = grid(SPRITE)


@dataclass(frozen=True)
class Piece:
    """One rigid piece of an object, in the object's own coordinates.

    Attributes:
        sprite: (5, n, n): RGB, opacity, and 1 where the marked part is.
        anchor: (x, y) where the piece turns about, in body units.
        size: scale of the piece relative to the body.
        swing: (amplitude in radians, radians per frame, phase) of its own rotation.
        half: (angle, first frame, speed, largest distance) when the piece is one half of a splitting body.
    """

    sprite: Float[Tensor, "5 n n"]
    anchor: tuple[float, float] = (0.0, 0.0)
    size: float = 1.0
    swing: tuple[float, float, float] = (0.0, 0.0, 0.0)
    half: tuple[float, int, float, float] | None = None

    def every(self, step: int) -> Piece:
        """The same piece filmed at one frame in `step`."""
        amplitude, rate, phase = self.swing
        return replace(self, swing=(amplitude, rate * step, phase))


def silhouette(
    rng: Generator, radius: float, cx: float = 0.0, cy: float = 0.0, softness: float = 16.0
) -> Float[Tensor, "n n"]:
    """Opacity of a random shape: a smooth blob, a polygon or star, or a superellipse."""
    x, y = _X - cx, _Y - cy
    theta, r = torch.atan2(y, x), torch.sqrt(x * x + y * y)
    choice = rng.integers(4)
    if choice <= 1:
        outline = torch.ones_like(r)
        for wave, strength in enumerate((0.12, 0.18, 0.12, 0.08, 0.05)):
            outline = outline + rng.normal() * strength * torch.cos((wave + 1) * theta + rng.uniform(0, 2 * math.pi))
        outline = outline.clamp(0.3, 1.3)
    elif choice == 2:
        corners = int(rng.integers(3, 8))
        turn = (theta + rng.uniform(0, 2 * math.pi)) % (2 * math.pi / corners)
        outline = 1.1 * math.cos(math.pi / corners) / torch.cos(turn - math.pi / corners)
        if rng.random() < 0.4:
            outline = outline * (1 + 0.3 * torch.cos(corners * theta))
    else:
        power, aspect = rng.uniform(1.5, 6), math.exp(rng.uniform(-0.9, 0.9))
        c, s = torch.cos(theta).abs() * aspect, torch.sin(theta).abs() / aspect
        outline = (1.0 / (c**power + s**power) ** (1 / power)).clamp(max=1.3)
    return torch.sigmoid((radius * outline - r) * softness)


def compose(
    first: Float[Tensor, "3 n n"],
    second: Float[Tensor, "3 n n"],
    opacity: Float[Tensor, "n n"],
    part: Float[Tensor, "n n"],
) -> Float[Tensor, "5 n n"]:
    """Stack colour (`second` on the part), opacity and part into a sprite."""
    rgb = first * (1 - part) + second * part
    return torch.cat([rgb.clamp(0, 1), opacity[None], part[None]])


def whole(rng: Generator, surface: Tensor | None = None, shape: Tensor | None = None) -> Float[Tensor, "5 n n"]:
    """A body of one surface, with no marked part."""
    surface = texture(rng, SPRITE) if surface is None else surface
    opacity = silhouette(rng, 0.72) if shape is None else shape
    return compose(surface, surface, opacity, torch.zeros(SPRITE, SPRITE))


Surfaces = tuple[Float[Tensor, "3 n n"], Float[Tensor, "3 n n"]]
"""Of the body and of its marked part."""


def alike(rng: Generator) -> Surfaces:
    """A surface and a tint of it, as two parts of one garment have."""
    surface = texture(rng, SPRITE)
    tint = torch.tensor(rng.uniform(0.65, 1.35, 3), dtype=torch.float32)
    return surface, (surface * tint[:, None, None]).clamp(0, 1)


def unlike(rng: Generator) -> Surfaces:
    """Two surfaces that have nothing to do with each other."""
    return texture(rng, SPRITE), texture(rng, SPRITE)


def halved(rng: Generator, surfaces: Callable[[Generator], Surfaces] = unlike) -> Float[Tensor, "5 n n"]:
    """A body whose marked part is one side of it, or its core."""
    angle = rng.uniform(0, 2 * math.pi)
    if rng.random() < 0.7:
        part = (math.cos(angle) * _X + math.sin(angle) * _Y > rng.uniform(-0.15, 0.15)).float()
    else:
        part = (torch.sqrt(_X**2 + _Y**2) < 0.42).float()
    return compose(*surfaces(rng), silhouette(rng, 0.72), part)


def attached(rng: Generator, surfaces: Callable[[Generator], Surfaces] = unlike) -> Float[Tensor, "5 n n"]:
    """Two touching shapes that move as one; the marked part is the smaller."""
    angle = rng.uniform(0, 2 * math.pi)
    cx, cy = 0.4 * math.cos(angle), 0.4 * math.sin(angle)
    large = silhouette(rng, 0.46, -0.6 * cx, -0.6 * cy)
    small = silhouette(rng, rng.uniform(0.24, 0.36), cx, cy)
    part = (small > large).float() if rng.random() < 0.5 else (large < 0.5).float()
    return compose(*surfaces(rng), torch.maximum(large, small), part)


def limbs(rng: Generator) -> list[Piece]:
    """Thin limbs that swing about joints on the rim of a body."""
    pieces = []
    surface = texture(rng, SPRITE)
    for _ in range(int(rng.integers(1, 5))):
        angle = rng.uniform(0, 2 * math.pi)
        length, width = rng.uniform(0.5, 0.95), rng.uniform(0.1, 0.3)
        along = (_X.clamp(0, length) - _X) ** 2 + _Y**2
        opacity = torch.sigmoid((width - along.sqrt()) * 20)
        skin = surface if rng.random() < 0.6 else texture(rng, SPRITE)
        pieces.append(
            Piece(
                compose(skin, skin, opacity, torch.zeros(SPRITE, SPRITE)),
                anchor=(0.5 * math.cos(angle), 0.5 * math.sin(angle)),
                size=rng.uniform(0.6, 1.1),
                swing=(rng.uniform(0.1, 1.0), rng.uniform(0.1, 0.7), rng.uniform(0, 2 * math.pi) + angle),
            )
        )
    return pieces
