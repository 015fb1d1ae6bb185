"""Train the pocket model from scratch on procedural clips, on CPU cores alone, resumable at any moment.

    python -m lit_widget.video.pocket.train --data DIR --out DIR --minutes 110 --processes 2

Processes share the work by averaging gradients, one thread each. Stopping and starting again continues
from the last checkpoint; the schedule counts minutes of training, not of the calendar.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch import nn

from .architecture import HIDDEN_DIM, build_pocket
from .training_data import TrainingData
from .training_steps import PixelAffinity, Score, image_step, video_step

CHECKPOINT_S = 120
LOG_S = 60


@dataclass(frozen=True)
class Phase:
    """A part of the schedule: until which share of the time, clip length (1: images), clips or images per process."""

    until: float
    length: int
    batch: int


PHASES = (Phase(0.27, 1, 6), Phase(0.47, 3, 4), Phase(0.72, 5, 3), Phase(0.88, 8, 2), Phase(1.0, 12, 1))
IMAGES_END = PHASES[0].until


def learning_rate(share: float, iteration: int, peak: float) -> float:
    """Warm-up over 100 iterations, level for 45 % of the time, then a cosine down to 3 % of the peak."""
    decay = max(0.0, share - 0.45) / 0.55
    return peak * min(1.0, (iteration + 1) / 100) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * decay)))


def average_gradients(parameters: list[nn.Parameter]) -> None:
    """Make every process hold the mean gradient; parameters unused in this step count as zero."""
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    if dist.get_world_size() == 1:
        return
    flat = torch.cat([parameter.grad.flatten() for parameter in parameters])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    offset = 0
    for parameter in parameters:
        parameter.grad.copy_(flat[offset : offset + parameter.numel()].view_as(parameter))
        offset += parameter.numel()


class Trainer:
    """Everything that a checkpoint holds."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        torch.manual_seed(arguments.seed)
        self.arguments = arguments
        self.model = build_pocket().train()
        self.average = copy.deepcopy(self.model)
        self.affinity = PixelAffinity((HIDDEN_DIM // 8, HIDDEN_DIM // 4, HIDDEN_DIM))
        self.parameters = [*self.model.parameters(), *self.affinity.parameters()]
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=arguments.lr, weight_decay=0.01, betas=(0.9, 0.98), fused=True
        )
        self.iteration, self.seconds = 0, 60 * arguments.start_minute
        self.path = arguments.out / "checkpoint.pt"
        if self.path.exists():
            self.load()
        elif arguments.init is not None:
            weights = {name: tensor.float() for name, tensor in load_file(arguments.init).items()}
            self.model.load_state_dict(weights)
            self.average.load_state_dict(weights)

    def load(self) -> None:
        """Continue from the checkpoint on disk."""
        state = torch.load(self.path, weights_only=True)
        for name in ("model", "average", "affinity", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.iteration, self.seconds = state["iteration"], state["seconds"]

    def save(self) -> None:
        """Write the checkpoint, all or nothing."""
        state = {name: getattr(self, name).state_dict() for name in ("model", "average", "affinity", "optimizer")}
        state |= {"iteration": self.iteration, "seconds": self.seconds}
        torch.save(state, self.path.with_suffix(".tmp"))
        self.path.with_suffix(".tmp").replace(self.path)

    def export(self, path: Path) -> None:
        """Write the weights to ship."""
        state = {name: tensor.half().contiguous() for name, tensor in self.average.state_dict().items()}
        save_file(state, path)
        print(f"{path}: {self.iteration} iterations, {self.seconds / 60:.0f} minutes")

    def forward(self, data: TrainingData, plan: np.random.Generator, rng: np.random.Generator, share: float) -> Score:
        """One step of the phase that `share` of the training time lies in; `plan` is equal in all processes."""
        phase = next(phase for phase in PHASES if share < phase.until)
        if phase.length == 1 or plan.random() < 0.1:
            weight = max(0.0, 1 - share / IMAGES_END)
            return image_step(
                self.model, data, rng, plan, images=PHASES[0].batch, affinity=self.affinity, affinity_weight=weight
            )
        true_memory = max(0.0, 0.6 * (1 - (share - IMAGES_END) / (0.4 * (1 - IMAGES_END))))
        return video_step(self.model, data, rng, plan, clips=phase.batch, length=phase.length, true_memory=true_memory)

    def update(self, score: Score, share: float) -> None:
        """One optimizer step and one step of the weight average."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(share, self.iteration, self.arguments.lr)
        self.optimizer.zero_grad()
        score.loss.backward()
        average_gradients(self.parameters)
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.iteration += 1
        decay = min(0.998, (1 + self.iteration) / (10 + self.iteration))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - decay)


def run(rank: int, arguments: argparse.Namespace) -> None:
    """The training loop of one process."""
    torch.set_num_threads(1)
    store = dist.FileStore(str(arguments.out / "rendezvous"), arguments.processes)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=arguments.processes)
    trainer = Trainer(arguments)
    plan = np.random.default_rng([1, trainer.iteration])
    rng = np.random.default_rng([2, rank, trainer.iteration])
    torch.manual_seed(int(rng.integers(2**31)))
    data = TrainingData(arguments.data)
    last = saved = time.monotonic()
    logged, history = last, []
    while True:
        now = time.monotonic()
        trainer.seconds, last = trainer.seconds + now - last, now
        clock = torch.tensor(trainer.seconds)
        dist.broadcast(clock, 0)
        share = float(clock) / 60 / arguments.minutes
        if share >= 1:
            break
        score = trainer.forward(data, plan, rng, share)
        trainer.update(score, share)
        history.append((float(score.loss.detach()), score.iou_single, score.iou_best))
        if rank == 0 and now - logged > LOG_S:
            loss, single, best = np.mean(history[-60:], 0)
            print(
                f"{trainer.seconds / 60:.1f} min, iteration {trainer.iteration}, {share:.0%}: loss {loss:.3f}, "
                f"IoU {single:.3f}, best of three {best:.3f}, clips {data.refresh()}",
                flush=True,
            )
            logged = now
        elif trainer.iteration % 100 == 0:
            data.refresh()
        if rank == 0 and now - saved > CHECKPOINT_S:
            trainer.save()
            saved = now
    if rank == 0:
        trainer.save()
    dist.destroy_process_group()


def main() -> None:
    """Start the processes from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder written by training_data")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--minutes", type=float, default=110)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--lr", type=float, default=6e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--start-minute", type=float, default=0.0, help="enter the schedule here when there is no checkpoint"
    )
    parser.add_argument(
        "--init", type=Path, help="weights to start from instead of random ones, when there is no checkpoint"
    )
    parser.add_argument("--export", type=Path, help="only write the averaged weights in half precision to this file")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.export is not None:
        Trainer(arguments).export(arguments.export)
        return
    (arguments.out / "rendezvous").unlink(missing_ok=True)
    torch.multiprocessing.spawn(run, args=(arguments,), nprocs=arguments.processes)


if __name__ == "__main__":
    main()
