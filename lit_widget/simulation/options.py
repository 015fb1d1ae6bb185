"""What the commands that simulate have in common."""

from __future__ import annotations

import argparse
import sys


class Help(argparse.RawDescriptionHelpFormatter):
    """Help that names the default of each option that has one, and leaves the lines of an epilogue alone."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        said = action.help or ""
        plain = action.default in (None, False, argparse.SUPPRESS) or "default" in said
        return said if plain else f"{said} (default: %(default)s)".lstrip()


def strategy_names(text: str) -> list[str]:
    """Names with commas between them; one that is there twice is left out and said."""
    names = [name.strip() for name in text.split(",")]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        sys.stderr.write(f"lit-widget: --strategies has {name} more than once; it runs once\n")
    return list(dict.fromkeys(names))
