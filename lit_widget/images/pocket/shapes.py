"""Outlines and fillings, as functions of the place: what the pictures of the pocket model are made of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy import ndarray

Plane = Float[ndarray, "h w"]


def _polygon(u: Plane, v: Plane, sides: int, apothem: float) -> Plane:
    angles = np.pi / 2 + 2 * np.pi * (np.arange(sides) + 0.5) / sides
    return np.max([u * np.cos(angle) - v * np.sin(angle) for angle in angles], axis=0) - apothem


def _circle(u: Plane, v: Plane, radius: float = 0.9) -> Plane:
    return np.hypot(u, v) - radius


def _box(u: Plane, v: Plane, width: float, height: float) -> Plane:
    return np.maximum(np.abs(u) - width, np.abs(v) - height)


def _lobes(u: Plane, v: Plane) -> Plane:
    return np.hypot(u, v) - (0.66 + 0.26 * np.cos(5 * np.arctan2(u, -v)))


def _star(u: Plane, v: Plane) -> Plane:
    point = np.abs((5 * np.arctan2(u, -v) / (2 * np.pi)) % 1 - 0.5) * 2
    return 0.7 * (np.hypot(u, v) - (0.4 + 0.62 * point**1.5))


def _heart(u: Plane, v: Plane) -> Plane:
    return 0.8 * (np.hypot(u, -v - 0.85 * np.abs(u) ** 0.7 + 0.3) - 0.78)


def _arrow(u: Plane, v: Plane) -> Plane:
    tip = np.maximum(np.abs(u) + (-v - 0.9) * 0.9, v + 0.05)
    return np.minimum(tip, _box(u, v - 0.4, 0.27, 0.5))


SHAPES: dict[str, Callable[[Plane, Plane], Plane]] = {
    "circle": _circle,
    "square": lambda u, v: _box(u, v, 0.76, 0.76),
    "triangle": lambda u, v: _polygon(u, v, 3, 0.5),
    "hexagon": lambda u, v: _polygon(u, v, 6, 0.82),
    "diamond": lambda u, v: 0.75 * (np.abs(u) / 0.62 + np.abs(v) - 1),
    "star": _star,
    "flower": _lobes,
    "cross": lambda u, v: np.minimum(_box(u, v, 0.9, 0.3), _box(u, v, 0.3, 0.9)),
    "ring": lambda u, v: np.abs(np.hypot(u, v) - 0.66) - 0.25,
    "crescent": lambda u, v: np.maximum(_circle(u, v), -_circle(u - 0.45, v, 0.72)),
    "heart": _heart,
    "arrow": _arrow,
}
"""Signed distance, roughly: negative inside; `u` points right, `v` down, and the shape is within 1 of the middle."""


TEXTURES: dict[str, Callable[[Plane, Plane, float], Plane]] = {
    "plain": lambda u, _v, _f: np.full_like(u, -1.0),
    "striped": lambda _u, v, f: np.sin(f * v),
    "barred": lambda u, _v, f: np.sin(f * u),
    "checkered": lambda u, v, f: np.sin(f * u) * np.sin(f * v),
    "dotted": lambda u, v, f: 2 * np.cos(1.5 * f * u) + 2 * np.cos(1.5 * f * v) - 2.2,
    "ringed": lambda u, v, f: np.sin(f * np.hypot(u, v) + 1),
}
"""Positive where the second tone is; `f` is the frequency."""
