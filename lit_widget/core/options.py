"""Options of another type than they should have are refused by name, before any work is done."""

from __future__ import annotations

MOST_SEED = 2**62
"""Seeds beyond it, counted up with every update, would not fit what torch takes."""


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


def require_seed(seed: object) -> None:
    """Refuse what is no seed.

    Raises:
        ValueError: naming what was given and what can be.
    """
    require("seed", seed, int, "an int")
    if not -MOST_SEED <= seed <= MOST_SEED:  # type: ignore[operator]
        raise ValueError(f"seed is {seed}; give an int from -2**62 to 2**62")
