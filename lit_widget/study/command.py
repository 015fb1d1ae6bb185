"""`lit-widget study`: tables and the figure from the files of a user study."""

from __future__ import annotations

import argparse
import sys


def add_study(commands: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    """Add the command to the parser's."""
    study = commands.add_parser("study", help="sum up a user study")
    study.add_argument("folder", metavar="FOLDER", help="with the participants' files")
    study.add_argument("--out", metavar="FOLDER", help="write tables (CSV) and the figure (PNG) there")
    study.set_defaults(run=_study)


def _study(parsed: argparse.Namespace) -> int:
    from .results import summary

    found = summary(parsed.folder)
    sys.stdout.write(f"{found}\n")
    if parsed.out is not None:
        sys.stdout.write(f"Written to {found.save(parsed.out)}\n")
    return 0
