"""Options of another type than they should have are refused by name, before any work is done."""

from __future__ import annotations


def require(name: str, value: object, kind: type, expected: str) -> None:
    """Refuse a value of another type; `True` and `False` are no numbers.

    Args:
        name: of the option.
        value: what was given.
        kind: of which type it must be.
        expected: in words.

    Raises:
        ValueError: naming what was given and what can be.
    """
    if isinstance(value, bool) or not isinstance(value, kind):
        raise ValueError(f"{name} is {value!r}, a {type(value).__name__}; give {expected}")  # noqa: TRY004
