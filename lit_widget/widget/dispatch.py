"""From a view's message to the widget's method with the same effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lit_widget.video.learner import VideoItem

from . import messages as m
from .codec import encode_jpeg

if TYPE_CHECKING:
    from .widget import LITWidget

_ACTIONS: dict[type, Callable[[LITWidget, Any], object]] = {
    m.Click: lambda w, it: w.click(it.frame, it.x, it.y, positive=it.positive, object=it.object),
    m.ClearPrompts: lambda w, it: w.clear_prompts(it.frame, object=it.object),
    m.AddObject: lambda w, it: w.add_object(),
    m.Track: lambda w, it: w.track(it.start, stop=it.stop, reverse=it.reverse),
    m.Learn: lambda w, it: w.learn(it.frame, object=it.object),
    m.Flag: lambda w, it: w.flag(it.frame, object=it.object),
    m.Accept: lambda w, it: w.accept(),
    m.Reject: lambda w, it: w.reject(),
    m.Cancel: lambda w, it: w.cancel(),
    m.Undo: lambda w, it: w.undo(),
    m.Hello: lambda w, it: greet(w, it),
    m.Poll: lambda w, it: w._outbox.poll(),
    m.RequestFrames: lambda w, it: w._pixel_worker.submit(lambda _: send_frames(w, it.indices)),
    m.RequestMasks: lambda w, it: w._pixel_worker.submit(lambda _: send_masks(w, it.indices)),
}


def dispatch(widget: LITWidget, message: m.ToKernel) -> None:
    """Do what a view asks; returns at once, the work is queued."""
    _ACTIONS[type(message)](widget, message)


def greet(widget: LITWidget, hello: m.Hello) -> None:
    """Tell a new view everything but pixels."""
    if hello.protocol != m.PROTOCOL:
        text = f"This view speaks protocol {hello.protocol}, the kernel {m.PROTOCOL}: reload the page."
        widget._outbox.post(m.Error(text))
        return
    widget._outbox.post(widget._annotation.state)
    widget._annotation.show_proposal()


def send_frames(widget: LITWidget, indices: list[int]) -> None:
    """Send the frames that exist among `indices`."""
    known = [index for index in indices if 0 <= index < len(widget.frames)]
    widget._outbox.post(m.Frames(known), [encode_jpeg(widget.frames[index]) for index in known])


def send_masks(widget: LITWidget, indices: list[int]) -> None:
    """Send all objects' masks on these frames."""
    annotation = widget._annotation
    items = [VideoItem(index, each) for index in indices for each in annotation.names]
    annotation.show([item for item in items if 0 <= item.frame < len(widget.frames)])
