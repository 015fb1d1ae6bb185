"""The labels as a table and as files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_widget.core.paths import path_of

from .groups import UNREADABLE

if TYPE_CHECKING:
    import pandas as pd

    from .labelling import Labelling

FORMATS = ("csv", "json")

NAMES = ("label", "looks_like")
"""Columns of names of classes, or `None`."""


def table_of(labelling: Labelling) -> pd.DataFrame:
    """One row per image, those without a label included."""
    import pandas as pd

    classes, groups, book = labelling.classes, labelling.groups.of.tolist(), labelling.book
    rows = []
    for image, name in enumerate(labelling.names):
        entry, group = book[image], groups[image]
        verdict = "unreadable" if group == UNREADABLE else entry.verdict
        label = classes[entry.label] if entry.label >= 0 else None
        looks_like = classes[group] if group >= 0 else None
        rows.append((image, name, label, verdict, entry.flagged, looks_like, entry.learned, entry.took_s))
    columns = ["image", "name", "label", "verdict", "flagged", "looks_like", "learned", "update_s"]
    table = pd.DataFrame(rows, columns=columns).set_index("image")
    # pandas would write NaN where there is none.
    return table.assign(**{name: table[name].astype(object).where(table[name].notna(), None) for name in NAMES})


def write_table(labelling: Labelling, path: str | os.PathLike, *, overwrite: bool) -> Path:
    """Write the table to a file, all or nothing; its ending says in which form.

    Raises:
        ValueError: if the form is unknown, the folder is missing, or the file is there already or cannot be written.
    """
    target = path_of(path)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise ValueError(f"labels are written as {' or '.join(FORMATS)}; give a path that ends so, not {target.name!r}")
    if not target.parent.is_dir():
        raise ValueError(f"there is no folder {target.parent} to write to; make it first")
    if target.exists() and not overwrite:
        raise ValueError(f"{target} is there already; write overwrite=True to replace it")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        draft.write_text(_csv(labelling) if kind == "csv" else _json(labelling), "utf-8")
        draft.replace(target)
    except OSError as error:
        raise ValueError(f"{target} cannot be written ({error.strerror}); nothing was changed") from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def _csv(labelling: Labelling) -> str:
    return table_of(labelling).to_csv(lineterminator="\n")


def _json(labelling: Labelling) -> str:
    table = table_of(labelling).reset_index()
    rows: list[dict[Any, Any]] = table.astype(object).where(table.notna(), None).to_dict("records")
    about = {"model": labelling.model, "classes": labelling.classes}
    return json.dumps({**about, "labels": rows}, indent=1, ensure_ascii=False) + "\n"
