"""The loop that a user repeats, on one GPU, beside what would be run otherwise, in one process.

Random weights of SAM 2.1-L: times do not depend on them. Updates are compared with `benchmarks.reference`, tracking
with the sam2 package's own `SAM2VideoPredictor` in the same precision.

python -m benchmarks.gpu --json benchmarks/results/gpu.json
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool
from PIL import Image
from torch import nn

from benchmarks.reference import ReferenceTrainer
from benchmarks.result import write_result
from lit_widget.core.adapter import Adapter
from lit_widget.core.recipes import Lora
from lit_widget.core.recording import Recording
from lit_widget.core.update import Stepper, UpdateConfig, online_update
from lit_widget.simulation.metrics.region import iou
from lit_widget.video.adaptation import Evidence, MaskTarget, Sample, TrainingPass, VideoItem
from lit_widget.video.backbones import build_backbone, official_config
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.propagate import propagate
from lit_widget.video.quirks import Quirks
from lit_widget.video.sam2 import FrameFeatures, Sam2

SIZE = (480, 854)
FRAMES = 24
REPEATS = 5
UPDATE = UpdateConfig(epochs=40, patience=40, hopeless=40)


def seconds(work: Callable[[], Any]) -> float:
    """Wall-clock seconds until the device has finished."""
    torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - started


def row(task: str, how: str, times: list[float], **more: Any) -> dict[str, Any]:
    """A line of the table, printed as it is made."""
    low, median, high = np.quantile(times, (0.1, 0.5, 0.9))
    made = {"task": task, "how": how, "median_s": median, "p10_s": low, "p90_s": high, "repeats": len(times), **more}
    print(f"{task}, {how}: {median:.4f} s [{low:.4f}, {high:.4f}]", more or "", flush=True)
    return made


def mask(index: int = 0) -> Bool[np.ndarray, "h w"]:
    """A rectangle, further to the right for later objects."""
    made = np.zeros(SIZE, dtype=bool)
    made[100:300, 60 * index + 20 : 60 * index + 200] = True
    return made


# --- The update -------------------------------------------------------------------------------------------------------


def updates(model: Sam2) -> list[dict[str, Any]]:
    """The plain trainer, the library's steps one by one, and recorded: the first update and later ones."""
    torch.manual_seed(0)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, device=model.device)

    features = FrameFeatures(
        random(1, 256, 64, 64), random(1, 256, 64, 64), (random(1, 32, 256, 256), random(1, 64, 128, 128))
    )
    fused, target = random(1, 256, 64, 64), model.square(mask())
    reference, adapter = ReferenceTrainer(model.module), Adapter(model.decoder, Lora(), seed=0)
    sample = Sample(Evidence(fused, features), MaskTarget(mask()))

    def ours(stepper: Stepper | None) -> None:
        with adapter.training() as parameters:
            passes = [TrainingPass(model, adapter, sample, Quirks())]
            report = online_update(parameters, passes, UPDATE, version=1, stepper=stepper)
        assert len(report.losses) == UPDATE.epochs

    plain = [seconds(lambda: reference.update(fused, features, target)) for _ in range(REPEATS + 1)]
    single = [seconds(lambda: ours(None)) for _ in range(REPEATS + 1)]
    recording = Recording(list(adapter.parameters.values()), UPDATE.learning_rate)
    recorded = [seconds(lambda: ours(recording)) for _ in range(REPEATS + 1)]
    rows = [
        row("update", "reference", plain[1:]),
        row("update", "one by one", single[1:]),
        row("update", "recorded, first", recorded[:1]),
        row("update", "recorded", recorded[1:]),
    ]
    print(f"update: {np.median(plain[1:]) / np.median(recorded[1:]):.1f} times as fast as the reference")
    return rows


# --- Tracking ---------------------------------------------------------------------------------------------------------


def write_clip(folder: Path) -> None:
    """Frames of a smooth random picture that drifts to the right."""
    coarse = np.random.default_rng(0).integers(0, 255, (30, 54, 3), dtype=np.uint8)
    picture = np.array(Image.fromarray(coarse).resize(SIZE[::-1]))
    for index in range(FRAMES):
        Image.fromarray(np.roll(picture, 3 * index, axis=1)).save(folder / f"{index:05d}.jpg", quality=95)


def predictor_of(model: Sam2) -> nn.Module:
    """The package's own predictor with the same weights."""
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    config = OmegaConf.load(official_config("sam2.1", "l")).model
    config._target_ = "sam2.sam2_video_predictor.SAM2VideoPredictor"
    predictor = instantiate(config).eval().to(model.device)
    predictor.load_state_dict(model.module.state_dict())
    return predictor


def tracking(model: Sam2, folder: Path, n: int) -> list[dict[str, Any]]:
    """Seconds per frame of the first pass over a clip and of later ones, with `n` objects."""
    predictor: Any = predictor_of(model)
    theirs_masks: list[np.ndarray] = []
    ours_masks: list[np.ndarray] = []
    objects = list(range(n))

    with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16):

        def theirs() -> None:
            theirs_masks[:] = [(each[2][:, 0] > 0).cpu().numpy() for each in predictor.propagate_in_video(state)]

        state = predictor.init_state(str(folder))
        for index in objects:
            predictor.add_new_mask(state, 0, index, mask(index))
        seconds(theirs)
        state = predictor.init_state(str(folder))
        for index in objects:
            predictor.add_new_mask(state, 0, index, mask(index))
        plain = [seconds(theirs) / FRAMES for _ in range(REPEATS)]

    def begun() -> VideoLearner:
        learner = VideoLearner(model, open_frames(folder))
        for index in objects:
            learner.prompt(VideoItem(0, index), learner.from_mask(0, mask(index)))
        return learner

    def ours(learner: VideoLearner) -> None:
        passed = propagate(learner, objects, 0, FRAMES - 1)
        ours_masks[:] = [
            np.stack([learner.mask(each.output) for each in frame.predictions] or [[]]) for frame in passed
        ]

    ours(begun())
    learner = begun()
    quick = [seconds(lambda: ours(learner)) / FRAMES for _ in range(REPEATS)]
    agreement = [
        iou(one, other)
        for frame in range(1, FRAMES)
        for one, other in zip(ours_masks[frame], theirs_masks[frame], strict=True)
    ]
    task = f"tracking, {n} object{'s' if n > 1 else ''}"
    ratios = plain[0] / quick[0], np.median(plain[1:]) / np.median(quick[1:])
    print(f"{task}: first {ratios[0]:.1f}, again {ratios[1]:.1f} times as fast as the predictor")
    return [
        row(task, "predictor, first", plain[:1]),
        row(task, "predictor, again", plain[1:]),
        row(task, "first", quick[:1]),
        row(task, "again", quick[1:], least_iou=min(agreement)),
    ]


def main() -> None:
    """One table of seconds: per update, and per tracked frame."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    model = Sam2(build_backbone(official_config("sam2.1", "l")).cuda(), "sam2.1-large", precision="bfloat16")
    rows = updates(model)
    with tempfile.TemporaryDirectory() as folder:
        write_clip(Path(folder))
        for n in (1, 8):
            rows += tracking(model, Path(folder), n)
    if arguments.json:
        settings = {
            "sources": ["random weights"],
            "model": "sam2.1-large",
            "device": torch.cuda.get_device_name(),
            "torch": torch.__version__,
            "size": list(SIZE),
            "frames": FRAMES,
        }
        write_result(arguments.json, "gpu", settings, {"times": pd.DataFrame(rows)})


if __name__ == "__main__":
    main()
