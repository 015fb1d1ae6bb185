"""Procedural pictures of look-alikes with captions: counts, colours, textures and shapes, drawn in a style."""

from __future__ import annotations

import colorsys
import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from numpy.random import Generator

from .shapes import SHAPES, TEXTURES

SIZE = 40
"""Height and width of a picture, in pixels."""

COLOURS = {"red": 0, "orange": 28, "yellow": 55, "green": 115, "cyan": 180, "blue": 225, "purple": 275, "pink": 325}
"""Hues in degrees."""

GROUPINGS = ("", "pair of ", "trio of ")
"""How one, two and three things are called."""

PLURALS = {shape: shape + ("es" if shape.endswith(("x", "s")) else "s") for shape in SHAPES}


class Look(NamedTuple):
    """What a picture shows; each is a class."""

    number: int
    colour: str
    texture: str
    shape: str

    @property
    def name(self) -> str:
        """As in a caption: "pair of red striped stars"."""
        noun = self.shape if self.number == 1 else PLURALS[self.shape]
        return f"{GROUPINGS[self.number - 1]}{self.colour} {self.texture} {noun}"

    @property
    def held_out(self) -> bool:
        """Whether this colour, texture and shape are never seen together in training."""
        place = (list(COLOURS).index(self.colour), list(TEXTURES).index(self.texture), list(SHAPES).index(self.shape))
        return (place[0] + 2 * place[1] + 3 * place[2]) % 5 == 0


LOOKS = [Look(*each) for each in itertools.product((1, 2, 3), COLOURS, TEXTURES, SHAPES)]
"""Every class."""


@dataclass(frozen=True)
class Style:
    """How everything in a picture is drawn.

    Attributes:
        cast: added to every hue, in degrees.
        turn: middle of the rotation, in degrees.
        squeeze: height of what is drawn, relative to its width.
        grain: frequency of textures, relative to that in training.
        fade: of colours, from 0 to 1.
        clutter: strength of the background's pattern, from 0 to 1.
    """

    cast: float = 0.0
    turn: float = 0.0
    squeeze: float = 1.0
    grain: float = 1.0
    fade: float = 0.0
    clutter: float = 0.0


PLAIN = Style()
"""The style of all training pictures."""


def strange_style(random: Generator) -> Style:
    """A style that is consistent in itself and never seen in training."""
    sign = random.choice([-1, 1], size=2)
    return Style(
        cast=sign[0] * random.uniform(14, 26),
        turn=sign[1] * random.uniform(25, 55),
        squeeze=random.uniform(0.6, 0.85),
        grain=random.uniform(1.15, 1.45),
        fade=random.uniform(0.1, 0.4),
        clutter=random.uniform(0.3, 0.7),
    )


def picture(look: Look, random: Generator, style: Style = PLAIN) -> UInt8[ndarray, "h w 3"]:
    """Draw one picture.

    Args:
        look: what it shows.
        random: place, size, angle, shades and background.
        style: how it is drawn.
    """
    canvas = _background(random, style)
    hue = COLOURS[look.colour] + style.cast + random.uniform(-7, 7)
    first = _rgb(hue, random.uniform(0.75, 1.0) * (1 - 0.6 * style.fade), random.uniform(0.75, 1.0))
    second = first * random.uniform(0.25, 0.4) if random.random() < 0.5 else first + (1 - first) * 0.8
    turn = style.turn + random.uniform(-18, 18)
    pen = _Pen((first, second), turn, style.grain * random.uniform(7.0, 9.0), style.squeeze)
    for place in _places(look.number, random):
        canvas = _drawn(canvas, look, place, pen)
    noisy = canvas + random.normal(0, 0.02, canvas.shape)
    return (noisy.clip(0, 1) * 255).round().astype(np.uint8)


class _Pen(NamedTuple):
    """How the things in one picture are drawn: two tones, degrees, frequency of the texture, height by width."""

    tones: tuple[ndarray, ndarray]
    turn: float
    frequency: float
    squeeze: float


def _drawn(canvas: ndarray, look: Look, place: tuple[ndarray, float], pen: _Pen) -> ndarray:
    """The canvas with one more thing on it."""
    middle, radius = place
    angle = np.deg2rad(pen.turn)
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    x, y = (x - middle[0]) / radius, (y - middle[1]) / (radius * pen.squeeze)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    inside = (0.5 - SHAPES[look.shape](u, v) * radius).clip(0, 1)[..., None]
    # Few pixels have few waves: the frequency falls with the size.
    marked = (0.5 + 1.5 * TEXTURES[look.texture](u, v, pen.frequency * min(1.0, radius / 12))).clip(0, 1)[..., None]
    return canvas * (1 - inside) + inside * (pen.tones[0] * (1 - marked) + pen.tones[1] * marked)


def _places(count: int, random: Generator) -> list[tuple[ndarray, float]]:
    """Middles and radii that do not overlap, in pixels."""
    if count == 1:
        return [(SIZE / 2 + random.uniform(-4, 4, 2), random.uniform(12, 16))]
    around = random.uniform(0, 2 * np.pi)
    radius = random.uniform(7.5, 9.0) if count == 2 else random.uniform(6.8, 8.0)
    distance = 10.0 if count == 2 else 11.5
    angles = around + 2 * np.pi * np.arange(count) / count
    shift = random.uniform(-1.5, 1.5, 2)
    return [(SIZE / 2 + shift + distance * np.array([np.cos(a), np.sin(a)]), radius) for a in angles]


def _background(random: Generator, style: Style) -> ndarray:
    """A grey slope, in strange styles with waves over it."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    angle, level = random.uniform(0, 2 * np.pi), random.uniform(0.15, 0.85)
    slope = level + random.uniform(0, 0.2) * (x * np.cos(angle) + y * np.sin(angle))
    waves = 0.2 * style.clutter * np.sin(random.uniform(10, 25) * (x * np.sin(angle) + y * np.cos(angle)))
    return np.repeat((slope + waves)[..., None], 3, axis=2) * random.uniform(0.92, 1.0, 3)


def _rgb(hue: float, saturation: float, value: float) -> ndarray:
    return np.array(colorsys.hsv_to_rgb(hue % 360 / 360, saturation, value))
