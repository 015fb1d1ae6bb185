"""What a participant sees around the widget: the target to look at first, instructions, and buttons to go on."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

import ipywidgets
import numpy as np
from jaxtyping import Bool

from lit_widget.video.frames import Frames
from lit_widget.video.overlay import overlay
from lit_widget.widget.codec import encode_jpeg
from lit_widget.widget.objects import PALETTE

from .planning import Task

if TYPE_CHECKING:
    from .recording import StudyWidget

COLOUR_NAME, COLOUR = next(iter(PALETTE.items()))
"""Of the target, before and while it is annotated."""

WIDTH = 960
"""Pixels across of the pictures of the target."""

HEIGHT = 420
"""CSS pixels that they are shown in, as high as the widget's own picture, so that the buttons are in sight."""

HOW_TO = (
    "Click the target on the first frame and press <b>T</b> to track it. Where the mask is wrong, stop at once, click "
    "until it is right, and press <b>Enter</b>. Press <b>Done</b> when every frame is as you saw it."
)

WITH_PROPOSALS = (
    " Before you correct an error, press <b>W</b>: a better mask may be proposed, which <b>A</b> accepts and <b>R</b> "
    "refuses."
)


def html(text: str) -> ipywidgets.HTML:
    """A paragraph; what is not ours in it must be escaped."""
    return ipywidgets.HTML(f"<p>{text}</p>")


def button(text: str, do: Callable[[], None], say: Callable[[str], None]) -> ipywidgets.Button:
    """A button; what is refused is said."""

    def pressed(_: object) -> None:
        try:
            do()
        except ValueError as error:
            say(f"<b>{escape(str(error))}</b>")

    made = ipywidgets.Button(description=text, button_style="primary")
    made.on_click(pressed)
    return made


class TruthScreen(ipywidgets.VBox):
    """The target on every frame in its colour; annotation can begin once it was played to the end.

    Args:
        title: what comes.
        frames: the video.
        target: what is to be masked.
        begin: called when the participant begins.
    """

    def __init__(
        self, title: str, frames: Frames, target: Bool[np.ndarray, "t h w"], begin: Callable[[], None]
    ) -> None:
        self._frames, self._target = frames, target
        last = len(frames) - 1
        note = html(f"{title} Watch the target, in <b>{COLOUR_NAME}</b>, to the end; then begin.")
        self.player = ipywidgets.Play(max=last, interval=round(1000 / frames.fps), show_repeat=False)
        slider = ipywidgets.IntSlider(max=last, readout=False, disabled=True)
        ipywidgets.jslink((self.player, "value"), (slider, "value"))
        fitted = ipywidgets.Layout(
            height=f"{HEIGHT}px", max_width="100%", object_fit="contain", align_self="flex-start"
        )
        self._picture = ipywidgets.Image(format="jpeg", value=self._painted(0), layout=fitted)
        self.begin = button("Begin", begin, lambda text: setattr(note, "value", text))
        self.begin.disabled = last > 0
        self.player.observe(self._show, "value")
        super().__init__([note, self._picture, ipywidgets.HBox([self.player, slider, self.begin])])

    def _show(self, change: dict) -> None:
        self._picture.value = self._painted(change["new"])
        if change["new"] == self.player.max:
            self.begin.disabled = False

    def _painted(self, frame: int) -> bytes:
        picture = self._frames[frame]
        # As wide on the screen whatever the size of the video.
        outline = max(1, round(picture.shape[0] / 200))
        return encode_jpeg(overlay(picture, [(COLOUR, self._target[frame])], outline=outline), max_width=WIDTH)


class TaskScreen(ipywidgets.VBox):
    """The widget, what to do with it, and a button to end."""

    def __init__(self, title: str, task: Task, widget: StudyWidget, done: Callable[[], None]) -> None:
        note, trouble = html(title + " " + HOW_TO + (WITH_PROPOSALS if task.condition == "lit" else "")), html("")
        self.done = button("Done", done, lambda text: setattr(trouble, "value", text))
        super().__init__([note, widget, trouble, self.done])


def title_of(task: Task, n_tasks: int) -> str:
    """Where a participant is."""
    practice = "" if task.counted else ", for practice"
    return f"Video {task.number} of {n_tasks}{practice}."
