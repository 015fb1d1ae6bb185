"""Tracking on a CPU beside the sam2 package's own predictor, in turns, in one process.

Random weights of SAM 2.1-T: times do not depend on them. Objects are prompted on seven frames, and the eighth is
tracked: it has as many memories to attend to as any frame has of an object that was prompted once. *First* includes
encoding it; *again* is a second pass after another prompt, so that no mask stays what it was.

python -m benchmarks.cpu_tracking --rounds 5 --json benchmarks/results/cpu-tracking.json
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool
from PIL import Image
from torch import Tensor

from benchmarks.result import write_result
from lit_widget.simulation.metrics.region import iou
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.backbones import build_backbone, official_config
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.propagate import propagate
from lit_widget.video.sam2 import Sam2

SIZE, PROMPTED, THREADS = (360, 640), 7, 2
OBJECTS = (1, 8)

Masks = Bool[np.ndarray, "n h w"]


def write_clip(folder: Path) -> None:
    """Frames of a smooth random picture that drifts to the right."""
    coarse = np.random.default_rng(0).integers(0, 255, (30, 54, 3), dtype=np.uint8)
    picture = np.array(Image.fromarray(coarse).resize((SIZE[1], SIZE[0])))
    for index in range(PROMPTED + 1):
        Image.fromarray(np.roll(picture, 3 * index, axis=1)).save(folder / f"{index:05d}.jpg", quality=95)


def mask(frame: int, index: int, shift: int) -> Bool[np.ndarray, "h w"]:
    """A rectangle that moves with the picture, further to the right for later objects and with every shift."""
    left = 60 * index + 3 * frame + 15 * shift + 10
    made = np.zeros(SIZE, dtype=bool)
    made[80:240, left : left + 140] = True
    return made


def random_model() -> Sam2:
    """SAM 2.1-T with random weights that sees its objects."""
    torch.manual_seed(0)
    module: Any = build_backbone(official_config("sam2.1", "t"))
    torch.nn.init.constant_(module.sam_mask_decoder.pred_obj_score_head.layers[-1].bias, 10.0)
    return Sam2(module, "sam2.1-tiny")


def memoised(encode: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    """An image encoder that keeps what it has made of a frame of the clip."""
    made: dict[int, Any] = {}

    def encoded(image: Tensor) -> Any:
        if image.data_ptr() not in made:
            made[image.data_ptr()] = encode(image)
        return dict(made[image.data_ptr()])

    return encoded


class Theirs:
    """The package's own predictor with the same weights."""

    def __init__(self, model: Sam2, folder: Path) -> None:
        from hydra.utils import instantiate
        from omegaconf import OmegaConf

        config = OmegaConf.load(official_config("sam2.1", "t")).model
        config._target_ = "sam2.sam2_video_predictor.SAM2VideoPredictor"
        self.predictor: Any = instantiate(config).eval()
        self.predictor.load_state_dict(model.module.state_dict())
        self.state = self.predictor.init_state(str(folder))

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Prompt and remember with every frame encoded once only: this is not timed, and the predictor keeps one."""
        encode = self.predictor.forward_image
        self.predictor.forward_image = memoised(encode)
        yield
        self.predictor.propagate_in_video_preflight(self.state)
        self.predictor.forward_image = encode

    def prompt(self, frame: int, n: int, *, shift: int) -> None:
        """Give the masks of all objects."""
        for index in range(n):
            self.predictor.add_new_mask(self.state, frame, index, mask(frame, index, shift))

    def track(self) -> Masks:
        """Masks of all objects on the frame after those that are prompted."""
        ((_, _, logits),) = self.predictor.propagate_in_video(self.state, PROMPTED, 0)
        return (logits[:, 0] > 0).numpy()


class Ours:
    """The learner that the widget uses."""

    def __init__(self, model: Sam2, folder: Path, n: int) -> None:
        self.learner, self.n = VideoLearner(model, open_frames(folder)), n

    def preparing(self) -> AbstractContextManager[None]:
        """Nothing to do: a prompt is remembered at once."""
        return nullcontext()

    def prompt(self, frame: int, n: int, *, shift: int) -> None:
        """Give the masks of all objects."""
        for index in range(n):
            output = self.learner.from_mask(frame, mask(frame, index, shift))
            self.learner.prompt(VideoItem(frame, index), output)

    def track(self) -> Masks:
        """Masks of all objects on the frame after those that are prompted."""
        (tracked,) = propagate(self.learner, range(self.n), PROMPTED, PROMPTED)
        return np.stack([self.learner.mask(each.output) for each in tracked.predictions])


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Wall-clock seconds of some work, and what it gave."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def passes(model: Sam2, folder: Path, n: int, rounds: int) -> list[dict[str, Any]]:
    """A row for each pass over the tracked frame with `n` objects, two in every round."""
    theirs, ours = Theirs(model, folder), Ours(model, folder, n)
    for each in (theirs, ours):
        with each.preparing():
            for frame in range(1, PROMPTED):
                each.prompt(frame, n, shift=0)
    rows = []
    for number in range(2 * rounds):
        for each in (theirs, ours):
            with each.preparing():
                each.prompt(0, n, shift=number)
        first = number % 2 == 0
        if first:
            ours.learner.features.clear()
        (theirs_s, expected), (ours_s, given) = timed(theirs.track), timed(ours.track)
        row = {
            "objects": n,
            "pass": "first" if first else "again",
            "round": number // 2,
            "predictor_s": theirs_s,
            "ours_s": ours_s,
            "ratio": theirs_s / ours_s,
            "least_iou": min(iou(*pair) for pair in zip(expected, given, strict=True)),
            "share": float(expected.mean()),
        }
        rows.append(row)
        print(*(f"{key} {value:.4g}" if key != "pass" else value for key, value in row.items()), flush=True)
    return rows


def main() -> None:
    """One row per pass and round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=2, help="with one object; with eight it is one, of minutes")
    arguments = parser.parse_args()
    torch.set_num_threads(THREADS)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        write_clip(Path(folder))
        for n in OBJECTS:
            rows += passes(random_model(), Path(folder), n, arguments.rounds if n == 1 else 1)
    if arguments.json:
        settings = {
            "sources": ["random weights"],
            "model": "sam2.1-tiny",
            "threads": THREADS,
            "size": list(SIZE),
            "prompted": PROMPTED,
        }
        write_result(arguments.json, "cpu-tracking", settings, {"frames": pd.DataFrame(rows)})


if __name__ == "__main__":
    main()
