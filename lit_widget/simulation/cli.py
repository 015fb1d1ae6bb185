"""The `lit-widget` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lit_widget import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.run(parsed)
    except ValueError as error:
        print(f"lit-widget: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lit-widget", description="Live interactive training for video segmentation.")
    parser.add_argument("--version", action="version", version=f"lit-widget {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    simulate = commands.add_parser("simulate", help="annotate sequences with a simulated user and compare strategies")
    simulate.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="folder in DAVIS layout, or embedded:KIND:FIRST-LAST"
    )
    simulate.add_argument(
        "--strategies", default="original,lit-lora", help="comma-separated; the first is the baseline"
    )
    simulate.add_argument("--model", default="pocket", help="see `lit-widget list`")
    simulate.add_argument("--weights", metavar="FILE", help="a local checkpoint instead of the model's own")
    simulate.add_argument("--tau", type=float, default=0.5, help="a mask with IoU below this is an error")
    simulate.add_argument("--seed", type=int, default=0)
    simulate.add_argument("--learning-rate", type=float, help="instead of the model's own")
    simulate.add_argument("--epochs", type=int, help="instead of the model's own")
    simulate.add_argument("--json", metavar="OUT.json", help="write settings, records and summary")
    simulate.set_defaults(run=_simulate)
    listing = commands.add_parser("list", help="list models, strategies and kinds of embedded clips")
    listing.set_defaults(run=_list)
    return parser


def _simulate(parsed: argparse.Namespace) -> int:
    from dataclasses import replace

    from lit_widget.video.models import find_entry, load_model

    from .report import summary_text
    from .runner import run_simulation

    if parsed.json and not Path(parsed.json).parent.is_dir():
        raise ValueError(f"there is no folder to write {parsed.json} in; make it first")
    update = find_entry(parsed.model).update
    if parsed.learning_rate is not None:
        update = replace(update, learning_rate=parsed.learning_rate)
    if parsed.epochs is not None:
        update = replace(update, epochs=parsed.epochs)
    result = run_simulation(
        parsed.sources,
        strategies=[name.strip() for name in parsed.strategies.split(",")],
        model=load_model(parsed.model, weights=parsed.weights),
        tau=parsed.tau,
        seed=parsed.seed,
        update=update,
    )
    if parsed.json:
        result.save(parsed.json)
    if result.records.empty:
        print("no pair was finished", file=sys.stderr)
        return 1
    print(summary_text(result))
    return 0 if result.complete else 130


def _list(_: argparse.Namespace) -> int:
    from lit_widget.video.models import models
    from lit_widget.video.pocket.clips import KINDS
    from lit_widget.video.strategies import strategies

    for title, entries in (("models", models()), ("strategies", strategies()), ("embedded clips", KINDS)):
        print(f"{title}:")
        for name, line in entries.items():
            print(f"  {name:16} {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
