"""Choose the pocket model's learning rate on development seeds, which no reported number uses.

python -m benchmarks.learning_rate embedded:hard:0-2 --json benchmarks/results/learning-rate.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from benchmarks.compare import run
from benchmarks.result import write_result

RATES = (1e-4, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3)


def main() -> None:
    """One row per learning rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = []
    for rate in RATES:
        arguments = argparse.Namespace(
            sources=given.sources, exclude="", strategies="lit-lora", model="pocket", tau=0.5, seed=0,
            learning_rate=rate, processes=given.processes,
        )  # fmt: skip
        own = run(arguments).records
        rows.append(
            {
                "learning_rate": rate,
                "corrections": own["corrections"].mean(),
                "accepted": own["accepted"].mean(),
                "j_mean": own["j_mean"].mean(),
            }
        )
        print(rows[-1], flush=True)
    if given.json:
        write_result(given.json, "learning-rate", {"sources": given.sources}, {"rates": pd.DataFrame(rows)})


if __name__ == "__main__":
    main()
