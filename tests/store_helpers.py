"""What tests of session files share: a session with something of everything, and what it holds."""

import sqlite3

import numpy as np
from helpers import clip, done, widget_on

from lit_widget.widget.describe import describe

TARGET = clip("union").target


def written_in(folder):
    """A session file in a folder, and what the widget that wrote it held."""
    path = folder / "clip.lit"
    widget = worked(path)
    held = contents(widget)
    widget.close()
    return path, held


def worked(path, **options):
    """A widget with a correction learned, a proposal accepted, and a second object that was clicked."""
    widget, _ = widget_on(session=path, **options)
    widget.give_mask(0, TARGET[0])
    widget.track()
    widget.give_mask(3, TARGET[3])
    widget.learn(3)
    done(widget)
    widget.flag(5)
    widget.accept()
    widget.set_range(1, 7)
    second = widget.add_object("bike <b>")
    widget.edit_object(second, colour="#112233", locked=False)
    widget.click(2, 30.0, 40.0, object_id=second)
    widget.click(2, 31.0, 44.0, object_id=second, positive=False)
    return done(widget)


def contents(widget):
    annotation = widget._annotation
    return {
        "masks": {each: widget.masks(object_id=each) for each in widget.objects},
        "status": {
            (each, frame): record.status
            for each in widget.objects
            for frame, record in sorted(annotation.learner.bank(each).records.items())
        },
        "things": dict(annotation.objects.things),
        "clicks": dict(annotation.clicks),
        "points": {item: pending.points for item, pending in annotation.pending.items()},
        "range": annotation.range,
        "adapters": annotation.learner.adapters.snapshot(),
        "losses": describe(annotation).adapters[0].losses,
    }


def same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        if name == "masks":
            assert value.keys() == other[name].keys()
            assert all(np.array_equal(value[each], other[name][each]) for each in value)
        elif name == "adapters":
            assert value.keys() == other[name].keys()
            for place, state in value.items():
                again = other[name][place]
                assert (state.version, state.learned_from) == (again.version, again.learned_from)
                assert all((state.tensors[each] == again.tensors[each]).all() for each in state.tensors)
        else:
            assert value == other[name], name


def alter(path, statement, *values):
    """What somebody else may have done to a file."""
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()
