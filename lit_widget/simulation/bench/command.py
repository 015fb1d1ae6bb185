"""`lit-widget bench`."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from lit_widget.simulation.options import Help, strategy_names
from lit_widget.video.catalogue import OPTIONS, section

from .catalogue import HELP

if TYPE_CHECKING:
    from .run import BenchResult


def add_bench(commands: Any) -> None:
    """Add the command to what `argparse.ArgumentParser.add_subparsers` returned."""
    bench = commands.add_parser(
        "bench",
        help="run one of the paper's experiments on data sets",
        formatter_class=Help,
        epilog=section("experiments", HELP),
    )
    bench.add_argument("name", metavar="NAME", help="one of the experiments below")
    bench.add_argument(
        "--data",
        nargs="+",
        required=True,
        metavar="DIR",
        help="folder in DAVIS layout, NAME[/SPLIT]:DIR of a public data set, or embedded:KIND:FIRST-LAST",
    )
    bench.add_argument("--out", default="bench", metavar="DIR", help="results; finished units here are not run again")
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


def add_report(commands: Any) -> None:
    """Add `report`, which needs neither data nor model."""
    report = commands.add_parser("report", help="tables and figures of `lit-widget bench` anew, from its folder alone")
    report.add_argument("folder", metavar="OUT", help="what --out of `lit-widget bench` was")
    report.add_argument("--json", action="store_true", help="print a list of results as JSON")
    report.set_defaults(run=_report)


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
            strategies=strategy_names(parsed.strategies) if parsed.strategies else None,
            seeds=seeds,
            workers=parsed.workers,
            client=client,
            limit=parsed.limit,
            model={"name": parsed.model, **{option: getattr(parsed, option) for option in OPTIONS}},
        )
    if parsed.json:
        print(json.dumps(result.to_json(), indent=1))
    elif not result.table.empty:
        print(result.text)
        print("written:", *result.files)
    print(_left(result), file=sys.stderr)
    return result.exit_status


def _report(parsed: argparse.Namespace) -> int:
    from .report import report_bench

    results = report_bench(parsed.folder)
    if parsed.json:
        print(json.dumps([result.to_json() for result in results], indent=1))
    for result in results:
        if not parsed.json and not result.table.empty:
            print(f"{result.settings['experiment']}:\n{result.text}")
            print("written:", *result.files)
        print(_left(result), file=sys.stderr)
    return max(result.exit_status for result in results)


def _left(result: BenchResult) -> str:
    if result.complete:
        nothing = "; no frame of them had to be judged, so that there is no table" if result.table.empty else ""
        return f"{result.finished} of {result.units} units finished{nothing}"
    missing = result.units - result.finished - len(result.failed)
    why = f"{len(result.failed)} failed, {missing} were not run"
    stopped = f" ({result.stopped})" if result.stopped else ""
    return f"{result.finished} of {result.units} units are finished, {why}{stopped}; the same command goes on"
