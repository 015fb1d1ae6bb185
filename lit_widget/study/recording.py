"""The widget of a study: every action, by mouse or by method, is logged with its time."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from typing import Any

from lit_widget.core.session import Accepted, Corrected, Event
from lit_widget.widget.limits import AnnotationError
from lit_widget.widget.to_view import Error
from lit_widget.widget.widget import LITWidget

from .timing import LogEvent

Log = Callable[[LogEvent], None]


def _logged(method: Callable[..., None], kind: str) -> Any:
    """A method of the widget that is logged once it has not been refused, at the time at which it was called."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def logging(self: StudyWidget, *given: Any, **options: Any) -> None:
        at = time.time()
        method(self, *given, **options)
        frame = signature.bind(self, *given, **options).arguments.get("frame")
        self._log(LogEvent(at, kind, frame, method.__name__))

    return logging


class StudyWidget(LITWidget):
    """`LITWidget` whose actions are logged; a view needs nothing new for it."""

    _log: Log = staticmethod(lambda _: None)

    click = _logged(LITWidget.click, "touch")
    box = _logged(LITWidget.box, "touch")
    give_mask = _logged(LITWidget.give_mask, "touch")
    flag = _logged(LITWidget.flag, "touch")
    clear_prompts = _logged(LITWidget.clear_prompts, "clear")
    track = _logged(LITWidget.track, "confirm")
    learn = _logged(LITWidget.learn, "confirm")
    accept = _logged(LITWidget.accept, "confirm")
    cancel = _logged(LITWidget.cancel, "stop")
    interrupt = _logged(LITWidget.interrupt, "stop")
    remove_prompt = _logged(LITWidget.remove_prompt, "other")
    reject = _logged(LITWidget.reject, "other")
    undo = _logged(LITWidget.undo, "other")
    redo = _logged(LITWidget.redo, "other")
    forget = _logged(LITWidget.forget, "other")

    def set_learning(self, on: bool) -> None:
        """Refuse: whether there is learning is what the study compares."""
        raise AnnotationError("the study decides whether there is learning")

    def add_object(self, name: str | None = None) -> int:
        """Refuse: the target is the one object of a task."""
        raise AnnotationError("a task has one object, the target")

    def delete_object(self, object_id: int) -> None:
        """Refuse: the target is the one object of a task."""
        raise AnnotationError("a task has one object, the target")

    def listen(self, log: Log) -> None:
        """Tell `log` from now on what happens."""
        self._log = log
        # What was learned and saved would tell the participants what is being tested.
        self._annotation.tells_learning = False
        self._annotation.publish()
        self.observe(lambda change: log(LogEvent(time.time(), "frame", change["new"])), "frame_index")
        recorded = self._annotation.heard

        def heard(event: Event) -> None:
            recorded(event)
            if isinstance(event, Corrected | Accepted):
                kind = "correct" if isinstance(event, Corrected) else "accept"
                spent = 0.0 if event.update is None else event.update.update_s
                log(LogEvent(time.time(), kind, event.prediction.item.frame, f"{spent:.4f}"))

        self._annotation.heard = heard

    def show_error(self, text: str) -> None:
        """Tell the participant that something went wrong."""
        self._outbox.post(Error(text))

    @property
    def unconfirmed(self) -> list[int]:
        """Frames on which a correction stands that was not confirmed."""
        return sorted(item.frame for item, standing in self._annotation.pending.items() if standing.prediction)
