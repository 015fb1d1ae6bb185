"""Scenes: actors, camera and background composed into frames with exact ground truth."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from numpy.random import Generator
from torch import Tensor

from .motion import Camera, Motion
from .sprites import Piece
from .textures import gaussian

EDGE = 2.5
"""How much steeper an object's border is drawn than its sprite's."""


@dataclass
class Actor:
    """One object of a scene: rigid pieces that share a motion, drawn in order."""

    pieces: list[Piece]
    motion: Motion
    becomes: Float[Tensor, "3 n n"] | None = None
    """Surface that the body's own turns into over the clip, when it does."""


@dataclass
class Scene:
    """Everything that `render` needs; actors are drawn first to last, the last in front."""

    background: Float[Tensor, "3 n n"]
    camera: Camera
    actors: list[Actor]
    noise: float
    flicker: Float[Tensor, " t"]
    blur: float = 0.0
    order: list[int] = field(default_factory=list)

    def every(self, step: int) -> Scene:
        """The same scene filmed at one frame in `step`: everything moves `step` times as far between frames."""
        actors = [
            replace(a, pieces=[p.every(step) for p in a.pieces], motion=a.motion.every(step)) for a in self.actors
        ]
        return replace(self, actors=actors, camera=self.camera.every(step), flicker=self.flicker[::step])


def pixel_grid(height: int, width: int) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
    """Coordinates of pixel centres in units of half the height, (0, 0) in the middle."""
    y = (torch.arange(height) + 0.5) / height * 2 - 1
    x = ((torch.arange(width) + 0.5) / width * 2 - 1) * (width / height)
    yy, xx = torch.meshgrid(y, x, indexing="ij")
    return xx, yy


def piece_coordinates(piece: Piece, uv: Float[Tensor, "t h w 2"], motion: Motion) -> Float[Tensor, "t h w 2"]:
    """The body's coordinates seen from one of its pieces: moved to its joint, turned, scaled."""
    t = torch.arange(len(uv), dtype=torch.float32)
    if piece.half is not None:
        angle, start, speed, farthest = piece.half
        apart = ((t - start).clamp(min=0) * speed).clamp(max=farthest) / (motion.extent * motion.scale)
        return uv - apart[:, None, None, None] * torch.tensor([math.cos(angle), math.sin(angle)])
    if piece.size == 1.0 and piece.anchor == (0.0, 0.0):
        return uv
    amplitude, rate, phase = piece.swing
    angles = phase + amplitude * torch.sin(rate * t + phase)
    cos, sin = torch.cos(angles)[:, None, None], torch.sin(angles)[:, None, None]
    u, v = uv[..., 0] - piece.anchor[0], uv[..., 1] - piece.anchor[1]
    return torch.stack([(cos * u + sin * v) / piece.size, (-sin * u + cos * v) / piece.size], -1)


def sample(image: Float[Tensor, "c n n"], uv: Float[Tensor, "t h w 2"], padding: str) -> Float[Tensor, "t c h w"]:
    """Sample one image at `uv` in [-1, 1] for every frame."""
    return F.grid_sample(image[None].expand(len(uv), -1, -1, -1), uv, padding_mode=padding, align_corners=False)


def draw_piece(
    piece: Piece, actor: Actor, uv: Float[Tensor, "t h w 2"]
) -> tuple[Float[Tensor, "t 3 h w"], Float[Tensor, "t 1 h w"], Bool[Tensor, "t h w"]]:
    """Colour, opacity and part mask of one piece in every frame."""
    own = piece_coordinates(piece, uv, actor.motion)
    drawn = sample(piece.sprite, own, "zeros")
    colour, opacity = drawn[:, :3], drawn[:, 3:4]
    t = torch.arange(len(uv), dtype=torch.float32)
    if piece.half is not None:
        angle, start, _, _ = piece.half
        side = torch.sigmoid(20 * (math.cos(angle) * own[..., 0] + math.sin(angle) * own[..., 1]))[:, None]
        opacity = torch.where((t >= start)[:, None, None, None], opacity * side, opacity)
    if actor.becomes is not None:
        share = 0.9 * (t / max(len(t) - 1, 1))[:, None, None, None]
        colour = colour * (1 - share) + sample(actor.becomes, own, "border") * share
    return colour, ((opacity - 0.5) * EDGE + 0.5).clamp(0, 1), drawn[:, 4] > 0.5


def window(actor: Actor, x: Tensor, y: Tensor) -> tuple[slice, slice]:
    """The rows and columns that the actor can touch in any frame, so that the rest is not computed."""
    motion = actor.motion
    radius = float(1.7 * motion.extent * motion.scale.max() * max(motion.aspect, 1 / motion.aspect))
    radius += max((piece.half[3] for piece in actor.pieces if piece.half), default=0.0)
    low, high = motion.position.min(0).values - radius, motion.position.max(0).values + radius
    rows = ((y[:, 0] > low[1]) & (y[:, 0] < high[1])).nonzero()[:, 0]
    columns = ((x[0] > low[0]) & (x[0] < high[0])).nonzero()[:, 0]
    if not len(rows) or not len(columns):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def seen(motion: Motion, camera: Camera) -> Motion:
    """The motion as it appears through the camera."""
    return Motion(
        (motion.position - camera.offset) * camera.zoom[:, None],
        motion.angle,
        motion.scale * camera.zoom,
        motion.extent,
        motion.aspect,
        motion.warp,
    )


def render(
    rng: Generator, scene: Scene, height: int, width: int
) -> tuple[UInt8[Tensor, "t h w 3"], UInt8[Tensor, "t h w"]]:
    """Draw a scene.

    Returns:
        The frames, and per pixel 0 for background or `1 + 2 * actor + part`, the actor counted in
        the order of `scene.actors`.
    """
    frames = len(scene.flicker)
    x, y = pixel_grid(height, width)
    camera = scene.camera
    view = torch.stack([x, y], -1)[None] / camera.zoom[:, None, None, None] + camera.offset[:, None, None]
    image = sample(scene.background, view * 0.55, "reflection")
    ids = torch.zeros(frames, height, width, dtype=torch.uint8)
    for index in scene.order or range(len(scene.actors)):
        actor = scene.actors[index]
        actor = Actor(actor.pieces, seen(actor.motion, camera), actor.becomes)
        rows, columns = window(actor, x, y)
        if rows.stop == rows.start:
            continue
        uv = actor.motion.local(x[rows, columns], y[rows, columns])
        for piece in actor.pieces:
            colour, opacity, part = draw_piece(piece, actor, uv)
            patch = image[:, :, rows, columns]
            image[:, :, rows, columns] = patch + (colour - patch) * opacity
            label = (1 + 2 * index + part.to(torch.uint8)).to(torch.uint8)
            ids[:, rows, columns] = torch.where(opacity[:, 0] > 0.5, label, ids[:, rows, columns])
    if scene.blur > 0:
        image = image * (1 - scene.blur) + scene.blur * F.avg_pool2d(image, 3, 1, 1, count_include_pad=False)
    image = image * scene.flicker[:, None, None, None] + scene.noise * gaussian(rng, *image.shape)
    return (image.clamp(0, 1) * 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous(), ids
