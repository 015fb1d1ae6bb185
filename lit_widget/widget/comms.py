"""Comm plumbing: lets worker threads send, and clicks arrive while a cell runs, on every ipykernel since 6.17."""

from __future__ import annotations

import contextvars
from typing import Any

import anywidget


class ThreadedWidget(anywidget.AnyWidget):
    """An anywidget whose messages may be sent from any thread.

    ipykernel 7.0 raises `LookupError` when a bare thread sends, unless it runs in the context of a received
    message. ipykernel 7.4 routes a front end's messages to the shell that last published on the comm, so that a
    thread's message would make later clicks wait for the running cell; without that route they do not.
    """

    _message_context: contextvars.Context | None = None

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        self._message_context = contextvars.copy_context()
        super()._handle_msg(msg)

    def _send(self, msg: dict[str, Any], buffers: list[Any] | None = None) -> None:
        context = self._message_context
        if context is None:
            super()._send(msg, buffers)
        else:
            # A context cannot be entered twice at once; each send gets its own copy.
            context.copy().run(super()._send, msg, buffers)
        self._forget_route()

    def open(self) -> None:
        """Open the comm."""
        super().open()
        self._forget_route()

    def _forget_route(self) -> None:
        if self.comm is not None:
            getattr(self.comm, "__dict__", {}).pop("_reply_subshell_id", None)
