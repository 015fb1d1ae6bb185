"""What the user can say of an object on a frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lit_widget.video.adaptation import VideoItem

from .activity import Activity
from .annotation import Annotation
from .codec import encode_mask
from .journal import action, doing
from .limits import check_point, checked_mask
from .to_view import JobKind


class PromptMethods:
    """The methods of `LITWidget` that give prompts and take them back."""

    _annotation: Annotation
    _item: Callable[[int, int | None], VideoItem]
    _submit: Callable[[JobKind, Callable[[Activity], None]], None]

    @action
    def click(self, frame: int, x: float, y: float, *, positive: bool = True, object_id: int | None = None) -> None:
        """Click a pixel of a frame: on the object, or off it with `positive=False`.

        Args:
            frame: which, from 0.
            x: from the left, in pixels of the video.
            y: from the top, in pixels of the video.
            positive: whether the object is there.
            object_id: which object; the active one by default.

        Raises:
            ValueError: if there is no such frame, object or pixel.
        """
        item = self._item(frame, object_id)
        check_point(self._annotation.learner.size, x, y)
        self._submit("predict", lambda _: self._annotation.click(item, x, y, positive=positive))

    @action
    def box(self, frame: int, x0: float, y0: float, x1: float, y1: float, *, object_id: int | None = None) -> None:
        """Draw a box around the object; it replaces earlier prompts on this frame.

        Args:
            frame: which, from 0.
            x0: left, in pixels of the video.
            y0: top.
            x1: right.
            y1: bottom.
            object_id: which object; the active one by default.

        Raises:
            ValueError: if there is no such frame or object.
        """
        item = self._item(frame, object_id)
        self._submit("predict", lambda _: self._annotation.box(item, (x0, y0, x1, y1)))

    @action
    def give_mask(self, frame: int, mask: np.ndarray, *, object_id: int | None = None) -> None:
        """Give the whole mask of a frame.

        Args:
            frame: which, from 0.
            mask: (H, W) of bool or of 0 and 1, as large as the video.
            object_id: whose; the active object's by default.

        Raises:
            ValueError: if there is no such frame or object, or the mask's shape or values do not fit.
        """
        item, checked = self._item(frame, object_id), checked_mask(self._annotation.learner.size, mask)
        if entry := doing():
            entry.arguments["mask"] = encode_mask(checked)
        self._submit("predict", lambda _: self._annotation.give_mask(item, checked))

    @action
    def remove_prompt(self, frame: int, index: int, *, object_id: int | None = None) -> None:
        """Take back one click on a frame that was not learned.

        Args:
            frame: which, from 0.
            index: which of the frame's clicks, from 0.
            object_id: whose; the active object's by default.

        Raises:
            ValueError: if there is no such frame or object.
        """
        item = self._item(frame, object_id)
        self._submit("predict", lambda _: self._annotation.remove_prompt(item, index))

    @action
    def clear_prompts(self, frame: int, *, object_id: int | None = None) -> None:
        """Take back the prompts on a frame that were not learned.

        Args:
            frame: which, from 0.
            object_id: whose; the active object's by default.

        Raises:
            ValueError: if there is no such frame or object.
        """
        item = self._item(frame, object_id)
        self._submit("predict", lambda _: self._annotation.clear_prompts(item))
