"""How well the frozen model tracks from the first mask, without any correction: J and F by kind and by sequence.

python -m benchmarks.tracking embedded:all:110-117 --json benchmarks/results/tracking-embedded.json
python -m benchmarks.tracking PATH/TO/DAVIS --exclude caps --json benchmarks/results/tracking-real.json
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from benchmarks.result import open_benchmark_sources, write_result
from lit_widget.simulation.datasets import Sequence
from lit_widget.simulation.metrics import sequence_scores
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.feature_cache import FeatureCache
from lit_widget.video.learner import VideoLearner
from lit_widget.video.models import load_model
from lit_widget.video.propagate import propagate
from lit_widget.video.sam2 import Sam2


def masks_of(model: Sam2, sequence: Sequence, object_id: int, features: FeatureCache) -> Iterator[tuple]:
    """(predicted, target, valid) of every annotated frame after the first mask."""
    learner = VideoLearner(model, sequence.frames, features=features)
    annotated = sequence.annotated_frames(object_id)
    start = annotated[0]
    target = sequence.target(object_id, start)
    assert target is not None
    learner.prompt(VideoItem(start, object_id), learner.from_mask(start, target))
    for tracked in propagate(learner, [object_id], start + 1, len(sequence.frames) - 1):
        if tracked.frame in annotated:
            output = tracked.predictions[0].output
            yield learner.mask(output), sequence.target(object_id, tracked.frame), sequence.valid(tracked.frame)


def measure(sources: list[Sequence], model: Sam2) -> pd.DataFrame:
    """One row per (video, object): J, F and number of scored frames."""
    rows = []
    for sequence in tqdm(sources):
        features = FeatureCache.of(model, sequence.frames)
        for object_id in sequence.objects:
            scores = sequence_scores(masks_of(model, sequence, object_id, features))
            rows.append(
                {
                    "video": sequence.name,
                    "group": re.sub(r"-\d+$", "", sequence.name),
                    "object": object_id,
                    "j": scores.j,
                    "f": scores.f,
                    "j_and_f": scores.j_and_f,
                    "frames": scores.n_frames,
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Measure and print one line per group, then the mean over groups."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--exclude", default="", help="comma-separated names to leave out")
    parser.add_argument("--model", default="pocket")
    parser.add_argument("--weights")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    model = load_model(arguments.model, weights=arguments.weights)
    table = measure(open_benchmark_sources(arguments.sources, arguments.exclude), model)
    groups = table.groupby("group", sort=False)[["j", "f", "j_and_f"]].mean()
    print(groups.round(3).to_string())
    print(f"mean over groups: J {groups['j'].mean():.3f}, F {groups['f'].mean():.3f}, ", end="")
    print(f"J&F {groups['j_and_f'].mean():.3f}; over {len(table)} pairs: J&F {np.mean(table['j_and_f']):.3f}")
    if arguments.json:
        write_result(
            arguments.json,
            "tracking",
            {"sources": arguments.sources, "exclude": arguments.exclude, "model": arguments.model},
            {"groups": groups.reset_index(), "pairs": table},
        )


if __name__ == "__main__":
    main()
