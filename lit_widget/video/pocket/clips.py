"""The embedded data set: deterministic clips by kind and seed, and the stream that the model trains on.

Every kind isolates one way in which trackers fail. Kinds in `HELD_OUT` never occur in training, so
that the shipped model meets them as a real tracker meets a new domain.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from numpy.random import Generator
from torch import Tensor

from .motion import Motion, film, wander
from .scene import Actor, Scene, render
from .sprites import SPRITE, Piece, alike, attached, halved, limbs, whole
from .textures import colour, fractal, leaves, texture

KINDS: dict[str, str] = {
    "easy": "one object that stands out from a plain background, few neighbours",
    "deformation": "a bending, limbed body whose surface slowly changes",
    "occlusion": "another object passes in front and the target reappears",
    "distractor": "look-alikes cross its path",
    "camouflage": "its surface is cut from the background",
    "tiny": "it covers less than about one per cent of the frame",
    "split": "it breaks in two halves; both remain the target",
    "part": "the target is the smaller side, or the core, of a body whose surface hardly tells them apart",
    "leak": "the target is the smaller of two shapes of nearly one surface that move as one",
    "union": "the target is two objects that move together",
}
"""Every kind with one line of explanation."""

PARTIAL = ("part", "leak")
"""Kinds whose target belongs to a larger body."""

HELD_OUT = ("split", "part", "leak", "union")
"""Kinds absent from training."""

SIZE = (192, 256)
"""Default (height, width) of an embedded clip in pixels."""

EXTENT = {"tiny": (0.075, 0.13), "part": (0.49, 0.74), "leak": (0.49, 0.74)}
"""Half the side of the target's sprite, in half image heights, where it is not the usual."""

PART_OF_BODY = (0.15, 0.4)
"""Share of its body that the target of `part` and `leak` covers at first: whoever follows the whole body is wrong."""

ATTEMPTS = 200
"""Scenes that are drawn at most until one shows its target well."""

BODY = [1, 2]
"""Labels of the first actor's pixels: of its marked part the second."""

_BACKGROUND = 224
_DISTINCT = 0.3
"""Least difference of the mean colour from the background, in the channel where it is largest, of an easy object."""


@dataclass(frozen=True)
class Clip:
    """A procedural clip with exact ground truth.

    Attributes:
        frames: (t, h, w, 3) RGB.
        target: (t, h, w) where the target is visible.
        kind: one of `KINDS`.
        seed: the seed it was made from.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    target: Bool[np.ndarray, "t h w"]
    kind: str
    seed: int


def embedded_clip(kind: str, seed: int, *, frames: int = 48, size: tuple[int, int] = SIZE) -> Clip:
    """Make one clip of the embedded data set; equal arguments give equal pixels.

    Args:
        kind: one of `KINDS`.
        seed: any non-negative integer.
        frames: number of frames.
        size: (height, width) in pixels.

    Returns:
        Its `frames`, (T, H, W, 3) uint8, and `target`, (T, H, W) bool: the masks of the object to follow.

    Raises:
        ValueError: if `kind` is unknown, `seed` is negative, or there would be nothing to see.

    Example:
        ```python
        clip = embedded_clip("distractor", 315)
        w = LITWidget(clip.frames)
        ```
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of embedded clip {kind!r}; choose one of {', '.join(KINDS)}")
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"the seed of an embedded clip is a whole number from 0 on, got {seed!r}")
    if frames < 1 or min(size) < 1:
        raise ValueError(f"an embedded clip needs frames and pixels, got {frames} frames of {size[0]} x {size[1]}")
    rng = np.random.default_rng([zlib.crc32(kind.encode()), seed])
    for _ in range(ATTEMPTS):
        scene, labels = _evaluation_scene(rng, kind, frames, size)
        images, ids = render(rng, scene, *size)
        target = _of(ids, labels)
        if kind in PARTIAL and not _much_smaller(target[0], _of(ids[0], BODY)):
            continue
        if _usable(target, tiny=kind == "tiny"):
            return Clip(images.numpy(), target.numpy(), kind, seed)
    raise ValueError(
        f"no {kind} clip of {frames} frames of {size[0]} x {size[1]} pixels shows its target well; ask for more of both"
    )


def training_clip(
    rng: Generator, *, frames: int, size: tuple[int, int]
) -> tuple[UInt8[Tensor, "t h w 3"], UInt8[Tensor, "t h w"]]:
    """Make one clip of the training stream.

    Returns:
        The frames and, per pixel, 0 for background or the number of the whole object.
    """
    step = int(rng.choice([1, 2, 3], p=[0.4, 0.35, 0.25]))
    images, ids = render(rng, _training_scene(rng, frames * step, size).every(step), *size)
    return images, (ids + 1) // 2


def _of(ids: UInt8[Tensor, "*t h w"], labels: list[int]) -> Bool[Tensor, "*t h w"]:
    """Where one of the labels is."""
    return torch.isin(ids, torch.tensor(labels, dtype=torch.uint8))


