"""Functions of users that are called when something was said of an image."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .to_view import Verdict

NAMES = ("label", "skip", "flag", "unlearn", "undo", "redo")
"""What can be said of an image, or taken back."""


@dataclass(frozen=True)
class Said:
    """What was said of an image, and what holds of it now.

    Attributes:
        what: one of `NAMES`.
        image: its index.
        name: its name.
        label: the name of its class, `None` for none.
        verdict: how the label came about.
        flagged: whether it is marked.
    """

    what: str
    image: int
    name: str
    label: str | None
    verdict: Verdict
    flagged: bool


def tell(
    listeners: Iterable[tuple[str | None, Callable[[Said], object]]], said: Said, failed: Callable[[Exception], None]
) -> None:
    """Call the functions that listen; one that fails hinders neither the others nor the labelling."""
    for name, listener in list(listeners):
        if name in (None, said.what):
            try:
                listener(said)
            except Exception as error:  # noqa: BLE001 - a user's function may do anything
                failed(error)
