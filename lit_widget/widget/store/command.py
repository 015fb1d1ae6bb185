"""`lit-widget doctor`: a session file looked over from a terminal."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the command to those of `lit-widget`."""
    doctor = commands.add_parser("doctor", help="check a session file, and repair it")
    doctor.add_argument("file", metavar="CLIP.lit")
    doctor.add_argument("--repair", action="store_true", help="leave out what is damaged; the old file is kept")
    doctor.set_defaults(run=_doctor)


def _doctor(parsed: argparse.Namespace) -> int:
    from .doctor import examine, repair

    found = examine(parsed.file)
    if not found:
        print(f"{parsed.file} is whole")
        return 0
    print("\n".join(repair(parsed.file) if parsed.repair else found))
    return 0 if parsed.repair else 1
