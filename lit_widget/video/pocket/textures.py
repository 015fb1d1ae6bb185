"""Procedural textures: the surfaces of the embedded videos, each an RGB image drawn from a generator."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from numpy.random import Generator
from torch import Tensor

OCTAVES = (2, 4, 8, 16, 32, 64)


def grid(n: int) -> tuple[Float[Tensor, "n n"], Float[Tensor, "n n"]]:
    """Coordinates (x, y) in [-1, 1] of the pixels of an `n` x `n` image."""
    line = torch.linspace(-1, 1, n)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return x, y


def colour(rng: Generator) -> Float[Tensor, "3 1 1"]:
    """A random colour: mostly muted, as in photographs, sometimes vivid."""
    grey = rng.uniform(0.05, 0.95)
    spread = rng.choice([0.1, 0.25, 0.5], p=[0.35, 0.4, 0.25])
    rgb = np.clip(grey + rng.uniform(-spread, spread, 3), 0.02, 0.98)
    return torch.tensor(rgb, dtype=torch.float32)[:, None, None]


def gaussian(rng: Generator, *shape: int) -> Tensor:
    """Standard normal float32 noise, reproducible from `rng` alone."""
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def fractal(rng: Generator, n: int, channels: int = 3) -> Float[Tensor, "channels n n"]:
    """Noise whose spectrum falls like that of natural images, with a random slope and unit deviation."""
    fall = rng.uniform(0.45, 0.95)
    total = torch.zeros(channels, n, n)
    for octave, side in enumerate(OCTAVES):
        coarse = gaussian(rng, 1, channels, side, side)
        fine = F.interpolate(coarse, size=(n, n), mode="bicubic", align_corners=False)[0]
        total += fine * fall**octave
    return total / total.std().clamp(min=1e-6)


def cells(rng: Generator, n: int) -> Float[Tensor, "3 n n"]:
    """A mosaic of irregular flat cells: clutter with occlusion-like edges (after 'dead leaves' images)."""
    count = int(rng.integers(6, 60))
    x, y = grid(n)
    wobble = 0.15 * fractal(rng, n, 2)
    seeds = torch.from_numpy(rng.uniform(-1, 1, (count, 2)).astype(np.float32))
    distance = (x + wobble[0])[None].sub(seeds[:, 0, None, None]) ** 2
    distance += (y + wobble[1])[None].sub(seeds[:, 1, None, None]) ** 2
    colours = torch.cat([colour(rng) for _ in range(count)], dim=2)[:, 0]
    return colours[:, distance.argmin(0)]


def pattern(rng: Generator, n: int) -> Float[Tensor, "3 n n"]:
    """Two colours arranged as stripes, checks, spots or a gradient."""
    first, second = colour(rng), colour(rng)
    x, y = grid(n)
    angle, frequency = rng.uniform(0, math.pi), rng.uniform(5, 18)
    p = math.cos(angle) * x + math.sin(angle) * y
    q = -math.sin(angle) * x + math.cos(angle) * y
    choice = rng.integers(4)
    if choice == 0:
        weight = torch.sigmoid(12 * (torch.sin(frequency * p) - rng.uniform(-0.5, 0.5)))
    elif choice == 1:
        weight = torch.sigmoid(20 * torch.sin(frequency * p) * torch.sin(frequency * q))
    elif choice == 2:
        weight = torch.sigmoid(12 * (torch.sin(frequency * p) + torch.sin(frequency * q) - rng.uniform(0.5, 1.3)))
    else:
        weight = (0.5 + 0.5 * p).clamp(0, 1)
    return first * weight + second * (1 - weight)


def texture(rng: Generator, n: int) -> Float[Tensor, "3 n n"]:
    """One surface: plain, patterned or cellular, with fractal grain and a soft light across it."""
    choice = rng.choice(3, p=[0.5, 0.3, 0.2])
    if choice == 0:
        base = colour(rng) + rng.uniform(0.02, 0.22) * fractal(rng, n)
    elif choice == 1:
        base = pattern(rng, n) + rng.uniform(0.01, 0.1) * fractal(rng, n)
    else:
        base = cells(rng, n) + rng.uniform(0.01, 0.08) * fractal(rng, n)
    x, y = grid(n)
    angle = rng.uniform(0, 2 * math.pi)
    light = 1 + rng.uniform(0, 0.35) * (math.cos(angle) * x + math.sin(angle) * y)
    return (base * light).clamp(0, 1)


def leaves(rng: Generator, n: int) -> Float[Tensor, "3 n n"]:
    """Clutter as in photographs: opaque shapes of every size over one another ('dead leaves', Lee et al. 2001).

    Sizes follow a power law, colours keep to one muted palette, and every leaf has a grain of its own.
    """
    base = colour(rng)
    image = base + rng.uniform(0.02, 0.15) * fractal(rng, n, 1)
    grain = fractal(rng, n, 1)[0]
    smallest, spread = rng.uniform(2, 5), rng.uniform(0.08, 0.3)
    for _ in range(int(rng.integers(40, 250))):
        radius = smallest / (1 - rng.random() * (1 - (smallest / (n / 3)) ** 2)) ** 0.5
        stretch, angle = math.exp(rng.uniform(-0.9, 0.9)), rng.uniform(0, math.pi)
        reach = math.ceil(radius * max(stretch, 1 / stretch)) + 1
        cx, cy = rng.uniform(0, n, 2)
        rows = slice(max(0, int(cy) - reach), int(cy) + reach + 1)
        columns = slice(max(0, int(cx) - reach), int(cx) + reach + 1)
        y = torch.arange(n, dtype=torch.float32)[rows, None] - cy
        x = torch.arange(n, dtype=torch.float32)[None, columns] - cx
        u = (math.cos(angle) * x + math.sin(angle) * y).abs() / stretch
        v = (math.cos(angle) * y - math.sin(angle) * x).abs() * stretch
        inside = (u * u + v * v).sqrt() if rng.random() < 0.5 else torch.maximum(u, v)
        opacity = (radius - inside + 0.5).clamp(0, 1)
        tint = base + rng.normal() * spread + 0.4 * spread * gaussian(rng, 3, 1, 1)
        leaf = tint + rng.uniform(0, 0.12) * grain[rows, columns]
        image[:, rows, columns] += (leaf - image[:, rows, columns]) * opacity
    return image.clamp(0, 1)
