"""Committed results follow their schema, and the pages show them as they are."""

from __future__ import annotations

import pytest

from benchmarks import publish
from benchmarks.pages.text import RESULTS, load


@pytest.mark.parametrize("name", sorted(path.stem for path in RESULTS.glob("*.json")))
def test_result_follows_the_schema(name: str) -> None:
    result = load(name)
    assert not result["origin"]["commit"].endswith("-dirty")


@pytest.mark.parametrize("page", publish.PAGES, ids=lambda page: page.name)
def test_page_shows_the_committed_results(page) -> None:
    text = page.read_text()
    assert "<!-- result:" in text
    assert publish.filled(text) == text
