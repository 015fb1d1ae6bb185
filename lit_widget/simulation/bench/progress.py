"""The progress bar of an experiment."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tqdm.auto import tqdm

from .units import Unit
from .watch import Watch


class Progress:
    """A bar over all units, which begins at those that earlier runs finished.

    Args:
        total: number of units.
        finished: how many of them are finished.
        show: whether there is a bar.

    Attributes:
        failed: why each failed unit failed, by its key.
    """

    def __init__(self, total: int, finished: int, *, show: bool) -> None:
        self.failed: dict[str, str] = {}
        self._bar = tqdm(total=total, initial=finished, disable=not show, unit="unit")
        self._workers = ""

    def watch(self, stopped: Callable[[], bool]) -> Watch:
        """What a run calls.

        Args:
            stopped: whether no more units should be begun.
        """
        return Watch(self._begun, self._count, stopped)

    def report(self, unit: Unit, reason: str | None) -> None:
        """A unit was run; a reason says why it failed."""
        if reason is not None:
            self.failed[unit.key] = reason
            self._bar.write(f"failed: {unit.video}, object {unit.object}, {unit.arm}: {reason}", file=sys.stderr)
        self._bar.update()

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()

    def _begun(self, unit: Unit) -> None:
        self._bar.set_description(f"{self._workers}{unit.video} · object {unit.object} · {unit.arm.way}")

    def _count(self, n: int) -> None:
        counted = f"{n} worker{'' if n == 1 else 's'}"
        self._workers = f"{counted} · "
        self._bar.set_description(counted)