def _much_smaller(target: Bool[Tensor, "h w"], body: Bool[Tensor, "h w"]) -> bool:
    """Whether the target is a small part of its body, but not a negligible one."""
    low, high = PART_OF_BODY
    return low < int(target.sum()) / max(int(body.sum()), 1) < high


def _usable(target: Bool[Tensor, "t h w"], *, tiny: bool) -> bool:
    """Whether the target starts at a sensible size and is visible most of the time."""
    area = target.flatten(1).float().mean(1)
    low, high = (0.0015, 0.012) if tiny else (0.012, 0.35)
    return low < float(area[0]) < high and float((area > low / 2).float().mean()) > 0.6


def _background(rng: Generator, kind: str = "") -> Tensor:
    """Any texture, or for the easy kind one colour with a little grain."""
    if kind == "easy":
        return (colour(rng) + 0.06 * fractal(rng, _BACKGROUND)).clamp(0, 1)
    return texture(rng, _BACKGROUND)


def _distinct(rng: Generator, background: Tensor) -> Tensor:
    """A body whose mean colour is far from the background's."""
    while True:
        sprite = whole(rng)
        difference = sprite[:3].mean((1, 2)) - background.mean((1, 2))
        if float(difference.abs().max()) > _DISTINCT:
            return sprite


def _surroundings(rng: Generator, frames: int, travel: float) -> dict:
    """What a scene has beside its actors."""
    t = torch.arange(frames, dtype=torch.float32)
    pulse = torch.sin(t * rng.uniform(0.02, 0.2) + rng.uniform(0, 6.28))
    return {
        "camera": film(rng, frames, travel=travel),
        "flicker": 1 + 0.15 * rng.uniform(-1, 1) * pulse,
        "noise": rng.uniform(0.005, 0.025),
        "blur": float(rng.choice([0.0, 0.8], p=[0.7, 0.3])),
    }


def _camouflaged(rng: Generator, background: Tensor) -> Tensor:
    """A surface cut from the background, a little brighter or darker."""
    x, y = rng.integers(0, _BACKGROUND - SPRITE, 2)
    cut = background[:, y : y + SPRITE, x : x + SPRITE] * rng.uniform(0.88, 1.12)
    return (cut + 0.07 * fractal(rng, SPRITE)).clamp(0, 1)


def _look_alike(rng: Generator, sprite: Tensor) -> Tensor:
    """The same sprite, or its surface on another shape, or a tinted copy."""
    choice = rng.random()
    if choice < 0.35:
        return sprite
    tint = 1.0 if choice < 0.7 else rng.uniform(0.8, 1.2)
    return whole(rng, (sprite[:3] * tint).clamp(0, 1), sprite[3] if rng.random() < 0.5 else None)


