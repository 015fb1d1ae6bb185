"""Where the time of an annotation went, from what was logged.

For every error that was corrected or whose proposal was accepted there are three stretches:

- *pausing*: from when watching began (tracking was asked for, or the error before was confirmed) until it stopped: the
  tracking was stopped, or, without that, the picture last ran forward.
- *locating*: from then to the first prompt on the frame, or until a proposal was asked for there.
- *correcting*: from then until the correction was confirmed (learned, tracked on from, or the proposal accepted).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

REST_S = 1.0
"""Between two frames shown later than this after each other the picture stood still."""


@dataclass(frozen=True)
class LogEvent:
    """Something that happened during a task.

    Attributes:
        at: seconds since 1970.
        kind: opened, frame (shown), touch (prompted or asked for a proposal), clear, confirm, stop, correct, accept, …
        frame: where, if anywhere.
        what: more: which action, or seconds of training.
    """

    at: float
    kind: str
    frame: int | None = None
    what: str = ""


@dataclass(frozen=True)
class ErrorTime:
    """One error that was settled.

    Attributes:
        frame: where.
        verdict: "correct" or "accept".
        pausing_s: seconds of watching until the error was noticed.
        locating_s: seconds from then to the first prompt.
        correcting_s: seconds from then to the end.
        update_s: seconds that training took afterwards.
    """

    frame: int
    verdict: str
    pausing_s: float
    locating_s: float
    correcting_s: float
    update_s: float


@dataclass
class _Open:
    """An error on which work has begun, in seconds of work."""

    since: float
    paused: float
    first: float
    last: float
    confirmed: bool = False


def worked(events: Iterable[LogEvent]) -> list[LogEvent]:
    """Events in order, their times as seconds of work: what lies before a task was opened again is left out."""
    ordered = sorted(events, key=lambda event: event.at)
    now, before, found = 0.0, None, []
    for event in ordered:
        if before is not None and event.kind != "opened":
            now += event.at - before
        before = event.at
        found.append(replace(event, at=now))
    return found


def seconds(events: Iterable[LogEvent]) -> float:
    """Seconds of work from the first event to the last."""
    return max((event.at for event in worked(events)), default=0.0)


def error_times(events: Iterable[LogEvent]) -> list[ErrorTime]:
    """Every error that was settled, in the order in which it was."""
    return list(_settled(worked(events)))


def _settled(events: list[LogEvent]) -> Iterator[ErrorTime]:
    since, touched = 0.0, None
    watched: list[LogEvent] = []
    work: dict[int, _Open] = {}
    for event in events:
        frame = -1 if event.frame is None else event.frame
        if event.kind in ("frame", "stop"):
            watched.append(event)
        elif event.kind == "touch":
            if frame not in work or work[frame].confirmed:
                work[frame] = _Open(since, _paused(watched, event.at), event.at, event.at)
            work[frame].last = since = event.at
            touched = frame
            watched = []
        elif event.kind == "clear" and frame in work:
            since = work.pop(frame).since
        elif event.kind == "confirm":
            if touched in work and not work[touched].confirmed:
                work[touched].last = event.at
            for each in work.values():
                each.confirmed = True
            since, watched = event.at, []
        elif event.kind in ("correct", "accept") and frame in work:
            own = work.pop(frame)
            parts = own.paused - own.since, own.first - own.paused, own.last - own.first
            yield ErrorTime(frame, event.kind, *parts, float(event.what or 0))


def _paused(watched: Sequence[LogEvent], first: float) -> float:
    """When watching stopped before the first prompt on a frame."""
    if stops := [event.at for event in watched if event.kind == "stop"]:
        return stops[0]
    forward = [
        later.at
        for before, later in itertools.pairwise(watched)
        if (later.frame or 0) > (before.frame or 0) and later.at - before.at <= REST_S
    ]
    if forward:
        return forward[-1]
    return watched[0].at if watched else first
