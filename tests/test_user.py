import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lit_widget.simulation.user import Click, SimulatedUser, centre_click

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))
MASKS = SHAPES.flatmap(lambda shape: st.tuples(*[arrays(bool, shape)] * 3))


def slow_click(predicted, target, valid):
    """The rule written out: squared distances to every pixel outside an error map, the image's surroundings too."""
    h, w = target.shape
    best = {}
    for positive in (True, False):
        wrong = {
            (y, x)
            for y, x in np.ndindex(h, w)
            if valid[y, x] and target[y, x] == positive and predicted[y, x] != positive
        }
        right = [(y, x) for y in range(-1, h + 1) for x in range(-1, w + 1) if (y, x) not in wrong]
        depth = {p: min((p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 for q in right) for p in wrong}
        deepest = max(depth.values(), default=0)
        best[positive] = deepest, min((p for p in wrong if depth[p] == deepest), default=None)
    positive = best[True][0] > best[False][0]
    place = best[positive][1]
    return place and Click(float(place[1]), float(place[0]), positive)


def rectangle(y0, y1, x0, x1, shape=(20, 30)):
    mask = np.zeros(shape, bool)
    mask[y0:y1, x0:x1] = True
    return mask


EMPTY = rectangle(0, 0, 0, 0)


@given(MASKS)
def test_equals_the_rule_written_out(masks):
    predicted, target, valid = masks
    assert centre_click(predicted, target, valid) == slow_click(predicted, target, valid)
    assert centre_click(predicted, target) == slow_click(predicted, target, np.ones_like(valid))


def test_missed_and_surplus():
    target = rectangle(2, 9, 4, 15)
    assert centre_click(EMPTY, target) == Click(7.0, 5.0, positive=True)
    assert centre_click(target, EMPTY) == Click(7.0, 5.0, positive=False)
    assert centre_click(target, target) is None


def test_a_tie_is_negative():
    left, right = rectangle(2, 7, 2, 7), rectangle(2, 7, 20, 25)
    assert centre_click(left, right) == Click(4.0, 4.0, positive=False)
    assert centre_click(right, left) == Click(22.0, 4.0, positive=False)
    assert centre_click(left, rectangle(2, 9, 18, 25)) == Click(21.0, 5.0, positive=True)


def test_the_border_of_the_image_limits_an_error():
    assert centre_click(EMPTY, ~EMPTY) == Click(9.0, 9.0, positive=True)


def test_void_is_never_wrong():
    target, valid = rectangle(0, 20, 0, 15), ~rectangle(0, 20, 0, 14)
    assert centre_click(EMPTY, target, valid) == Click(14.0, 0.0, positive=True)
    assert centre_click(EMPTY, target, EMPTY) is None


def test_is_error_is_strict():
    user = SimulatedUser(tau=0.75)
    assert user.is_error(0.7499)
    assert not user.is_error(0.75)
    assert SimulatedUser().max_clicks == 3


def test_centre_style_is_centre_click():
    target = rectangle(2, 9, 4, 15)
    assert SimulatedUser().click(EMPTY, target) == centre_click(EMPTY, target)
    assert SimulatedUser(seed=1).click(EMPTY, target) == SimulatedUser(seed=2).click(EMPTY, target)


def test_uniform_style():
    target, predicted = rectangle(2, 9, 4, 15), rectangle(5, 12, 4, 15)
    user = SimulatedUser(style="uniform", seed=4)
    clicks = [user.click(predicted, target) for _ in range(200)]
    for click in clicks:
        y, x = int(click.y), int(click.x)
        assert predicted[y, x] != target[y, x] == click.positive
    assert 60 < sum(click.positive for click in clicks) < 140
    assert len(set(clicks)) > 40
    again = SimulatedUser(style="uniform", seed=4)
    assert clicks == [again.click(predicted, target) for _ in range(200)]
    assert user.click(target, target) is None
    assert user.click(predicted, target, EMPTY) is None


def test_impossible_habits():
    for habits, reason in [
        ({"tau": 1.5}, "tau"),
        ({"max_clicks": -1}, "max_clicks"),
    ]:
        with pytest.raises(ValueError, match=reason):
            SimulatedUser(**habits)
