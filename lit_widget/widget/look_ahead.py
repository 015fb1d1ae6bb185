"""Frames are encoded while the user looks at them, so that the first click and the first frames tracked are quick."""

from __future__ import annotations

from collections.abc import Callable

from lit_widget.video.interruptible import interruptible
from lit_widget.video.learner import VideoLearner

from .warm_up import warm_up

AHEAD = 8
"""How many frames: the one that is shown, and those that tracking would meet after it."""


class LookAhead:
    """Encodes one frame after the other.

    Args:
        learner: keeps the encoded frames.
        shown: which frame the user looks at, or `None` where there is no view: a script pays for what it asks for.
    """

    def __init__(self, learner: VideoLearner, shown: Callable[[], int | None]) -> None:
        self._learner, self._shown = learner, shown

    def __call__(self, asked: Callable[[], bool]) -> bool:
        """Encode the next frame, or leave it when asked for something else; returns whether there was one."""
        features, first = self._learner.features, self._shown()
        if first is None:
            return False
        near = range(first, min(first + AHEAD, len(self._learner.frames)))
        missing = next((frame for frame in near if frame not in features), None)
        if missing != first:
            warm_up()
        if missing is None:
            return False
        # What is asked for is mostly a click on the frame that is shown, which would have to be encoded all the same.
        with interruptible(self._learner.model.module.image_encoder, lambda: asked() and self._shown() != missing):
            features[missing]
        return True
