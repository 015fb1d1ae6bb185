"""Finished units on disk: one file for each, there or not, never half."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lit_widget.simulation.folders import make_writable

from .units import Unit


class UnitStore:
    """A folder with a file per finished unit and one per failed unit; several processes may write to it at once.

    Args:
        folder: where; made when it is prepared or the first file is written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def prepare(self) -> None:
        """Make the folder and see that it can be written to.

        Raises:
            ValueError: if it cannot.
        """
        make_writable(self.folder)
        make_writable(self.folder / "units")

    def done(self, unit: Unit) -> bool:
        """Whether a unit is finished."""
        return self._result(unit.key).is_file()

    def save(self, unit: Unit, result: dict[str, Any]) -> None:
        """Keep the result of a finished unit."""
        write_whole(self._result(unit.key), json.dumps(result, indent=1) + "\n")
        self._failure(unit.key).unlink(missing_ok=True)

    def fail(self, unit: Unit, reason: str) -> None:
        """Keep why a unit failed; it is run again next time."""
        write_whole(self._failure(unit.key), reason)

    def load(self, units: Iterable[Unit]) -> list[dict[str, Any]]:
        """Results of those units that are finished, in the order given."""
        return self.load_keys(unit.key for unit in units)

    def load_keys(self, keys: Iterable[str]) -> list[dict[str, Any]]:
        """The same by the units' keys."""
        paths = [self._result(key) for key in keys]
        return [json.loads(path.read_text()) for path in paths if path.is_file()]

    def failures(self, keys: Iterable[str]) -> dict[str, str]:
        """Why units failed when they were last run, by key."""
        paths = {key: self._failure(key) for key in keys}
        return {key: path.read_text().strip().splitlines()[-1] for key, path in paths.items() if path.is_file()}

    def _result(self, key: str) -> Path:
        return self.folder / "units" / f"{key}.json"

    def _failure(self, key: str) -> Path:
        return self.folder / "failed" / f"{key}.txt"


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there or not, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text)
    partial.replace(path)
