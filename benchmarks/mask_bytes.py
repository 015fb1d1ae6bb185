"""How many bytes a mask takes on its way to the view, at 480 lines: ground truth of real or embedded videos.

python -m benchmarks.mask_bytes PATH/TO/DAVIS --json benchmarks/results/mask-bytes.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks.result import open_benchmark_sources, write_result
from lit_widget.simulation.datasets import Sequence
from lit_widget.widget.codec import encode_mask

HEIGHT = 480


def sizes(sequence: Sequence) -> list[int]:
    """Bytes of every mask of a sequence that is not empty."""
    found = []
    for object_id in sequence.objects:
        for frame in sequence.annotated_frames(object_id):
            target = sequence.target(object_id, frame)
            if target is None or not target.any():
                continue
            size = (round(target.shape[1] * HEIGHT / target.shape[0]), HEIGHT)
            mask = np.asarray(Image.fromarray(target).resize(size, Image.Resampling.NEAREST))
            found.append(len(encode_mask(mask)))
    return found


def main() -> None:
    """One row per sequence, and one of all masks together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--exclude", default="", help="comma-separated names to leave out")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    sources = open_benchmark_sources(given.sources, given.exclude)
    found = {sequence.name: sizes(sequence) for sequence in sources}
    found["all"] = [size for each in found.values() for size in each]
    rows = [
        {
            "sequence": name,
            "masks": len(each),
            "median_bytes": float(np.median(each)),
            "p95_bytes": float(np.quantile(each, 0.95)),
        }
        for name, each in found.items()
    ]
    table = pd.DataFrame(rows)
    print(table.round(0).to_string(index=False))
    if given.json:
        settings = {"sources": given.sources, "exclude": given.exclude, "height": HEIGHT}
        write_result(given.json, "mask-bytes", settings, {"sizes": table})


if __name__ == "__main__":
    main()
