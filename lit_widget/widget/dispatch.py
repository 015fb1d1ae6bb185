"""From a view's message to the widget's method with the same effect, or to the answer it asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from . import messages as m
from .codec import decode_mask

if TYPE_CHECKING:
    from .answers import Answers
    from .widget import LITWidget

Buffer = bytes | memoryview

# What each message does; the lambdas give every action the same two arguments.
_ACTIONS: dict[type, Callable[[LITWidget, Any], object]] = {
    m.Click: lambda w, it: w.click(it.frame, it.x, it.y, positive=it.positive, object_id=it.object),
    m.Box: lambda w, it: w.box(it.frame, it.x0, it.y0, it.x1, it.y1, object_id=it.object),
    m.RemovePrompt: lambda w, it: w.remove_prompt(it.frame, it.index, object_id=it.object),
    m.ClearPrompts: lambda w, it: w.clear_prompts(it.frame, object_id=it.object),
    m.AddObject: lambda w, _: w.add_object(),
    m.Choose: lambda w, it: w.choose(it.object),
    m.EditObject: lambda w, it: w.edit_object(
        it.object, name=it.name, colour=it.colour, hidden=it.hidden, locked=it.locked
    ),
    m.DeleteObject: lambda w, it: w.delete_object(it.object),
    m.Track: lambda w, it: w.track(it.start, stop=it.stop, reverse=it.reverse),
    m.SetRange: lambda w, it: w.set_range(it.first, it.last),
    m.SetLearning: lambda w, it: w.set_learning(it.on),
    m.Learn: lambda w, it: w.learn(it.frame, object_id=it.object),
    m.Flag: lambda w, it: w.flag(it.frame, object_id=it.object),
    m.Accept: lambda w, it: w.accept(it.candidate),
    m.Reject: lambda w, _: w.reject(),
    m.Cancel: lambda w, _: w.cancel(),
    m.Interrupt: lambda w, _: w.interrupt(),
    m.Undo: lambda w, _: w.undo(),
    m.Redo: lambda w, _: w.redo(),
    m.Forget: lambda w, it: w.forget(it.frame, object_id=it.object),
}

_QUESTIONS: dict[type, Callable[[Answers, Any], object]] = {
    m.Hello: lambda a, it: a.greet(it.protocol),
    m.Poll: lambda a, _: a.poll(),
    m.RequestFrames: lambda a, it: a.frames(it.indices),
    m.RequestMasks: lambda a, it: a.masks(it.indices),
    m.Preview: lambda a, it: a.preview(it),
}


def dispatch(widget: LITWidget, answers: Answers, message: m.ToKernel, buffers: Sequence[Buffer] = ()) -> None:
    """Do what a view asks; returns at once, the work is queued.

    Raises:
        MessageError: if the buffers are not what the message needs.
    """
    if isinstance(message, m.GiveMask):
        if len(buffers) != 1:
            raise m.MessageError(f"message 'giveMask': expected one buffer, got {len(buffers)}")
        mask = decode_mask(buffers[0], (widget.frames.height, widget.frames.width))
        widget.give_mask(message.frame, mask, object_id=message.object)
    elif type(message) in _ACTIONS:
        _ACTIONS[type(message)](widget, message)
    else:
        _QUESTIONS[type(message)](answers, message)
