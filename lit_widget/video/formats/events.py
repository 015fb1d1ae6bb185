"""A table of how the masks came about, for spreadsheets."""

from __future__ import annotations

import csv
from pathlib import Path

from .format import Format
from .losses import Loss
from .mask_set import FormatError, MaskSet, Step

COLUMNS = ("frame", "object_id", "object", "event", "n_clicks", "painted", "update_s")


def _write(masks: MaskSet, path: Path, step: Step) -> list[str]:
    if masks.masks and not masks.events:
        raise FormatError(
            "nothing is known of how these masks came about, as files of masks say nothing of it; "
            "export events from the widget or its session: LITWidget.open(...).export(..., format='events')"
        )
    names = {each.id: _harmless(each.name) for each in masks.objects}
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for done, each in enumerate(masks.events):
            step(done, len(masks.events))
            name = names.get(each.object_id, "")
            update_s = f"{each.update_s:.3f}"
            table.writerow([each.frame, each.object_id, name, each.kind, each.n_clicks, int(each.painted), update_s])
    step(len(masks.events), len(masks.events))
    return []


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


EVENTS = Format(
    "events",
    "CSV: one line for each prompt, correction and accepted proposal, with clicks and the time of the update",
    (Loss("all masks"),),
    _write,
    suffix=".csv",
)
