"""The `lit-widget` command with what every part adds to it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lit_widget.simulation import cli
from lit_widget.widget.store import command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    return cli.main(arguments, more=[command.add])


if __name__ == "__main__":
    sys.exit(main())
