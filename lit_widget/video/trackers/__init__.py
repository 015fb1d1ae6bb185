"""Trackers by name: SAM 2's own, and others as policies over the same unmodified model."""

from __future__ import annotations

from lit_widget.core.names import unknown

from .dam4sam import Dam4Sam
from .policy import Moment, Tracker, TrackerError, TrackerInfo
from .samurai import Samurai

__all__ = ["TRACKERS", "Moment", "Tracker", "TrackerError", "TrackerInfo", "find_tracker", "trackers"]

TRACKERS: dict[str, Tracker] = {each.name: each for each in (Tracker(), Samurai(), Dam4Sam())}
"""Every tracker by name."""


def trackers() -> dict[str, TrackerInfo]:
    """Names of the trackers, each with one line of help and what it can do.

    Example:
        ```python
        print(trackers()["samurai"])
        ```
    """
    return {name: tracker.info for name, tracker in TRACKERS.items()}


def find_tracker(tracker: str | Tracker) -> Tracker:
    """Look a tracker up by name; one of your own passes through.

    Raises:
        TrackerError: if there is none; near matches are named.
    """
    if isinstance(tracker, Tracker):
        return tracker
    if tracker in TRACKERS:
        return TRACKERS[tracker]
    raise TrackerError(unknown("tracker", tracker, TRACKERS))
