"""What to say of a name that no class has."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

MANY = 20
"""Names that a sentence can list."""


def no_such_class(name: str, classes: Sequence[str]) -> str:
    """A sentence for a name that no class has: near ones, and all if they are few."""
    lowered = {each.lower(): each for each in classes}
    near = [lowered[each] for each in difflib.get_close_matches(name.strip().lower(), lowered, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    known = ", ".join(classes) if len(classes) <= MANY else f"{len(classes)} names, see `classes`"
    return f"there is no class {name[:80]!r}; {hint}classes are {known}"
