"""The training stream of the pocket model, rendered once to disk and read in augmented batches.

python -m lit_widget.video.pocket.training_data --out DIR --seed 1 --clips 2000
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from numpy.random import Generator
from torch import Tensor

from .architecture import IMAGE_SIZE
from .clips import training_clip

FRAMES = 12
MIN_AREA = 60
"""Smallest object, in pixels of the first frame, that becomes a target."""


@dataclass(frozen=True)
class Batch:
    """Targets of several clips; one clip gives several of them.

    Attributes:
        frames: (clips, t, 3, s, s) in [0, 1].
        targets: (targets, t, s, s).
        clip: (targets,) index of each target's clip.
    """

    frames: Float[Tensor, "b t 3 s s"]
    targets: Bool[Tensor, "n t s s"]
    clip: Int[Tensor, " n"]


def write_shard(out: Path, seed: int, clips: int) -> None:
    """Render `clips` training clips to `out/frames-SEED.npy` and `out/ids-SEED.npy`."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([20, seed])
    shape = (clips, FRAMES, IMAGE_SIZE, IMAGE_SIZE)
    frames = np.lib.format.open_memmap(out / f"frames-{seed}.partial", "w+", np.uint8, (*shape, 3))
    ids = np.lib.format.open_memmap(out / f"ids-{seed}.npy", "w+", np.uint8, shape)
    for index in range(clips):
        images, objects = training_clip(rng, frames=FRAMES, size=(IMAGE_SIZE, IMAGE_SIZE))
        frames[index], ids[index] = images.numpy(), objects.numpy()
    frames.flush()
    ids.flush()
    (out / f"frames-{seed}.partial").rename(out / f"frames-{seed}.npy")


class TrainingData:
    """Random, augmented batches from every finished shard of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.refresh()

    def refresh(self) -> int:
        """Look for new shards; returns the number of clips."""
        names = sorted(self._folder.glob("frames-*.npy"))
        self._shards = [
            (np.load(name, mmap_mode="r"), np.load(name.with_name(name.name.replace("frames", "ids")), mmap_mode="r"))
            for name in names
        ]
        return sum(len(frames) for frames, _ in self._shards)

    def batch(self, rng: Generator, clips: int, length: int, targets_per_clip: int) -> Batch:
        """Draw clips, cut them to `length` frames, augment them and pick visible objects as targets."""
        frames: list[Tensor] = []
        targets: list[Tensor] = []
        owner: list[int] = []
        sizes = np.array([len(shard) for shard, _ in self._shards])
        while len(frames) < clips:
            shard = int(rng.choice(len(sizes), p=sizes / sizes.sum()))
            index = int(rng.integers(sizes[shard]))
            stride = int(rng.integers(1, min(3, (FRAMES - 1) // max(length - 1, 1)) + 1))
            start = int(rng.integers(0, FRAMES - (length - 1) * stride))
            cut = slice(start, start + (length - 1) * stride + 1, stride)
            image, ids = augment(rng, self._shards[shard][0][index, cut], self._shards[shard][1][index, cut])
            area = torch.bincount(ids[0].flatten().long())
            visible = [number for number in range(1, len(area)) if area[number] >= MIN_AREA]
            if not visible:
                continue
            chosen = list(rng.permutation(visible))[:targets_per_clip]
            chosen += [rng.choice(visible) for _ in range(targets_per_clip - len(chosen))]
            targets += [ids == int(number) for number in chosen]
            owner += [len(frames)] * targets_per_clip
            frames.append(image)
        return Batch(torch.stack(frames), torch.stack(targets), torch.tensor(owner))


def augment(
    rng: Generator, frames: UInt8[np.ndarray, "t h w 3"], ids: UInt8[np.ndarray, "t h w"]
) -> tuple[Float[Tensor, "t 3 h w"], UInt8[Tensor, "t h w"]]:
    """Reverse, mirror, transpose, and change colours of a whole clip."""
    image = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255
    labels = torch.from_numpy(np.ascontiguousarray(ids))
    for axis in (0, -1, -2):
        if rng.random() < 0.5:
            image, labels = image.flip(axis), labels.flip(axis)
    if rng.random() < 0.5:
        image, labels = image.transpose(-1, -2), labels.transpose(-1, -2)
    image = image[:, torch.from_numpy(rng.permutation(3))]
    if rng.random() < 0.15:
        image = 1 - image
    if rng.random() < 0.5:
        grey = image.mean(1, keepdim=True)
        image = grey + (image - grey) * rng.uniform(0, 0.8)
    image = (image - 0.5) * rng.uniform(0.6, 1.15) + 0.5 + rng.uniform(-0.1, 0.1)
    return image.clamp(0, 1), labels


def main() -> None:
    """Render one shard from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clips", type=int, default=2000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    write_shard(arguments.out, arguments.seed, arguments.clips)


if __name__ == "__main__":
    main()
