"""`lit-widget bench`."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from lit_widget.video.catalogue import OPTIONS

if TYPE_CHECKING:
    from .run import BenchResult


def add_bench(commands: Any) -> None:
    """Add the command to what `argparse.ArgumentParser.add_subparsers` returned."""
    bench = commands.add_parser("bench", help="run one of the paper's experiments on data sets; see `lit-widget list`")
    bench.add_argument("name", metavar="NAME", help="main, tau, budget and so on")
    bench.add_argument(
        "--data",
        nargs="+",
        required=True,
        metavar="DIR",
        help="folder in DAVIS layout, NAME[/SPLIT]:DIR of a public data set, or embedded:KIND:FIRST-LAST",
    )
    bench.add_argument("--out", default="bench", metavar="DIR", help="finished units here are not run again")
    bench.add_argument("--workers", type=int, default=1, metavar="N", help="processes on this machine")
    bench.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="workers of a Dask cluster instead: tcp://HOST:8786, or a scheduler file",
    )
    bench.add_argument("--strategies", help="comma-separated, the first is the baseline; the experiment's by default")
    bench.add_argument("--seeds", default="0", help="comma-separated; results are means over them")
    bench.add_argument("--limit", type=int, metavar="N", help="only the first N (video, object) pairs of each source")
    bench.add_argument("--model", help="see `lit-widget list`; the pocket model by default")
    for option, line in OPTIONS.items():
        bench.add_argument(f"--{option}", help=line)
    bench.add_argument("--json", action="store_true", help="print the result as JSON; progress goes to stderr")
    bench.set_defaults(run=_bench)


def _bench(parsed: argparse.Namespace) -> int:
    from .cluster import connect
    from .run import run_bench

    try:
        seeds = [int(seed) for seed in parsed.seeds.split(",")]
    except ValueError:
        raise ValueError(f"--seeds takes whole numbers with commas between them, got {parsed.seeds!r}") from None
    with connect(parsed.scheduler) if parsed.scheduler else nullcontext() as client:
        result = run_bench(
            parsed.name,
            parsed.data,
            out=parsed.out,
            strategies=[name.strip() for name in parsed.strategies.split(",")] if parsed.strategies else None,
            seeds=seeds,
            workers=parsed.workers,
            client=client,
            limit=parsed.limit,
            model={"name": parsed.model, **{option: getattr(parsed, option) for option in OPTIONS}},
        )
    if parsed.json:
        print(json.dumps(result.to_json(), indent=1))
    elif not result.table.empty:
        print(result.table.to_string(index=False, float_format="{:.2f}".format, na_rep="–"))
        print("written:", *result.files)
    if not result.complete:
        print(_left(result), file=sys.stderr)
    return result.exit_status


def _left(result: BenchResult) -> str:
    missing = result.units - result.finished - len(result.failed)
    why = f"{len(result.failed)} failed, {missing} were not run"
    stopped = f" ({result.stopped})" if result.stopped else ""
    return f"{result.finished} of {result.units} units are finished, {why}{stopped}; the same command goes on"
