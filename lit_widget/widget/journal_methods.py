"""What the widget tells of what was done to it."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .annotation import Annotation
from .journal import ACTIONS, Action, Journal
from .limits import AnnotationError
from .script import write_script

if TYPE_CHECKING:
    import pandas as pd


class Logged:
    """The methods of `LITWidget` that tell what was done, by mouse or by method."""

    _annotation: Annotation
    _journal: Journal
    _making: dict[str, Any]

    @property
    def log(self) -> pd.DataFrame:
        """Everything that was done, one row per action in order.

        In a reopened session what was done before is in it, too.

        Columns are `at_s` (seconds since the session was begun), `action` (the method that does it), `frame`, `object`,
        `by` ("view" or "method"), `outcome` ("done", "waiting", "stopped" on the way, "dropped" before it began,
        "failed", or "cut" off by the end of the kernel), `took_s` (seconds of work), `reached` (the last frame tracked
        to) and `told` (an error or a note).
        """
        return self._journal.table()

    def on(self, name: str | None, callback: Callable[[Action], object]) -> Callable[[], None]:
        """Have a function called whenever something was done, by mouse or by method.

        Args:
            name: of the method that does it: "click", "learn", "accept", "track", ...; `None` for all of them.
            callback: gets an `Action`: what was done, where, how it ended and how long it took. It is called on the
                thread that did it; what it raises is shown like any other error.

        Returns:
            A function without arguments that ends it.

        Raises:
            ValueError: if nothing of this name is done.

        Example:
            ```python
            stop = w.on("learn", lambda action: print("learned from frame", action.frame))
            ```
        """
        if name is not None and name not in ACTIONS:
            raise AnnotationError(f"nothing is called {name!r}; actions are {', '.join(ACTIONS)}, or None for all")
        return self._journal.listen(name, callback)

    def to_script(self, path: str | os.PathLike) -> pathlib.Path:
        """Write what was done as a Python script that does it again, to the same masks.

        Painted masks are put into a file beside the script. What was stopped on the way is stopped at the same frame.
        In a reopened session it begins with what was done before; where that is not all in the file, because an earlier
        version of lit_widget began it or the kernel was killed at work, the script says in its head that it is not
        complete.

        Args:
            path: the script, ending in `.py`; one that is there is replaced.

        Returns:
            The script's path.

        Raises:
            ValueError: if the path is not that of a script, or work is still waiting.
        """
        return write_script(pathlib.Path(path), self._journal, self._annotation, self._making)
