"""Data sets by name, and what a name given to the command stands for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import davis, lvos, mosev2, sav, vost, youtube
from .embedded import open_embedded
from .sequence import DatasetError, Sequence


@dataclass(frozen=True)
class Dataset:
    """A data set that can be opened.

    Attributes:
        title: its name in tables.
        split: the one that is opened unless another is named.
        open: opens one split in a folder.
        layout: what that folder should hold.
    """

    title: str
    split: str
    open: Callable[[str | Path, str], list[Sequence]]
    layout: str


DATASETS = {
    "davis2016": Dataset("DAVIS 2016", "val", davis.open_davis_2016, davis.LAYOUT_2016),
    "davis2017": Dataset("DAVIS 2017", "val", davis.open_davis_2017, davis.LAYOUT_2017),
    "vost": Dataset("VOST", "val", vost.open_vost, vost.LAYOUT),
    "lvosv2": Dataset("LVOS v2", "valid", lvos.open_lvos, lvos.LAYOUT),
    "mosev2": Dataset("MOSEv2", "train", mosev2.open_mosev2, mosev2.LAYOUT),
    "sav": Dataset("SA-V", "val", sav.open_sav, sav.LAYOUT),
    "youtube-vos": Dataset("YouTube-VOS", "train", youtube.open_youtube_vos, youtube.LAYOUT),
}
"""The data sets that are read as they are published."""


def open_sources(specs: list[str]) -> list[Sequence]:
    """Open data sets by name.

    Args:
        specs: each is one of

            - a path for `open_davis`;
            - `NAME:PATH` or `NAME/SPLIT:PATH`, a data set of `DATASETS` in a folder, for example `vost/val:VOST`;
            - `embedded:KIND:FIRST-LAST`, the embedded clips of one kind, or of `all`, with the seeds FIRST to LAST,
              both included; `embedded:KIND:SEED` is one clip.

    Raises:
        DatasetError: if there is no such data set.
    """
    return [sequence for spec in specs for sequence in _open(spec)]


def absolute_source(spec: str) -> str:
    """The same source for a process that runs in another folder."""
    if spec.startswith("embedded:"):
        return spec
    named = _named(spec)
    path = Path(spec if named is None else named[3]).expanduser().absolute()
    return f"{spec[: named.start(3)] if named else ''}{path}"


def _named(spec: str) -> re.Match[str] | None:
    """The name, split and path of a data set that is no plain path."""
    named = re.fullmatch(r"([a-z0-9-]{2,})(?:/([a-z_]+))?:(.+)", spec)
    return None if Path(spec).exists() else named


def _open(spec: str) -> list[Sequence]:
    if spec.startswith("embedded:"):
        return open_embedded(spec)
    named = _named(spec)
    if named is None:
        return davis.open_davis(spec)
    name, split, path = named.groups()
    if name not in DATASETS:
        raise DatasetError(f"unknown data set {name!r} in {spec!r}; choose one of {', '.join(DATASETS)}, embedded")
    dataset = DATASETS[name]
    return dataset.open(path, split or dataset.split)
