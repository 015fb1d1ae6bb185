"""The `lit-widget` command; every part of the package adds its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from lit_widget import __version__
from lit_widget.simulation.bench.command import add_bench, add_report
from lit_widget.simulation.classify_command import add_classify
from lit_widget.simulation.command import add_demo, add_simulate
from lit_widget.simulation.export_command import add_export
from lit_widget.simulation.listing import add_list
from lit_widget.study.command import add_study
from lit_widget.video.catalogue import ModelError
from lit_widget.widget.doctor import add_doctor


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
    for add in (
        add_demo,
        add_simulate,
        add_classify,
        add_bench,
        add_report,
        add_export,
        add_list,
        add_doctor,
        add_study,
    ):
        add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
