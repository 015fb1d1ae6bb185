"""How sure masks are, the next doubtful frame, and the range beyond which nothing is tracked."""

import numpy as np
import pytest
from helpers import clip, done, pocket, widget_on

from lit_widget.simulation.metrics import iou
from lit_widget.widget.confidence import NO_MASK, next_doubtful
from lit_widget.widget.limits import AnnotationError
from lit_widget.widget.widget import LITWidget

FRAMES = 10
TARGET = clip("occlusion", 0, FRAMES).target


@pytest.fixture
def widget(request):
    """An object that is lost behind another one."""
    widget, widget.heard = widget_on("occlusion", frames=FRAMES, quality=getattr(request, "param", "predicted"))
    widget.give_mask(0, TARGET[0])
    widget.track()
    yield done(widget)
    widget.close()


@pytest.mark.parametrize("widget", ["predicted", "learned"], indirect=True)
def test_what_was_lost_is_doubtful(widget):
    sure = widget.confidence()
    right = [iou(mask, truth) > 0.5 for mask, truth in zip(widget.masks(), TARGET, strict=True)]
    assert 0 < sum(right) < FRAMES
    assert sure[0] == 1
    assert np.mean(sure[right]) > np.mean(sure[np.invert(right)]) + 0.1
    found = widget.next_doubtful()
    assert found == widget.frame_index
    assert not right[found]
    assert widget.next_doubtful(below=0.01) is None


def test_what_a_person_settles_is_certain(widget):
    frame = widget.next_doubtful()
    widget.give_mask(frame, TARGET[frame])
    widget.learn(frame)
    assert done(widget).confidence()[frame] == 1
    assert widget.next_doubtful() != frame
    widget.add_object()
    assert np.isnan(widget.confidence()).all()
    told = [(message, buffers) for message, buffers in widget.heard if message["type"] == "confidenceStrips"]
    objects, strips = told[-1][0]["objects"], told[-1][1]
    assert objects == [1, 2]
    assert strips[0] == widget._annotation.confidence.strip(1)
    assert strips[1] == bytes([NO_MASK]) * FRAMES


def test_the_worst_of_the_next_stretch():
    strip = [90, 60, 30, 50, 90, NO_MASK, 69, 90]
    assert [next_doubtful(strip, after) for after in (0, 1, 2, 3, 6, 7)] == [2, 2, 6, 6, 2, 2]
    assert next_doubtful(strip, 0, below=20) is None


def tracked(widget):
    return [frame for frame in range(FRAMES) if widget.mask(frame) is not None]


def test_tracking_stays_in_the_range():
    widget, _ = widget_on("occlusion", frames=FRAMES)
    widget.give_mask(4, TARGET[4])
    widget.set_range(2, 6)
    widget.track(4)
    widget.track(4, reverse=True)
    assert tracked(done(widget)) == [*range(2, 7)]
    assert widget._annotation.state.range == [2, 6]
    widget.give_mask(6, TARGET[6])
    widget.learn(6)
    assert done(widget).mask(7) is None
    widget.track(8)
    with pytest.raises(AnnotationError, match="frame 8 lies outside the range from 2 to 6; start within it"):
        widget.wait()
    for wrong, part in [((5, 3), "begins on frame 5 and ends before it, on 3"), ((0, FRAMES), "does not exist")]:
        with pytest.raises(AnnotationError, match=part):
            widget.set_range(*wrong)
    widget.set_range(6)
    assert widget._annotation.state.range == [6, FRAMES - 1]
    widget.set_range()
    widget.track(6)
    assert tracked(done(widget)) == [*range(2, FRAMES)]
    widget.close()


def test_another_quality_is_refused():
    with pytest.raises(AnnotationError, match="quality is 'best'; give 'predicted' or 'learned'"):
        LITWidget(clip().frames, model=pocket(), quality="best")


def test_the_learned_quality_learns_from_corrections():
    widget, _ = widget_on("occlusion", frames=FRAMES, quality="learned")
    widget.give_mask(0, TARGET[0])
    widget.track()
    before = done(widget).confidence()
    widget.set_range(6, 6)
    for frame in (4, 5):
        widget.give_mask(frame, TARGET[frame])
        widget.learn(frame)
    done(widget)
    estimator = widget._annotation.confidence._estimator
    assert estimator is not None
    assert len(estimator.model._verdicts) == 2
    widget.track(6)
    assert done(widget).confidence()[6] != before[6]
    widget.close()
