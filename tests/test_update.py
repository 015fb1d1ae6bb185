"""The online update on a single number: steps, early stops and rollbacks."""

from itertools import count

import pytest
import torch
from torch import nn

from lit_widget.core.update import UpdateConfig, limited_threads, online_update

NAN = float("nan")


DEFAULT = UpdateConfig()


def run(*, config=DEFAULT, score=lambda _: 0.5, loss=lambda _, output: (output - 1.0) ** 2, **options):
    """Fit one parameter from 0 towards 1; `score` and `loss` are given the step."""
    parameter = nn.Parameter(torch.zeros(()))
    steps = count()

    def once():
        step = next(steps)
        return loss(step, parameter * 1.0), score(step)

    return parameter, online_update([parameter], [once], config, version=7, **options)


def test_the_defaults_are_the_papers():
    assert UpdateConfig() == UpdateConfig(epochs=40, patience=10, good=0.6, hopeless=10, samples=1, batch=1)
    assert UpdateConfig().rate == 1e-4


def test_what_is_not_given_is_the_models_own():
    own = UpdateConfig(learning_rate=1e-3, threads=1, epochs=7)
    assert UpdateConfig(epochs=20).over(own) == UpdateConfig(learning_rate=1e-3, threads=1, epochs=20)
    assert UpdateConfig(learning_rate=0.5, threads=2).over(own) == UpdateConfig(learning_rate=0.5, threads=2)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"learning_rate": 0.0}, "positive number"),
        ({"learning_rate": NAN}, "positive number"),
        ({"epochs": 0}, "epochs of at least 1"),
        ({"samples": 0}, "samples of at least 1"),
        ({"batch": 0}, "batch of at least 1"),
        ({"samples": 2, "batch": 5}, "batch of 5 cannot be drawn from 2 corrections"),
    ],
)
def test_settings_that_learn_nothing_are_refused(setting, reason):
    with pytest.raises(ValueError, match=reason):
        UpdateConfig(**setting)


def test_all_epochs_are_run_and_reported():
    parameter, report = run()
    assert (report.stopped, report.version, report.rolled_back) == ("epochs", 7, False)
    assert len(report.losses) == len(report.scores) == 40
    assert report.losses[0] == 1.0
    assert report.losses[-1] < report.losses[0]
    assert report.update_s > 0
    # AdamW's steps on a steady slope are as long as the rate.
    assert parameter.item() == pytest.approx(40e-4, rel=1e-2)
    assert parameter.grad is None


def test_no_weight_decay():
    still = nn.Parameter(torch.tensor(100.0))
    moving = nn.Parameter(torch.tensor(0.0))
    online_update(
        [still, moving],
        [lambda: ((moving + 0.0 * still - 1.0) ** 2, 0.5)],
        UpdateConfig(learning_rate=0.1),
        version=1,
    )
    assert still.item() == 100.0
    assert moving.item() > 0.5


def test_it_trains_where_gradients_are_off():
    with torch.no_grad():
        parameter, _ = run()
    assert parameter.item() > 0


@pytest.mark.parametrize(
    ("score", "steps", "stopped"),
    [
        (lambda _: 0.7, 11, "patience"),
        (lambda step: 0.7 if step < 5 else 0.8, 16, "patience"),
        (lambda step: 0.65 + step / 1000, 40, "epochs"),
        (lambda _: 0.6, 40, "epochs"),
        (lambda _: 0.0, 11, "hopeless"),
        (lambda step: 0.01 * (step == 10), 40, "epochs"),
        (lambda step: 0.01 * (step == 0), 40, "epochs"),
    ],
    ids=["level", "one gain", "steady gain", "not good enough", "nothing", "just in time", "once something"],
)
def test_early_stops(score, steps, stopped):
    parameter, report = run(score=score)
    assert (len(report.losses), report.stopped, report.rolled_back) == (steps, stopped, False)
    assert report.version == 7
    assert parameter.item() > 0


def test_a_non_finite_loss_rolls_back():
    parameter, report = run(loss=lambda step, output: output * (NAN if step == 3 else 1.0))
    assert (report.stopped, report.rolled_back, report.version) == ("non-finite", True, 6)
    assert len(report.losses) == 4
    assert parameter.item() == 0.0
    assert parameter.grad is None


def test_a_last_step_to_infinity_rolls_back():
    """The loss is finite at every step, yet the weights are not after the last."""
    parameter, report = run(config=UpdateConfig(learning_rate=3e37, epochs=12), loss=lambda _, output: -output)
    assert all(abs(loss) < float("inf") for loss in report.losses)
    assert (report.stopped, report.rolled_back) == ("non-finite", True)
    assert parameter.item() == 0.0


def test_cancelling_rolls_back():
    asked = count()
    parameter, report = run(cancelled=lambda: next(asked) == 3)
    assert (report.stopped, report.rolled_back, report.version) == ("cancelled", True, 6)
    assert len(report.losses) == 3
    assert parameter.item() == 0.0


@pytest.mark.parametrize(("n", "b", "steps"), [(1, 1, 4), (3, 3, 4), (5, 5, 4), (3, 1, 12), (5, 2, 12)])
def test_batches_of_corrections(n, b, steps):
    """Every epoch takes every correction once, the newest last, and reports the newest alone."""
    parameter, taken = nn.Parameter(torch.zeros(())), []

    def lesson(index):
        def once():
            taken.append(index)
            return (parameter - index) ** 2, 0.1 * index

        return once

    config = UpdateConfig(learning_rate=0.1, epochs=4, samples=n, batch=b)
    torch.manual_seed(0)
    report = online_update([parameter], [lesson(index + 1) for index in range(n)], config, version=1)
    epochs = [taken[at : at + n] for at in range(0, len(taken), n)]
    assert len(epochs) == len(report.losses) == 4
    assert all(sorted(epoch) == list(range(1, n + 1)) and epoch[-1] == n for epoch in epochs)
    assert report.scores == (0.1 * n,) * 4
    # AdamW's steps on a steady slope are as long as the rate, so the way gone counts the steps.
    assert parameter.item() == pytest.approx(0.1 * steps, rel=0.25)


def test_the_best_weights_can_be_kept():
    score = lambda step: 0.9 if step == 3 else 0.1  # noqa: E731
    config = UpdateConfig(learning_rate=0.1, epochs=8, restore_best=True)
    parameter, report = run(config=config, score=score)
    assert (report.stopped, report.rolled_back) == ("epochs", False)
    assert parameter.item() == pytest.approx(0.3, rel=1e-2)


def test_threads_are_limited_only_for_an_update():
    before = torch.get_num_threads()
    with limited_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with limited_threads(None):
        assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="threads of at least 1, got 0"):
        UpdateConfig(threads=0)
