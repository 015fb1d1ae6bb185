"""The mask that a click would give, shown while the pointer rests and nothing else is to be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

from lit_widget.video.adaptation import VideoItem

from .annotation import Annotation
from .codec import encode_mask
from .limits import AnnotationError
from .messages import Preview
from .to_view import PreviewMask, ToView
from .worker import Worker

Post = Callable[[ToView, list[bytes]], None]


class Hover:
    """Answers the newest question alone, and none while the model is at work.

    Args:
        annotation: what would be clicked.
        model: the worker that owns the model.
        post: sends a message and its buffers.
    """

    def __init__(self, annotation: Annotation, model: Worker, post: Post) -> None:
        self._annotation, self._model, self._post = annotation, model, post
        self._asked: Preview | None = None

    def ask(self, question: Preview) -> None:
        """Answer soon, unless a newer question comes or there is work."""
        waiting, self._asked = self._asked is not None, question
        if not waiting and self._annotation.previews and not self._model.busy:
            self._model.submit(lambda _: self._answer(), self._forget)
        elif not waiting:
            self._forget()

    def _forget(self) -> None:
        self._asked = None

    def _answer(self) -> None:
        question, self._asked = self._asked, None
        if question is None:
            return
        item = VideoItem(question.frame, question.object)
        try:
            output = self._annotation.would_give(item, question.x, question.y, positive=question.positive)
        except AnnotationError:
            return
        mask = encode_mask(self._annotation.learner.mask(output))
        self._post(PreviewMask(*astuple(question)), [mask])
