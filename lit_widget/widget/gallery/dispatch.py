"""From a gallery's message to the method with the same effect, or to the answer it asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lit_widget.widget import messages as shared

from . import messages as m

if TYPE_CHECKING:
    from .answers import Answers
    from .widget import LITClassifier

_ACTIONS: dict[type, Callable[[LITClassifier, Any], object]] = {
    m.Label: lambda w, it: w.label(it.image, it.label),
    m.Skip: lambda w, it: w.skip(it.image),
    m.SetFlag: lambda w, it: w.flag(it.image, on=it.on),
    m.Show: lambda w, it: w.show(it.image),
    m.ShowGroup: lambda w, it: w.show_group(it.group),
    m.Unlearn: lambda w, it: w.unlearn(it.image),
    m.Look: lambda w, _: w.look(),
    shared.Cancel: lambda w, _: w.cancel(),
    shared.Undo: lambda w, _: w.undo(),
    shared.Redo: lambda w, _: w.redo(),
    shared.SetLearning: lambda w, it: w.set_learning(it.on),
}

_QUESTIONS: dict[type, Callable[[Answers, Any], object]] = {
    shared.Hello: lambda a, it: a.greet(it.protocol),
    shared.Poll: lambda a, _: a.poll(),
    m.RequestPictures: lambda a, it: a.pictures(it.images, large=it.large),
}


def dispatch(widget: LITClassifier, answers: Answers, message: m.FromGallery) -> None:
    """Do what a view asks; returns at once, the work is queued."""
    if type(message) in _ACTIONS:
        _ACTIONS[type(message)](widget, message)
    else:
        _QUESTIONS[type(message)](answers, message)
