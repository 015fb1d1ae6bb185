"""Write the tables of `reference/keys.md`, between its markers, from the views' own tables of keys.

python docs/keys_table.py
"""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parent / "reference" / "keys.md"
SOURCE = Path(__file__).parent.parent / "js" / "src"

GROUP = re.compile(r'^    "(?P<name>[^"]+)",$(?P<bindings>.*?)^  \],$', re.MULTILINE | re.DOTALL)
BINDING = re.compile(r'shown: "(?P<shown>[^"]+)",\s+does: "(?P<does>[^"]+)"')
MOUSE = re.compile(r'^  \["(?P<shown>[^"]+)", "(?P<does>[^"]+)"\],$', re.MULTILINE)


def tables() -> str:
    """A table per group of keys, one for the mouse, and one for the gallery."""
    video, gallery = ((SOURCE / name).read_text("utf-8") for name in ("keys.ts", "gallery/keys.ts"))
    groups = [(group["name"], BINDING.findall(group["bindings"])) for group in GROUP.finditer(video)]
    groups += [("Mouse and fingers", MOUSE.findall(video)), ("The gallery", BINDING.findall(gallery))]
    return "\n\n".join(table(name, rows) for name, rows in groups)


def table(name: str, rows: list[tuple[str, str]]) -> str:
    """A heading and a Markdown table of what is pressed and what it does."""
    lines = [f"| **{shown}** | {does} |" for shown, does in rows]
    return "\n".join([f"## {name}", "", "| | |", "| --- | --- |", *lines])


def filled(text: str) -> str:
    """The page with its tables written anew."""
    return re.sub(r"(<!-- keys -->\n).*?(\n<!-- end -->)", rf"\g<1>\n{tables()}\n\g<2>", text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
