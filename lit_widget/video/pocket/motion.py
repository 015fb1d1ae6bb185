"""Motion: how objects and the camera of an embedded video move, one value per frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.random import Generator
from torch import Tensor


@dataclass
class Motion:
    """Pose of one object over `t` frames, in units of half the image height.

    Attributes:
        position: (t, 2) centre, x to the right and y down, (0, 0) the middle of the image.
        angle: (t,) rotation in radians.
        scale: (t,) size relative to `extent`.
        extent: half the side of the sprite.
        aspect: stretch of the body along its own x.
        warp: (amplitude, frequency x, frequency y, phase x, phase y, drift x, drift y) of the bending.
    """

    position: Float[Tensor, "t 2"]
    angle: Float[Tensor, " t"]
    scale: Float[Tensor, " t"]
    extent: float
    aspect: float
    warp: tuple[float, float, float, float, float, float, float]

    def local(self, x: Float[Tensor, "h w"], y: Float[Tensor, "h w"]) -> Float[Tensor, "t h w 2"]:
        """Image coordinates seen from the object, for every frame: its body lies within [-1, 1]."""
        dx = x[None] - self.position[:, 0, None, None]
        dy = y[None] - self.position[:, 1, None, None]
        cos, sin = torch.cos(self.angle)[:, None, None], torch.sin(self.angle)[:, None, None]
        size = (self.extent * self.scale)[:, None, None]
        u = (cos * dx + sin * dy) / (size * self.aspect)
        v = (-sin * dx + cos * dy) / (size / self.aspect)
        amplitude, fx, fy, px, py, wx, wy = self.warp
        t = torch.arange(len(self.angle))[:, None, None]
        u = u + amplitude * torch.sin(fx * v + px + wx * t)
        v = v + amplitude * torch.sin(fy * u + py + wy * t)
        return torch.stack([u, v], -1)

    def every(self, step: int) -> Motion:
        """The same motion filmed at one frame in `step`."""
        amplitude, fx, fy, px, py, wx, wy = self.warp
        return Motion(
            self.position[::step],
            self.angle[::step],
            self.scale[::step],
            self.extent,
            self.aspect,
            (amplitude, fx, fy, px, py, wx * step, wy * step),
        )


def wander(
    rng: Generator,
    frames: int,
    *,
    speed: float = 1.0,
    extent: float | None = None,
    reach: tuple[float, float] = (0.72, 0.72),
    bend: float = 0.14,
) -> Motion:
    """A smooth random walk that turns back at the border of `reach`.

    Args:
        rng: source of all randomness.
        frames: number of frames.
        speed: 0 stands still, 1 crosses the image in about 40 frames.
        extent: half the sprite's side; drawn when `None`.
        reach: largest |x| and |y| of the centre; above 1 the object may leave the image.
        bend: largest amplitude of the bending.
    """
    place = rng.uniform(-0.8, 0.8, 2) * np.minimum(reach, 0.9)
    velocity = rng.normal(size=2) * 0.045 * speed
    pull = rng.normal(size=2) * 0.004 * speed
    angle, turn = rng.uniform(0, 2 * math.pi), rng.normal() * 0.06 * speed
    scale, growth = 1.0, rng.normal() * 0.012 * speed
    positions, angles, scales = [], [], []
    for _ in range(frames):
        positions.append(place.copy())
        angles.append(angle)
        scales.append(scale)
        velocity = np.clip(velocity + pull + rng.normal(size=2) * 0.005 * speed, -0.13, 0.13)
        place = place + velocity
        for axis in range(2):
            if abs(place[axis]) > reach[axis]:
                velocity[axis] *= -1
                pull[axis] *= -1
                place[axis] = np.clip(place[axis], -reach[axis], reach[axis])
        angle += turn
        scale *= 1 + growth
        if not 0.6 < scale < 1.6:
            growth = -growth
            scale = float(np.clip(scale, 0.6, 1.6))
    warp = (rng.uniform(0, bend), *rng.uniform(2, 4, 2), *rng.uniform(0, 2 * math.pi, 2), *rng.normal(size=2) * 0.15)
    return Motion(
        torch.tensor(np.array(positions), dtype=torch.float32),
        torch.tensor(angles, dtype=torch.float32),
        torch.tensor(scales, dtype=torch.float32),
        rng.uniform(0.26, 0.52) if extent is None else extent,
        math.exp(rng.uniform(-0.25, 0.25)),
        warp,
    )


@dataclass(frozen=True)
class Camera:
    """Where the camera looks: `offset` (t, 2) and `zoom` (t,), in units of half the image height."""

    offset: Float[Tensor, "t 2"]
    zoom: Float[Tensor, " t"]

    def every(self, step: int) -> Camera:
        """The same course filmed at one frame in `step`."""
        return Camera(self.offset[::step], self.zoom[::step])


def film(rng: Generator, frames: int, *, travel: float) -> Camera:
    """A camera that drifts, sways and zooms; `travel` 0 is a tripod."""
    t = torch.arange(frames, dtype=torch.float32)
    drift = torch.tensor(rng.normal(size=2) * 0.012 * travel, dtype=torch.float32)
    sway = torch.stack(
        [
            rng.uniform(0, 0.06) * travel * torch.sin(t * rng.uniform(0.1, 0.6) + rng.uniform(0, 2 * math.pi))
            for _ in range(2)
        ],
        -1,
    )
    shake = torch.tensor(rng.normal(size=(frames, 2)) * 0.004 * travel, dtype=torch.float32)
    zoom = torch.exp(0.12 * travel * rng.uniform() * torch.sin(t * rng.uniform(0.02, 0.12) + rng.uniform(0, 6.28)))
    return Camera(drift * t[:, None] + sway + shake, zoom)
