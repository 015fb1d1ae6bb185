"""Finished units on disk: one file for each, there or not, never half."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

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
        units = self.folder / "units"
        try:
            units.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=units):
                pass
        except OSError as error:
            raise ValueError(
                f"results cannot be written to {self.folder} ({error.strerror}); give a folder that can be written to"
            ) from None

    def done(self, unit: Unit) -> bool:
        """Whether a unit is finished."""
        return self._path(unit).is_file()

    def save(self, unit: Unit, result: dict[str, Any]) -> None:
        """Keep the result of a finished unit."""
        _write(self._path(unit), json.dumps(result, indent=1) + "\n")
        self._failure(unit).unlink(missing_ok=True)

    def fail(self, unit: Unit, reason: str) -> None:
        """Keep why a unit failed; it is run again next time."""
        _write(self._failure(unit), reason)

    def load(self, units: Iterable[Unit]) -> list[dict[str, Any]]:
        """Results of those units that are finished, in the order given."""
        return [json.loads(self._path(unit).read_text()) for unit in units if self.done(unit)]

    def _path(self, unit: Unit) -> Path:
        return self.folder / "units" / f"{unit.key}.json"

    def _failure(self, unit: Unit) -> Path:
        return self.folder / "failed" / f"{unit.key}.txt"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text)
    partial.replace(path)
