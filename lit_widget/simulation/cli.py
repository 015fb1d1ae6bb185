"""The `lit-widget` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lit_widget import __version__
from lit_widget.video.catalogue import OPTIONS, ModelError, section

from .export_cli import add_export


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.run(parsed)
    except ModelError as error:
        return _refuse(error.for_command_line)
    except ValueError as error:
        return _refuse(str(error))


def _refuse(reason: str) -> int:
    print(f"lit-widget: {reason}", file=sys.stderr)
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
    simulate.add_argument("--model", help="see `lit-widget list`; the pocket model by default")
    for option, line in OPTIONS.items():
        simulate.add_argument(f"--{option}", help=line)
    simulate.add_argument("--tracker", default="sam2", help="see `lit-widget list`")
    simulate.add_argument("--tau", type=float, default=0.5, help="a mask with IoU below this is an error")
    simulate.add_argument("--seed", type=int, default=0)
    simulate.add_argument(
        "--monitor", default="user", help="who finds errors: user (default), predicted-iou, or learned"
    )
    simulate.add_argument("--automatic", action="store_true", help="the monitor judges proposals, too")
    simulate.add_argument("--learning-rate", type=float, help="instead of the model's own")
    simulate.add_argument("--epochs", type=int, help="instead of the model's own")
    simulate.add_argument("--json", metavar="OUT.json", help="write settings, records and summary")
    simulate.set_defaults(run=_simulate)
    add_export(commands)
    listing = commands.add_parser("list", help="list models, options, trackers, strategies, formats, embedded clips")
    listing.set_defaults(run=_list)
    return parser


def _simulate(parsed: argparse.Namespace) -> int:
    from dataclasses import replace
    from functools import partial

    from lit_widget.video.models import find_entry, load_model
    from lit_widget.video.trackers import find_tracker

    from .report import summary_text
    from .runner import run_simulation

    if parsed.json and not Path(parsed.json).parent.is_dir():
        raise ValueError(f"there is no folder to write {parsed.json} in; make it first")
    update = find_entry(parsed.model, parsed.config).update
    if parsed.learning_rate is not None:
        update = replace(update, learning_rate=parsed.learning_rate)
    if parsed.epochs is not None:
        update = replace(update, epochs=parsed.epochs)
    result = run_simulation(
        parsed.sources,
        strategies=[name.strip() for name in parsed.strategies.split(",")],
        model=partial(load_model, parsed.model, **{option: getattr(parsed, option) for option in OPTIONS}),
        tracker=find_tracker(parsed.tracker),
        tau=parsed.tau,
        seed=parsed.seed,
        monitor=parsed.monitor,
        automatic=parsed.automatic,
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
    from lit_widget.video.formats.registry import formats
    from lit_widget.video.models import models
    from lit_widget.video.pocket.clips import KINDS
    from lit_widget.video.strategies import strategies
    from lit_widget.video.trackers import trackers

    known = models()
    options = {f"--{option}": line for option, line in known.options.items()}
    for title, entries in (
        ("models", known),
        ("options for models", options),
        ("what every model can do", known.capabilities),
        ("trackers", {name: str(info) for name, info in trackers().items()}),
        ("strategies", strategies()),
        ("formats", {name: str(each) for name, each in formats().items()}),
        ("embedded clips", KINDS),
    ):
        print(section(title, entries))
    return 0


if __name__ == "__main__":
    sys.exit(main())
