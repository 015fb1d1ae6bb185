"""The page about formats shows the formats as they are."""

from docs import format_table


def test_the_page_shows_the_formats():
    text = format_table.PAGE.read_text(encoding="utf-8")
    assert "| `coco` |" in text
    assert format_table.filled(text) == text, "run python docs/format_table.py"