def _crossing(rng: Generator, target: Motion, frames: int) -> Motion:
    """The motion of something in front that covers the target in the middle of its course."""
    meet = int(rng.integers(frames // 4, max(frames // 4 + 1, frames // 2)))
    motion = wander(rng, frames, speed=0.0, extent=target.extent * rng.uniform(0.9, 1.4))
    angle, pace = rng.uniform(0, 2 * math.pi), rng.uniform(0.04, 0.09)
    heading = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float32)
    t = torch.arange(frames, dtype=torch.float32)[:, None] - meet
    motion.position = target.position[meet] + heading * pace * t
    return motion


def _halves(rng: Generator, sprite: Tensor, start: int) -> list[Piece]:
    """Two pieces of one body that drift apart from frame `start`."""
    angle, speed, farthest = rng.uniform(0, 2 * math.pi), rng.uniform(0.02, 0.05), rng.uniform(0.25, 0.5)
    return [Piece(sprite, half=(a, start, speed, farthest)) for a in (angle, angle + math.pi)]


def _companion(rng: Generator, leader: Motion, frames: int) -> Motion:
    """A motion that keeps touching `leader`."""
    motion = wander(rng, frames, extent=leader.extent * rng.uniform(0.6, 0.9))
    bearing, distance = rng.uniform(0, 2 * math.pi), leader.extent * 0.85
    around = torch.stack([torch.cos(leader.angle + bearing), torch.sin(leader.angle + bearing)], -1)
    motion.position = leader.position + distance * around * leader.scale[:, None]
    return motion


def _target(rng: Generator, kind: str, motion: Motion, background: Tensor) -> tuple[Actor, list[int]]:
    """The actor that a kind is about, and the labels of its pixels that count."""
    if kind in PARTIAL:
        sprite = (halved if kind == "part" else attached)(rng, alike)
    elif kind == "camouflage":
        sprite = whole(rng, _camouflaged(rng, background))
    else:
        sprite = _distinct(rng, background) if kind == "easy" else whole(rng)
    target = Actor([Piece(sprite)], motion)
    labels = BODY
    if kind == "split":
        target.pieces = _halves(rng, sprite, int(rng.integers(4, 12)))
    elif kind == "deformation":
        target.pieces = [*limbs(rng), *target.pieces]
        target.becomes = texture(rng, SPRITE)
    elif kind == "part":
        labels = [1] if rng.random() < 0.5 else [2]
    elif kind == "leak":
        labels = [2]
    return target, labels


def _evaluation_scene(rng: Generator, kind: str, frames: int, size: tuple[int, int]) -> tuple[Scene, list[int]]:
    """One scene of a kind, and the labels that make up its target (the first actor, and its companion)."""
    background = _background(rng, kind)
    reach = (0.72 * size[1] / size[0], 0.72)
    speed = rng.uniform(0.4, 1.0)
    extent = rng.uniform(*EXTENT.get(kind, (0.36, 0.55)))
    motion = wander(rng, frames, speed=speed, extent=extent, reach=reach, bend=0.3 if kind == "deformation" else 0.14)
    target, labels = _target(rng, kind, motion, background)
    sprite = target.pieces[-1].sprite
    behind, front = [], []
    for _ in range(int(rng.integers(0, 3))):
        other = Actor([Piece(whole(rng))], wander(rng, frames, speed=speed, reach=reach))
        (behind if rng.random() < 0.7 else front).append(other)
    if kind == "distractor":
        for _ in range(int(rng.integers(1, 3))):
            twin = wander(rng, frames, speed=speed, extent=extent * rng.uniform(0.75, 1.15), reach=reach)
            (behind if rng.random() < 0.5 else front).append(Actor([Piece(_look_alike(rng, sprite))], twin))
    if kind == "occlusion":
        front.append(Actor([Piece(whole(rng))], _crossing(rng, motion, frames)))
    team = [target]
    if kind == "union":
        team.append(Actor([Piece(whole(rng))], _companion(rng, motion, frames)))
        labels = [1, 2, 3, 4]
    first_front = len(team) + len(behind)
    order = [*range(len(team), first_front), *range(len(team)), *range(first_front, first_front + len(front))]
    surroundings = _surroundings(rng, frames, rng.uniform(0.0, 0.6))
    return Scene(background, actors=[*team, *behind, *front], order=order, **surroundings), labels


def _training_scene(rng: Generator, frames: int, size: tuple[int, int]) -> Scene:
    """A crowded scene of whole objects: everything but the held-out kinds."""
    background = leaves(rng, _BACKGROUND) if rng.random() < 0.5 else _background(rng)
    aspect = size[1] / size[0]
    speed = rng.uniform(0.3, 2.2)

    def reach() -> tuple[float, float]:
        far = 1.25 if rng.random() < 0.25 else 0.75
        return far * aspect, far

    def body() -> list[Piece]:
        make = rng.choice([0, 1, 2], p=[0.5, 0.27, 0.23])
        choice = rng.random()
        surface = leaves(rng, SPRITE) if choice < 0.25 else _camouflaged(rng, background) if choice < 0.35 else None
        sprite = (whole(rng, surface), halved, attached)[make]
        pieces = [Piece(sprite if make == 0 else sprite(rng))]
        return [*limbs(rng), *pieces] if rng.random() < 0.25 else pieces

    def path() -> Motion:
        extent = math.exp(rng.uniform(math.log(0.1), math.log(0.6)))
        pace = 0.0 if rng.random() < 0.15 else speed
        motion = wander(rng, frames, speed=pace, extent=extent, reach=reach(), bend=0.2)
        motion.aspect *= math.exp(rng.uniform(-0.3, 0.3))
        return motion

    actors = [Actor(body(), path()) for _ in range(int(rng.integers(2, 6)))]
    if rng.random() < 0.1:
        actors[0].becomes = texture(rng, SPRITE)
    if rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 3))):
            twin = wander(rng, frames, speed=speed, extent=actors[0].motion.extent * rng.uniform(0.75, 1.2))
            twin.position = twin.position + rng.uniform(0, 0.5) * (actors[0].motion.position - twin.position)
            actors.append(Actor([Piece(_look_alike(rng, actors[0].pieces[-1].sprite))], twin))
    order = list(rng.permutation(len(actors)))
    if rng.random() < 0.35:
        actors.append(Actor([Piece(whole(rng))], _crossing(rng, actors[0].motion, frames)))
        order.append(len(actors) - 1)
    if rng.random() < 0.2:
        for _ in range(int(rng.integers(1, 5))):
            pole = wander(rng, frames, speed=0.0, extent=rng.uniform(0.4, 0.9), reach=reach())
            pole.aspect = rng.uniform(0.1, 0.25)
            actors.append(Actor([Piece(whole(rng))], pole))
            order.append(len(actors) - 1)
    return Scene(
        background, actors=actors, order=[int(i) for i in order], **_surroundings(rng, frames, rng.uniform(0, 1.6))
    )
