"""The names of classes, checked before anything is done with them."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence

MANY = 20
"""Names that a sentence can list."""


def checked_classes(classes: Iterable[str]) -> list[str]:
    """Names of classes as they are used: without blanks around them.

    Raises:
        ValueError: if there are fewer than two, or one is empty, no text, or there twice.
    """
    if isinstance(classes, str):
        raise ValueError(f"classes are a list of names, not the text {classes!r}; write [{classes!r}, ...]")  # noqa: TRY004
    given = list(classes)
    if odd := [each for each in given if not isinstance(each, str) or not each.strip()]:
        raise ValueError(f"every class needs a name, and {odd[0]!r} is none; give texts that are not empty")
    names = [" ".join(each.split()) for each in given]
    if len(names) < 2:
        raise ValueError(f"at least two classes are needed to choose from, got {names}")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        where = [index for index, name in enumerate(names) if name == twice[0]]
        raise ValueError(
            f"the class {twice[0]!r} is there {len(where)} times, as numbers {', '.join(map(str, where))}; "
            f"give every class a name of its own"
        )
    return names


def no_such_class(name: str, classes: Sequence[str]) -> str:
    """A sentence for a name that no class has: near ones, and all if they are few."""
    lowered = {each.lower(): each for each in classes}
    near = [lowered[each] for each in difflib.get_close_matches(name.strip().lower(), lowered, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    known = ", ".join(classes) if len(classes) <= MANY else f"{len(classes)} names, see `classes`"
    return f"there is no class {name[:80]!r}; {hint}classes are {known}"
