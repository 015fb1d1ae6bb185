"""Writes the table of hosts in docs/hosts.md from what the tests recorded: `python docs/host_table.py build/hosts.xml`.

`make hosts` runs it. A row is a host, a column what was tried there; tests say both with `record_property`.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

PAGE = Path(__file__).with_name("hosts.md")
COLUMNS = {
    "loop": "click, track, correct, learn, accept",
    "threads": "what threads send",
    "click": "a click while a cell runs",
}


def recorded(*reports: Path) -> dict[str, dict[str, str]]:
    """What was found out about each host, by column.

    Raises:
        ValueError: if a test failed, since what it would have recorded is missing.
    """
    rows: dict[str, dict[str, str]] = defaultdict(dict)
    cases = [case for each in reports for case in ET.parse(each).iter("testcase")]  # noqa: S314 - our own tests wrote it
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            raise ValueError(f"{case.get('name')} failed; the table is left as it is")
        said = {str(each.get("name")): str(each.get("value")) for each in case.iter("property")}
        if "host" in said:
            rows[said.pop("host")] |= said
    return rows


def table(rows: dict[str, dict[str, str]]) -> str:
    """The hosts in Markdown, and the day they were tried."""
    lines = [
        "| " + " | ".join([host, *(found.get(column, "not tried") for column in COLUMNS)]) + " |"
        for host, found in sorted(rows.items())
    ]
    head = ["| tried | " + " | ".join(COLUMNS.values()) + " |", "|---|" + "---|" * len(COLUMNS)]
    return "\n".join([*head, *lines, "", f"Tried on {datetime.now(UTC).date().isoformat()} in Chromium."])


def filled(text: str, rows: dict[str, dict[str, str]]) -> str:
    """The page with another table."""
    return re.sub(r"(?s)(?<=<!-- hosts -->\n).*?(?=<!-- end -->)", lambda _: f"{table(rows)}\n", text)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), recorded(*map(Path, sys.argv[1:]))), encoding="utf-8")
