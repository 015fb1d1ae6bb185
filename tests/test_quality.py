"""The quality estimator: what is measured on the real model, and what verdicts do to the scores."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import clip, correction, learner_on, same_output

from lit_widget.core.types import Prediction
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.quality import FEATURES, QualityEstimator, measure
from lit_widget.video.verdicts import MAX_VERDICTS, Kernel, Measurement, Prior, VerdictModel

KIND = "union"
PLAIN = Prior(("x",), (0.0,), (1.0,), (2.0,), -1.0, 0.0, Kernel(1.0, 0.5, 2.0, 8.0), "made up")


def tracked(learner, frame):
    return learner.predict_one(VideoItem(frame, 1))


def of(prediction, name):
    return measure(*prediction).values[list(FEATURES).index(name)]


# --- Measurements -----------------------------------------------------------------------------------------------------


def test_measuring_changes_nothing_and_is_repeatable():
    learner = learner_on(KIND)
    prediction, before = tracked(learner, 1), learner.snapshot()
    first, second = measure(learner, prediction), measure(learner, prediction)
    assert first.values.tolist() == second.values.tolist()
    assert np.isfinite(first.values).all()
    assert (first.frame, first.segment) == (1, (1, 0))
    assert learner.snapshot().memory == before.memory
    assert same_output(tracked(learner, 1).output, prediction.output)
    learner.settle_one(prediction.item, prediction.output)
    assert measure(learner, prediction).values.tolist() == first.values.tolist()


def test_another_mask_on_the_same_frame_does_not_lead_back():
    """A mask elsewhere, which the model would call just as good."""
    learner = learner_on(KIND)
    good = tracked(learner, 1)
    bad = replace(good, output=replace(good.output, logits=torch.roll(good.output.logits, (20, 25), (1, 2))))
    for name in ("predicted_iou", "object_score", "stability"):
        assert of((learner, good), name) == of((learner, bad), name)
    for name in ("back_to_first", "appearance", "adapter"):
        assert of((learner, good), name) > of((learner, bad), name)
    estimator = QualityEstimator(learner)
    assert estimator.score(good) > estimator.score(bad)


def test_an_empty_mask_can_be_measured():
    learner = learner_on(KIND)
    prediction = tracked(learner, 1)
    gone = replace(prediction, output=replace(prediction.output, logits=prediction.output.logits * 0 - 1024))
    measured = measure(learner, gone)
    assert np.isfinite(measured.values).all()
    assert 0 <= QualityEstimator(learner).score(gone) <= 1


def test_an_adapter_speaks_once_trained_and_a_correction_begins_a_segment():
    learner = learner_on(KIND)
    prediction = tracked(learner, 1)
    assert of((learner, prediction), "trained") == 0
    given = correction(learner, prediction.item, clip(KIND).target[1])
    learner.learn_one(prediction, given)
    learner.settle_one(prediction.item, given.output, verdict="corrected", full=True)
    later = tracked(learner, 2)
    assert of((learner, later), "trained") == 1
    assert measure(learner, later).segment == (1, 1)
    proposal = learner.propose_one(later)
    in_its_place = of((learner, later, proposal), "adapter")
    assert in_its_place == pytest.approx(of((learner, later), "adapter"))
    assert 0 <= QualityEstimator(learner).score_proposal(later, proposal) <= 1


def test_without_a_settled_frame_there_is_nothing_to_compare_with():
    learner = learner_on(KIND)
    itself = Prediction(VideoItem(0, 1), learner.bank(1).records[0].output)
    with pytest.raises(ValueError, match="object 1 on frame 0 cannot be estimated"):
        measure(learner, itself)


# --- Verdicts ---------------------------------------------------------------------------------------------------------


def at(frame, value, segment=(1, 0)):
    return Measurement(frame, segment, np.array([value]))


def test_before_any_verdict_the_score_is_the_regressions():
    points = [at(1, -1.0), at(2, 0.0), at(3, 1.5)]
    expected = 1 / (1 + np.exp(-np.array([-2.0, 0.0, 3.0])))
    assert VerdictModel(0.5, prior=PLAIN).score(points) == pytest.approx(expected)
    assert (VerdictModel(0.75, prior=PLAIN).score(points) < expected).all()
    assert VerdictModel(0.5, prior=PLAIN).score([]).shape == (0,)


@pytest.mark.parametrize("right", [True, False])
def test_a_verdict_pulls_near_frames_most(right):
    model = VerdictModel(0.5, prior=PLAIN)
    points = [at(10, 0.3), at(12, 0.3), at(40, 0.3), at(12, 0.3, (1, 11))]
    before = model.score(points)
    model.observe(points[0], right=right)
    pull = (model.score(points) - before) * (1 if right else -1)
    same, near, far, corrected = pull
    assert same > near > far > 0
    assert near > corrected > 0
    assert model.is_judged(points[0])
    assert not model.is_judged(points[1])


def test_verdicts_against_the_prior_turn_it_around():
    model = VerdictModel(0.5, prior=PLAIN)
    rng = np.random.default_rng(0)
    for index in range(MAX_VERDICTS + 20):
        model.observe(at(index, rng.normal(1.0, 0.2)), right=False)
    assert model.score([at(900, 1.0)])[0] < 0.2 < VerdictModel(0.5, prior=PLAIN).score([at(900, 1.0)])[0]


def test_scores_stay_probabilities_when_verdicts_contradict():
    model = VerdictModel(0.5, prior=replace(PLAIN, weights=(50.0,), kernel=Kernel(5.0, 5.0, 5.0, 100.0)))
    for index in range(60):
        model.observe(at(index % 3, (-1.0) ** index), right=index % 4 < 2)
    scores = model.score([at(index, value) for index, value in enumerate((-4.0, 0.0, 4.0))])
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("tau", [0.0, 1.0, -1.0])
def test_a_tau_that_decides_everything_is_refused(tau):
    with pytest.raises(ValueError, match="between 0 and 1"):
        VerdictModel(tau, prior=PLAIN)


# --- The estimator ----------------------------------------------------------------------------------------------------


def test_doubtful_ranks_what_was_scored_and_not_judged():
    learner = learner_on(KIND)
    estimator, predictions = QualityEstimator(learner), {}
    for frame in range(1, 5):
        prediction = predictions[frame] = tracked(learner, frame)
        estimator.score(prediction)
        learner.settle_one(prediction.item, prediction.output)
    items = [VideoItem(frame, 1) for frame in range(8)]
    ranked = estimator.doubtful(items)
    assert {item.frame for item, _ in ranked} == {1, 2, 3, 4}
    assert [score for _, score in ranked] == sorted(score for _, score in ranked)
    worst = ranked[0][0]
    estimator.observe(predictions[worst.frame], verdict=False)
    left = dict(estimator.doubtful(items))
    assert worst not in left
    assert all(left[item] < score for item, score in ranked if item in left)


def test_a_frame_tracked_anew_is_doubtful_again():
    learner = learner_on(KIND)
    estimator, prediction = QualityEstimator(learner), tracked(learner, 1)
    estimator.observe(prediction, verdict=True)
    assert estimator.doubtful([prediction.item]) == []
    estimator.score(tracked(learner, 1))
    assert [item for item, _ in estimator.doubtful([prediction.item])] == [prediction.item]


@pytest.mark.parametrize(("verdict", "right"), [(True, True), (False, False), (0.7, True), (0.6, False)])
def test_a_verdict_is_yes_or_no_or_an_iou(verdict, right):
    learner = learner_on(KIND)
    estimator, prediction = QualityEstimator(learner, tau=0.65), tracked(learner, 1)
    before = estimator.score(prediction)
    estimator.observe(prediction, verdict)
    assert (estimator.score(prediction) > before) == right


# --- The shipped prior ------------------------------------------------------------------------------------------------


def test_the_shipped_prior_fits_the_measurements(tmp_path):
    prior = Prior.load()
    assert prior.features == tuple(FEATURES)
    assert len(prior.centre) == len(prior.spread) == len(prior.weights) == len(FEATURES)
    assert min(prior.spread) > 0
    assert prior.strictness < 0
    prior.save(tmp_path / "prior.json")
    assert Prior.load(tmp_path / "prior.json") == prior
    assert set(json.loads((tmp_path / "prior.json").read_text())) == set(Prior.__dataclass_fields__)


def test_the_shipped_prior_knows_no_reported_clip():
    assert not any(word in Prior.load().fitted_on for word in (":1", ":3"))
