"""Rewrites the table of formats in docs/formats.md from the formats themselves: `python docs/format_table.py`."""

from __future__ import annotations

import re
from pathlib import Path

from lit_widget.video.formats.registry import formats

PAGE = Path(__file__).with_name("formats.md")


def table() -> str:
    """All formats in Markdown."""
    rows = [
        f"| `{name}` | {each.line} | {'folder' if each.holds else f'`{each.suffix}`'} | "
        f"{'out, in' if each.read else 'out'} | {each.loses or 'nothing'} |"
        for name, each in formats().items()
    ]
    return "\n".join(["| format | what it is | written as | | what it cannot hold |", "|---|---|---|---|---|", *rows])


def filled(text: str) -> str:
    """The page with the present table."""
    return re.sub(r"(?s)(?<=<!-- formats -->\n).*?(?=<!-- end -->)", lambda _: f"{table()}\n", text)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
