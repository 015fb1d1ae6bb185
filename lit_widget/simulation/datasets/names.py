"""What tables call the sources of a run, and whether they are different ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from .catalogue import DATASETS, absolute_source
from .sequence import DatasetError


def data_set(source: str) -> str | None:
    """The name and split of a public data set, as `vost/val`; None for a folder or an embedded source."""
    name, _, path = source.partition(":")
    name, _, split = name.partition("/")
    return f"{name}/{split or DATASETS[name].split}" if path and name in DATASETS else None


def source_labels(sources: Iterable[str]) -> dict[str, str]:
    """What tables call each source: a name, and as much of the end of its path as tells it from the others.

    Args:
        sources: what `open_sources` takes, all different.
    """
    places = {source: _place(source) for source in sources}
    return {source: _label(source, places) for source in places}


def require_different(sources: Iterable[str]) -> None:
    """Refuse data that is given twice, however it is written.

    Raises:
        DatasetError: if it is.
    """
    seen: dict[tuple[str | None, str], str] = {}
    for source in sources:
        name = data_set(source)
        if source.startswith("embedded:"):
            place = re.sub(r":(\d+)$", r":\1-\1", source)
        else:
            place = str(Path(source.partition(":")[2] if name else source).expanduser().resolve())
        if (name, place) in seen:
            raise DatasetError(f"{seen[name, place]!r} and {source!r} are the same data; give it once")
        seen[name, place] = source


def _place(source: str) -> tuple[str | None, tuple[str, ...]]:
    """Name of the data set, if it has one, and the parts of the path."""
    if source.startswith("embedded:"):
        return None, (source,)
    name, path = data_set(source), absolute_source(source)
    return name, Path(path.partition(":")[2] if name else path).parts[1:]


def _label(source: str, places: dict[str, tuple[str | None, tuple[str, ...]]]) -> str:
    name, parts = places[source]
    rivals = [each for other, (its, each) in places.items() if other != source and its == name]
    if name and not rivals:
        return name
    length = next((n for n in range(1, len(parts)) if all(each[-n:] != parts[-n:] for each in rivals)), len(parts))
    tail = "/".join(parts[-length:])
    return f"{name}:{tail}" if name else tail
