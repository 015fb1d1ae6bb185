"""How long one live update takes, with nothing else running: all epochs, on the frames of an embedded clip.

python -m benchmarks.update_time --json benchmarks/results/update-time.json
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.result import write_result
from lit_widget.core.types import Correction
from lit_widget.video.adaptation import MaskTarget, VideoItem
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.models import load_model, update_of
from lit_widget.video.pocket.clips import embedded_clip

UPDATES = 12
CLIP = ("part", 0)


def seconds(model_name: str) -> list[float]:
    """Seconds of each update, without the early stop; the first two warm up and are left out."""
    clip = embedded_clip(*CLIP)
    update = replace(update_of(model_name), patience=update_of(model_name).epochs)
    learner = VideoLearner(load_model(model_name, device="cpu"), open_frames(clip.frames), update=update)
    learner.prompt(VideoItem(0, 1), learner.from_mask(0, clip.target[0]))
    taken = []
    for frame in range(1, UPDATES + 3):
        prediction = learner.predict_one(VideoItem(frame, 1))
        report = learner.learn_one(
            prediction, Correction(prediction.item, prediction.output, MaskTarget(clip.target[frame]))
        )
        assert report is not None
        assert len(report.losses) == update.epochs, "an update stopped early"
        taken.append(report.update_s)
    return taken[2:]


def main() -> None:
    """One row per number of threads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="pocket")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        low, median, high = np.quantile(seconds(arguments.model), (0.1, 0.5, 0.9))
        rows.append({"threads": threads, "median_s": median, "p10_s": low, "p90_s": high, "updates": UPDATES})
        print(
            f"{threads} threads: {median:.2f} s for {update_of(arguments.model).epochs} epochs [{low:.2f}, {high:.2f}]"
        )
    if arguments.json:
        settings = {"sources": [f"embedded:{CLIP[0]}:{CLIP[1]}"], "model": arguments.model}
        write_result(arguments.json, "update-time", settings, {"times": pd.DataFrame(rows)})


if __name__ == "__main__":
    main()
