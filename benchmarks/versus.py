"""Two runs of the same benchmarks side by side: how each measured figure changed from the first to the second.

python -m benchmarks.versus benchmarks/results bench

Both are folders, or single files, of what `--json` writes. Rows are matched by all that names them; repeats, as frames
and rounds are, become the median, 10th and 90th percentile of the ratios.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd

from benchmarks.result import RESULT_SCHEMA

MEASURED = ("_s", "_ms", "seconds", "_mb", "_fps", "_bytes", "_per_min", "ratio")
"""Endings of the columns that hold measurements; others name a row, or follow from these."""

REPEATS = {"frame", "frames", "round", "share", "least_iou", "gflop", "gbyte", "repeats", "updates"}
"""Columns that differ between repeats of one measurement, or belong to it."""


class ResultError(ValueError):
    """Something that is no pair of results."""


def results(path: Path) -> dict[str, dict[str, Any]]:
    """Results by benchmark and model.

    Raises:
        ResultError: if there is none, or a file does not follow the schema.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    found = {}
    for file in files:
        try:
            result = json.loads(file.read_text())
            jsonschema.validate(result, RESULT_SCHEMA)
        except (OSError, ValueError, jsonschema.ValidationError) as error:
            reason = str(error).splitlines()[0]
            raise ResultError(f"{file} holds no result of a benchmark ({reason}); give what --json wrote") from None
        found[file.stem if path.is_dir() else result["benchmark"]] = result
    if not found:
        raise ResultError(f"{path} holds no .json file; give a folder of results, such as benchmarks/results")
    return found


def compared(old: dict[str, Any], new: dict[str, Any]) -> pd.DataFrame:
    """One row per measured figure that both results have: where, both medians, and the ratio of new to old."""
    rows = []
    for name in old["tables"].keys() & new["tables"].keys():
        before, after = (pd.DataFrame(each["tables"][name]) for each in (old, new))
        measured = [each for each in before if str(each).endswith(MEASURED) and each in after]
        named = [each for each in before if each not in measured and each not in REPEATS and each in after]
        named = [each for each in named if not pd.api.types.is_float_dtype(before[each])]
        keys = named or [lambda _: True]
        both = (dict(list(each.groupby(keys, sort=False))) for each in (before, after))
        earlier, later = both
        for key in earlier.keys() & later.keys():
            where = " ".join(map(str, key)) if named else name
            pairs = {figure: (earlier[key][figure], later[key][figure]) for figure in measured}
            rows += [{"where": where, "figure": figure, **change(*pair)} for figure, pair in pairs.items()]
    columns = ["where", "figure", "old", "new", "new/old", "10 %", "90 %"]
    return pd.DataFrame(rows, columns=columns).sort_values(["where", "figure"], ignore_index=True)


def change(old: pd.Series, new: pd.Series) -> dict[str, float]:
    """Medians of a figure's repeats, and how the new ones relate to the old median."""
    ratios = new / old.median()
    low, middle, high = ratios.quantile([0.1, 0.5, 0.9])
    return {"old": old.median(), "new": new.median(), "new/old": middle, "10 %": low, "90 %": high}


def main() -> None:
    """Print a table per benchmark that is in both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    given = parser.parse_args()
    try:
        old, new = results(given.old), results(given.new)
    except ResultError as error:
        parser.error(str(error))
    common = [name for name in new if name in old]
    if not common:
        parser.error(f"{given.old} and {given.new} hold no result of the same benchmark")
    for name in common:
        before, after = (
            {key: each["origin"][key] for key in ("commit", "date", "machine")} for each in (old[name], new[name])
        )
        print(f"\n== {name}: {', '.join(before.values())} against {', '.join(after.values())}")
        if before["machine"] != after["machine"]:
            print("Other machines: compare ratios, not times.")
        print(compared(old[name], new[name]).to_string(index=False, float_format=lambda value: f"{value:.3g}"))


if __name__ == "__main__":
    main()
