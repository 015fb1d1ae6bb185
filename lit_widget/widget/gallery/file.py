"""A labelling as one file: its tables, and what it says of the images it was made with."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_widget.images.sources import FileSource, ImageError, Source
from lit_widget.widget.store.file import Kind, SessionFile, SessionFileError
from lit_widget.widget.store.values import from_json

from .pictures import Pictures, open_pictures

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
        place: the folder or data set that the images were given as, `None` if they were given one by one.
        named: whether the classes are those of the place's own.
        n_images: how many there were.
        digest: of their names, in order.
        images: the name of each, and what tells it from another of that name; nothing in older files.
        classes: names of the classes.
        model: name of the model.
        strategy: name of the strategy.
        placement: where the adapters are put.
        top: how many first guesses count as having known the class.
        seed: of the adapters.
    """

    place: str | None
    named: bool
    n_images: int
    digest: str
    images: dict[str, str]
    classes: list[str]
    model: str
    strategy: str
    placement: str
    top: int
    seed: int


def digest_of(names: Sequence[str]) -> str:
    """A digest of names in order."""
    return hashlib.sha256(json.dumps(list(names)).encode()).hexdigest()


def marked(pictures: Pictures) -> dict[str, str]:
    """The name of each image, and what tells it from another of that name at little cost.

    That is the size of a file, which may be moved, and a digest of what is no file.
    """
    return dict(zip(pictures.names, map(_mark, pictures.images.sources), strict=True))


def _mark(source: Source) -> str:
    if not isinstance(source, FileSource):
        return source.key
    try:
        return f"{source.path.stat().st_size} bytes"
    except OSError:
        return "missing"


def open_labels(path: str | os.PathLike) -> tuple[SessionFile, Stored]:
    """Open a file of labels, and read what it is about.

    Raises:
        SessionFileError: if it is missing, in use, damaged or no such file.
    """
    file = SessionFile(path, new=False, kind=LABELS)
    try:
        return file, stored_in(file)
    except BaseException:
        file.close()
        raise


def stored_in(file: SessionFile) -> Stored:
    """What an open file says of its labelling.

    Raises:
        SessionFileError: if it says what cannot be.
    """
    meta = {key: value for key, value in file.rows("SELECT key, value FROM meta") if isinstance(key, str)}
    kinds: dict[str, Any] = {
        "named": bool,
        "n_images": int,
        "digest": str,
        "classes": list,
        "model": str,
        "strategy": str,
    }
    kinds |= {"strategy": str, "placement": str, "top": int, "seed": int}
    values = {name: from_json(meta.get(name), kind) for name, kind in kinds.items()}
    values["images"] = from_json(meta.get("images", "{}"), dict)
    place = from_json(meta.get("place"), list)
    texts = all(isinstance(each, str) for each in [*place, *values["classes"]])
    if not texts or len(place) > 1 or values["n_images"] < 1 or values["top"] < 1:
        raise SessionFileError(f"{file.path} says of its images what no images have; it is damaged")
    return Stored(place[0] if place else None, **values)


def images_of(stored: Stored, file: SessionFile) -> Pictures:
    """The images of a session, where they were, else beside the file.

    Raises:
        SessionFileError: if they are nowhere.
    """
    if stored.place is None:
        raise SessionFileError(
            f"the images of {file.path} were given one by one; give them again: LITClassifier.open(path, images)"
        )
    beside = file.path.parent / Path(stored.place).name
    place = str(beside) if not Path(stored.place).exists() and beside.is_dir() else stored.place
    try:
        return open_pictures(place, None if stored.named else stored.classes)
    except ImageError as error:
        reason = str(error).split(";")[0]
        raise SessionFileError(f"{reason}; say where the images are now: LITClassifier.open(path, images)") from None


def is_of_labels(path: str | os.PathLike) -> bool:
    """Whether a file says of itself that it holds labels."""
    try:
        with Path(path).open("rb") as file:
            return file.read(72)[68:] == LABELS.application_id.to_bytes(4, "big")
    except OSError:
        return False
