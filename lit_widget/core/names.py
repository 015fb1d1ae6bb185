"""Names that users write: what to say when there is nothing of that name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """A sentence for a name that is not known: the nearest ones, then all.

    Args:
        what: what the name is of, for example "strategy".
        name: what was given.
        known: the names that exist.
    """
    names = list(known)
    near = difflib.get_close_matches(str(name).lower(), names, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return f"unknown {what} {name!r}; {hint}choose from {', '.join(names)}"
