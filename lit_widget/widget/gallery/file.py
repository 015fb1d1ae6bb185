"""A labelling as one file: its tables, and what it says of the images it was made with."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_widget.widget.store.file import Kind, SessionFile, SessionFileError
from lit_widget.widget.store.values import from_json

LABELS = Kind(
    "LITClassifier",
    "LITClassifier(images, classes, session=PATH)",
    0x4C495443,  # "LITC"
    1,
    {
        "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
        "label": (
            "CREATE TABLE label (image INTEGER PRIMARY KEY, name TEXT NOT NULL, label INTEGER NOT NULL, "
            "verdict TEXT NOT NULL, flagged INTEGER NOT NULL, learned INTEGER NOT NULL, took_s REAL NOT NULL, "
            "at REAL NOT NULL) STRICT"
        ),
        "adapter": (
            "CREATE TABLE adapter (class INTEGER NOT NULL, slot INTEGER NOT NULL, version INTEGER NOT NULL, "
            "learned_from TEXT NOT NULL, report TEXT NOT NULL, weights BLOB NOT NULL, PRIMARY KEY (class, slot)) STRICT"
        ),
        "event": (
            "CREATE TABLE event (id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, image INTEGER NOT NULL, "
            "label INTEGER NOT NULL, verdict TEXT NOT NULL) STRICT"
        ),
    },
)
"""What a file of labels holds."""


@dataclass(frozen=True)
class Stored:
    """What a file says of a labelling beside its labels.

    Attributes:
        folder: where the images were, `None` if they were given one by one.
        n_images: how many there were.
        digest: of their names, in order.
        classes: names of the classes.
        model: name of the model.
        strategy: name of the strategy.
        placement: where the adapters are put.
        top: how many first guesses count as having known the class.
        seed: of the adapters.
    """

    folder: str | None
    n_images: int
    digest: str
    classes: list[str]
    model: str
    strategy: str
    placement: str
    top: int
    seed: int


def digest_of(names: Sequence[str]) -> str:
    """A digest of names in order."""
    return hashlib.sha256(json.dumps(list(names)).encode()).hexdigest()


def open_labels(path: str | os.PathLike) -> tuple[SessionFile, Stored]:
    """Open a file of labels, and read what it is about.

    Raises:
        SessionFileError: if it is missing, in use, damaged or no such file.
    """
    file = SessionFile(path, new=False, kind=LABELS)
    try:
        return file, _stored(file)
    except BaseException:
        file.close()
        raise


def _stored(file: SessionFile) -> Stored:
    meta = {key: value for key, value in file.rows("SELECT key, value FROM meta") if isinstance(key, str)}
    kinds: dict[str, Any] = {"n_images": int, "digest": str, "classes": list, "model": str, "strategy": str}
    kinds |= {"placement": str, "top": int, "seed": int}
    values = {name: from_json(meta.get(name), kind) for name, kind in kinds.items()}
    folder = from_json(meta.get("folder"), list)
    texts = all(isinstance(each, str) for each in [*folder, *values["classes"]])
    if not texts or len(folder) > 1 or values["n_images"] < 1 or values["top"] < 1:
        raise SessionFileError(f"{file.path} says of its images what no images have; it is damaged")
    return Stored(folder[0] if folder else None, **values)


def folder_of(stored: Stored, file: SessionFile) -> Path:
    """The folder with the images: where it was, else beside the file.

    Raises:
        SessionFileError: if it is nowhere.
    """
    if stored.folder is None:
        raise SessionFileError(
            f"the images of {file.path} were given one by one; give them again: LITClassifier.open(path, images)"
        )
    there = Path(stored.folder)
    beside = file.path.parent / there.name
    for folder in (there, beside):
        if folder.is_dir():
            return folder
    raise SessionFileError(
        f"the images are not in {there} any more; say where they are: LITClassifier.open(path, images)"
    )
