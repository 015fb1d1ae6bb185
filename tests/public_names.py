"""What is public, read from the source without importing it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import griffe

import lit_widget

ROOT = Path(__file__).parent.parent
PACKAGE = griffe.load("lit_widget", search_paths=[str(ROOT)], docstring_parser="google")


def listed() -> set[str]:
    """The package's own names, and all others whose docstrings are on a page."""
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs").rglob("*.md"))
    exported = {f"lit_widget.{name}" for name in lit_widget.__all__} - {"lit_widget.__version__"}
    return exported | set(re.findall(r"^::: (\S+)$", pages, re.MULTILINE))


def found(path: str) -> griffe.Object:
    """A name of the package, where it is defined."""
    return resolved(PACKAGE[path.removeprefix("lit_widget.")])


def resolved(value: griffe.Object | griffe.Alias) -> griffe.Object:
    return value.final_target if value.is_alias else value


def public(value: griffe.Object) -> Iterator[griffe.Object]:
    """A name and what is public in it, what it inherits included."""
    yield value
    if value.is_class:
        for name, member in value.all_members.items():
            if not name.startswith("_"):
                yield from public(resolved(member))
