"""Names of classes, which people read and CLIP's text tower too."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import normalize


def checked_names(class_names: Sequence[str]) -> list[str]:
    """Class names that can be told apart.

    Raises:
        ValueError: if there are fewer than two, one is empty, or two are equal but for case, spaces and how their
            accents are written.
    """
    names = [name.strip() for name in class_names]
    if len(names) < 2:
        raise ValueError(f"classes must be at least two to choose from, got {len(names)}")
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        if not name:
            raise ValueError(f"class {index} has an empty name; name it")
        first = seen.setdefault(" ".join(normalize("NFC", name).lower().split()), index)
        if first != index:
            same = (
                f"both called {name!r}" if names[first] == name else f"called {names[first]!r} and {name!r}, too alike"
            )
            raise ValueError(f"classes {first} and {index} are {same}; rename or merge them")
    return names
