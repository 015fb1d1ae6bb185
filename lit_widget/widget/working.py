"""What all widgets with work in the background share: how to wait for it, how it fails, and a picture of it."""

from __future__ import annotations

import base64
import sys
import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import traitlets

from .comms import ThreadedWidget
from .outbox import Outbox
from .store.file import SessionFileError
from .to_view import Error
from .worker import Worker

PICTURE_WITHIN_S = 2.0
"""How long the output of a cell waits for its picture."""

MORE_ERRORS = 5
"""Errors beside the first that `wait` tells of one by one."""


def best_transport() -> str:
    """Colab drops what threads send; there the view asks instead."""
    return "poll" if "google.colab" in sys.modules else "push"


class WorkingWidget(ThreadedWidget):
    """A widget whose methods return at once and whose work is done by workers."""

    preview = traitlets.Bytes(help="JPEG of what the view shows, for readers without a kernel.").tag(sync=True)
    transport = traitlets.Enum(("push", "poll"), "push", help="How messages reach the view.").tag(sync=True)
    view_height = traitlets.Int(420, min=120, help="Height of the picture in CSS pixels.").tag(sync=True)

    _outbox: Outbox
    _model_worker: Worker
    _pixel_worker: Worker
    _errors: list[Exception]

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the work is done.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether it was done in time.

        Raises:
            Exception: the first error, since the last call, of work that methods asked for, with others as notes; a
                view shows the errors of its own.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        done = all(
            worker.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
            for worker in self._awaited()
        )
        if self._errors:
            (first, *more), self._errors = self._errors, []
            for each in more[:MORE_ERRORS]:
                first.add_note(f"also: {each}")
            if len(more) > MORE_ERRORS:
                first.add_note(f"and {len(more) - MORE_ERRORS} more")
            # The worker's frames would bury the sentence.
            raise first.with_traceback(None) from None
        return done

    def _awaited(self) -> Sequence[Worker]:
        """The workers that `wait` waits for, those first that give work to others."""
        return (self._model_worker,)

    @abstractmethod
    def _refresh_preview(self) -> None:
        """Make `preview` the picture of this moment."""

    def _picture_in_time(self) -> bool:
        """Whether `preview` could be made the picture of this moment while the user waits."""
        self._pixel_worker.submit(lambda _: self._refresh_preview())
        return self._pixel_worker.wait(PICTURE_WITHIN_S)

    def _not_saved(self, text: str) -> None:
        """Tell the views, and whoever waits: a script has no view."""
        self._outbox.post(Error(text))
        self._errors.append(SessionFileError(text))

    def _failed(self, error: Exception) -> None:
        known = isinstance(error, (ValueError, IndexError))
        text = str(error) if known else f"Unexpected {type(error).__name__}: {error}. What was done so far is kept."
        self._outbox.post(Error(text))

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget, and a picture of it for places that show notebooks without running them."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None or not (self._picture_in_time() or self.preview):
            return bundle
        data, metadata = bundle
        data["image/jpeg"] = base64.b64encode(self.preview).decode()
        return data, metadata
