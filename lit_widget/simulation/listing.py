"""`lit-widget list`, and `models`, `strategies`, `trackers`: what can be chosen, each with one line of help."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from lit_widget.video.catalogue import section

ALONE = ("models", "strategies", "trackers")
"""Sections with a command of their own."""


def add_list(commands: Any) -> None:
    """Add the commands to what `argparse.ArgumentParser.add_subparsers` returned."""
    for name in ("list", *ALONE):
        what = "everything that can be chosen" if name == "list" else f"the {name}"
        listing = commands.add_parser(name, help=f"list {what}")
        listing.add_argument("--json", action="store_true", help="print JSON")
        listing.set_defaults(run=_list, only=None if name == "list" else name)


def _list(parsed: argparse.Namespace) -> int:
    found = {title: dict(entries) for title, entries in sections().items() if parsed.only in (None, title)}
    if parsed.json:
        print(json.dumps(found if parsed.only is None else found[parsed.only], indent=1))
    else:
        print("\n".join(section(title, entries) for title, entries in found.items()))
    return 0


def sections() -> dict[str, Mapping[str, str]]:
    """Names with their help, by kind."""
    from lit_widget.video.formats.registry import formats
    from lit_widget.video.models import models
    from lit_widget.video.pocket.clips import KINDS
    from lit_widget.video.strategies import strategies
    from lit_widget.video.trackers import trackers

    from .bench.catalogue import HELP
    from .datasets import DATASETS
    from .datasets.embedded import GROUPS

    known = models()
    return {
        "models": known,
        "options for models": {f"--{option}": line for option, line in known.options.items()},
        "what every model can do": known.capabilities,
        "trackers": {name: str(info) for name, info in trackers().items()},
        "strategies": strategies(),
        "formats": {name: str(each) for name, each in formats().items()},
        "embedded clips": {**KINDS, **GROUPS},
        "public data sets": {name: each.layout for name, each in DATASETS.items()},
        "experiments": HELP,
    }
