"""Live classification on embedded look-alikes: corrections with and without learning, and how long a step takes.

python -m benchmarks.classification --json benchmarks/results/classification.json
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.result import write_result
from lit_widget.images.clip import Clip
from lit_widget.images.datasets.embedded import embedded_images
from lit_widget.images.head import Head
from lit_widget.images.learner import ImageItem, ImageLearner, corrected
from lit_widget.simulation.classify import ClassifyOptions, classify

SEEDS = range(110, 118)
CONTROL = "frequent-labels"
POOLED, EMBEDDED, CLASSES = 768, 512, 200
GROUPS, PER_GROUP = 12, 5


def look_alikes() -> tuple[Head, torch.Tensor, list[int]]:
    """Features as wide as ViT-B/32's, on which the frozen head is always wrong in the same way."""
    draw = torch.Generator().manual_seed(0)
    projection = torch.randn(EMBEDDED, POOLED, generator=draw) / POOLED**0.5
    head = Head(projection, torch.randn(CLASSES, EMBEDDED, generator=draw))
    labels = [20 + image % PER_GROUP for image in range(PER_GROUP)]
    wanted = 4 * head.classes[0] + 2 * head.classes[1:4].sum(0) + 1.2 * head.classes[labels]
    wanted = wanted + 0.02 * torch.randn(PER_GROUP, EMBEDDED, generator=draw)
    return head, wanted @ torch.linalg.pinv(projection).T, labels


def step_times(threads: int) -> list[dict[str, float | str]]:
    """Milliseconds of an update and of a consult, from the first correction of a group to its last."""
    torch.set_num_threads(threads)
    head, features, labels = look_alikes()
    learner = ImageLearner(head, features)
    steps = ("new adapter", "first update", "later update", "consult")
    taken: dict[str, list[tuple[float, float]]] = {step: [] for step in steps}
    for group in range(GROUPS):
        begun = _timed(lambda g=group: learner.adapters.get(g))
        if group > 1:  # before, everything is warming up
            taken["new adapter"].append(begun)
        for image in range(PER_GROUP):
            prediction = learner.predict_one(ImageItem(image, group))
            correction = corrected(prediction.item, labels[image], CLASSES)
            learned = _timed(lambda p=prediction, c=correction: learner.learn_one(p, c))
            consulted = _timed(lambda p=prediction: learner.propose_one(p))
            if group > 1:
                taken["later update" if image else "first update"].append(learned)
                taken["consult"].append(consulted)
    rows: list[dict[str, float | str]] = []
    for step, pairs in taken.items():
        wall, processor = (1000 * np.array(column) for column in zip(*pairs, strict=True))
        rows.append(
            {
                "step": step,
                "threads": threads,
                "n": len(pairs),
                "median_ms": float(np.median(wall)),
                "p90_ms": float(np.quantile(wall, 0.9)),
                "processor_median_ms": float(np.median(processor)),
                "processor_p90_ms": float(np.quantile(processor, 0.9)),
            }
        )
    return rows


def _timed(call) -> tuple[float, float]:  # noqa: ANN001
    """Seconds on the wall, and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    """The table, and one row per step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--placements", default="projection,residual")
    parser.add_argument("--shuffles", type=int, default=3)
    given = parser.parse_args()
    clip, sets = Clip.load(), [embedded_images(seed) for seed in SEEDS]
    times = [row for threads in (1, 2) for row in step_times(threads)]
    print(pd.DataFrame(times).round(2).to_string(), flush=True)
    torch.set_num_threads(1)
    summaries, against, left_out = [], [], ()
    with tempfile.TemporaryDirectory() as cache:
        for placement in given.placements.split(","):
            options = ClassifyOptions(
                strategies=("original", CONTROL, "lit-lora"),
                placement=placement,
                shuffles=given.shuffles,
                cache=cache,
            )
            done = classify(sets, clip, options)
            left_out = done.left_out
            summaries.append(done.result.summary.assign(placement=placement))
            against.append({"placement": placement, **vars(done.result.reduction("lit-lora", against=CONTROL))})
            print(summaries[-1].round(2).to_string(), against[-1], flush=True)
    if given.json:
        settings = {**done.settings, "placement": given.placements, "left_out": left_out}
        tables = {"summary": pd.concat(summaries), "control": pd.DataFrame(against), "times": pd.DataFrame(times)}
        write_result(given.json, "classification", settings, tables)


if __name__ == "__main__":
    main()
