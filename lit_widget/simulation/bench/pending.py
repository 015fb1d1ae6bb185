"""Units that nobody has begun."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from .units import Unit


class Pending:
    """Units handed out so that a process stays with a video whose frames it has encoded; any thread may ask.

    Args:
        units: which.
    """

    def __init__(self, units: Iterable[Unit]) -> None:
        self._videos: dict[tuple[str, str], deque[Unit]] = {}
        for unit in units:
            self._videos.setdefault((unit.source, unit.video), deque()).append(unit)
        self._begun: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def take(self, last: Unit | None) -> Unit | None:
        """The next unit for a process whose last one is given: of the same video, of a new one, or of any."""
        with self._lock:
            left = {video: len(units) for video, units in self._videos.items() if units}
            if not left:
                return None
            same = None if last is None else (last.source, last.video)
            video = same if same in left else max(left, key=lambda each: (each not in self._begun, left[each]))
            self._begun.add(video)
            return self._videos[video].popleft()

    def put_back(self, unit: Unit) -> None:
        """Let somebody else have a unit that was taken and not finished."""
        with self._lock:
            self._videos[unit.source, unit.video].appendleft(unit)

    def __len__(self) -> int:
        with self._lock:
            return sum(map(len, self._videos.values()))
