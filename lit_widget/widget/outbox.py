"""Messages on their way to the views: pushed where the host lets threads send, kept for polling elsewhere."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from .to_view import Batch
from .wire import encode

Send = Callable[[dict[str, Any], list[bytes]], None]

Kept = tuple[dict[str, Any], list[bytes]]

MAX_KEPT = 1000
"""Messages kept for a view that polls; older ones are dropped, and the whole state is sent again instead."""


class Outbox:
    """Sends messages at once, or keeps them until a view polls.

    Args:
        send: puts one message on the wire.
        state: the newest, which a view must be told after messages were lost.
        must_poll: whether the host is known to drop what threads send.
    """

    def __init__(self, send: Send, state: Callable[[], Any], must_poll: Callable[[], bool]) -> None:
        self._send, self._state, self._must_poll = send, state, must_poll
        self._kept: deque[Kept] = deque(maxlen=MAX_KEPT)
        # Held while sending, so that what is sent later is not older.
        self._lock = threading.RLock()
        self._lost = False
        self.polling = must_poll()

    def post(self, message: Any, buffers: list[bytes] | None = None) -> None:
        """Deliver a message with its buffers; of a state always the newest, or one thread could bring back the old."""
        with self._lock:
            content = encode(message)
            if content["type"] == "state":
                content = encode(self._state())
            if self.polling:
                self._lost |= len(self._kept) == MAX_KEPT
                self._kept.append((content, buffers or []))
            else:
                self._send(content, buffers or [])

    def push(self) -> None:
        """Send at once again, first what was kept, unless the host is known to drop it; a view that misses it polls."""
        with self._lock:
            if self.polling and not self._must_poll():
                self.polling = False
                self._send_batch(self._taken())

    def poll(self) -> None:
        """Answer a view that asks; the first question tells that what was pushed before may be lost."""
        with self._lock:
            messages = self._taken()
            if self._lost or not self.polling:
                messages.append((encode(self._state()), []))
            self.polling, self._lost = True, False
            self._send_batch(messages)

    def _taken(self) -> list[Kept]:
        messages = list(self._kept)
        self._kept.clear()
        return messages

    def _send_batch(self, messages: list[Kept]) -> None:
        batch = Batch([message for message, _ in messages], [len(buffers) for _, buffers in messages])
        self._send(encode(batch), [buffer for _, buffers in messages for buffer in buffers])
