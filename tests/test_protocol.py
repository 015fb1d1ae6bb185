"""The paper's online protocol on small clips: what counts as a correction, and what is judged at all."""

import numpy as np
import pytest
from helpers import FRAMES, clip, correction, learner_on, same_output

from lit_widget.core.strategy import LitLora, Original
from lit_widget.core.types import Proposal
from lit_widget.simulation.datasets import sequence_from_arrays, sequence_from_masks
from lit_widget.simulation.metrics import iou
from lit_widget.simulation.monitor import Learned, Monitor, PredictedIou, find_monitor
from lit_widget.simulation.protocol import run_pair
from lit_widget.simulation.user import SimulatedUser, centre_click
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.quality import QualityEstimator
from lit_widget.video.sam2 import Points

KIND = "union"
TARGET = clip(KIND).target
IMAGES = clip(KIND).frames
PERFECTIONIST = SimulatedUser(tau=1.0)


def annotate(truth=TARGET, *, user=PERFECTIONIST, strategy=None, object_id=1, **options):
    """Results of one pair and the learner afterwards; `truth` is an array or a sequence."""
    sequence = sequence_from_arrays(IMAGES, truth, "clip") if isinstance(truth, np.ndarray | dict) else truth
    learner = learner_on(KIND, objects=())
    return run_pair(learner, sequence, object_id, strategy or Original(), user, **options), learner


def tracked_masks():
    """What the frozen tracker makes of the clip on its own."""
    _, learner = annotate(user=SimulatedUser(tau=0.0))
    return np.stack([learner.mask(learner.bank(1).records[frame].output) for frame in range(FRAMES)])


def test_nobody_objects_at_threshold_zero():
    results, learner = annotate(user=SimulatedUser(tau=0.0))
    assert [result.frame for result in results] == list(range(1, FRAMES))
    assert {result.event for result in results} == {"tracked"}
    for result in results:
        mask = learner.mask(learner.bank(1).records[result.frame].output)
        assert result.iou == iou(mask, TARGET[result.frame])
        assert (result.n_clicks, result.full_mask, result.rejected, result.update_s) == (0, False, False, 0.0)


def test_every_error_is_one_correction_with_up_to_three_clicks_then_a_mask():
    results, learner = annotate()
    assert [(result.frame, result.event) for result in results] == [(t, "corrected") for t in range(1, FRAMES)]
    for result in results:
        record = learner.bank(1).records[result.frame]
        assert result.full_mask
        assert result.iou == 1.0
        assert 1 <= result.n_clicks <= 3
        assert record.status == "corrected"
        assert record.conditioning
        assert iou(learner.mask(record.output), TARGET[result.frame]) > 0.9


def test_clicks_end_when_the_mask_is_good_enough():
    """From frame 4 on the truth lies a little aside; clicks bring the mask closer."""
    truth = np.concatenate([TARGET[:4], np.roll(TARGET[4:], 32, axis=2)])
    user = SimulatedUser(tau=0.5)
    results, learner = annotate(truth, user=user)
    corrected = [result for result in results if result.event == "corrected"]
    assert corrected[0].frame == 4
    assert not all(result.full_mask for result in corrected)
    for result in corrected:
        assert 1 <= result.n_clicks <= 3
        assert result.full_mask or result.iou >= user.tau
        assert result.n_clicks == 3 or not result.full_mask
        assert learner.bank(1).records[result.frame].conditioning == result.full_mask


def test_every_click_refines_the_mask_before():
    """The clicks of the first correction, given once more by hand."""
    truth = np.concatenate([TARGET[:4], np.roll(TARGET[4:], -22, axis=2)])
    results, annotated = annotate(truth, user=SimulatedUser(tau=0.6))
    first = next(result for result in results if result.event == "corrected")
    _, learner = annotate(user=SimulatedUser(tau=0.0))
    item = VideoItem(first.frame, 1)
    prediction, points = learner.predict_one(item), Points()
    output = prediction.output
    for _ in range(first.n_clicks):
        click = centre_click(learner.mask(output), truth[first.frame])
        points = points.plus(click.x, click.y, positive=click.positive)
        output = learner.segment(item, points, previous=output, evidence=prediction.evidence)
    assert not first.full_mask
    assert same_output(annotated.bank(1).records[first.frame].output, output)


def test_without_clicks_the_mask_is_painted_at_once():
    results, _ = annotate(user=SimulatedUser(tau=1.0, max_clicks=0))
    assert {(result.n_clicks, result.full_mask) for result in results} == {(0, True)}


def test_frames_are_judged_once_and_in_order():
    seen = []
    results, learner = annotate(strategy=LitLora(), on_frame=lambda result, event: seen.append((result, event)))
    assert [result for result, _ in seen] == results
    assert [result.frame for result in results] == list(range(1, FRAMES))
    assert learner.adapters.trained(1).version == sum(result.update_s > 0 for result in results)


# --- What is not judged -----------------------------------------------------------------------------------------------


def test_frames_without_ground_truth_are_tracked_but_not_judged():
    sequence = sequence_from_masks(IMAGES, 1, {frame: TARGET[frame] for frame in (0, 3, 6)}, "clip")
    results, learner = annotate(sequence)
    assert [result.frame for result in results] == [3, 6]
    statuses = {frame: record.status for frame, record in learner.bank(1).records.items()}
    assert statuses == {
        frame: {0: "prompted", 3: "corrected", 6: "corrected"}.get(frame, "tracked") for frame in range(FRAMES)
    }


def test_an_object_that_comes_late_starts_where_it_is_first_seen():
    truth = {1: TARGET, 2: TARGET & (np.arange(FRAMES) >= 3)[:, None, None]}
    results, learner = annotate(truth, object_id=2)
    assert [result.frame for result in results] == [4, 5, 6, 7]
    assert sorted(learner.bank(2).records) == [3, 4, 5, 6, 7]
    assert learner.bank(2).records[3].status == "prompted"


def test_an_object_that_is_never_seen_gives_no_result():
    sequence = sequence_from_masks(IMAGES, 1, {0: TARGET[0]}, "clip")
    assert annotate(sequence)[0] == []
    empty = {1: TARGET, 2: np.zeros_like(TARGET)}
    assert sequence_from_arrays(IMAGES, empty, "clip").objects == [1]


def test_void_is_no_error():
    truth = tracked_masks().astype(np.uint8)
    truth[0] = TARGET[0]
    results, _ = annotate(truth)
    assert {result.event for result in results} == {"tracked"}
    wrong = truth.copy()
    wrong[4:, :40] = 1 - wrong[4:, :40]
    assert [result.frame for result in annotate(wrong)[0] if result.event == "corrected"] != []
    wrong[4:, :40] = 255
    results, _ = annotate(wrong)
    assert {(result.event, result.iou) for result in results} == {("tracked", 1.0)}


def test_where_the_object_is_gone_an_empty_mask_is_right_and_teaches_nothing():
    truth = TARGET.copy()
    truth[4:] = False
    results, learner = annotate(truth, strategy=LitLora())
    gone = [result for result in results if result.frame >= 4]
    for result in gone:
        mask = learner.mask(learner.bank(1).records[result.frame].output)
        assert result.iou == iou(mask, truth[result.frame])
        assert result.update_s == 0.0
    assert gone[0].event == "corrected"
    assert learner.adapters.trained(1).learned_from == tuple(VideoItem(frame, 1) for frame in (1, 2, 3))


# --- Proposals --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proposed():
    """What the adapter proposes on frame 2 once it was trained on frame 1."""
    learner = learner_on(KIND)
    item = VideoItem(1, 1)
    prediction, given = learner.predict_one(item), correction(learner, item, TARGET[1])
    learner.learn_one(prediction, given)
    learner.settle_one(item, given.output, verdict="corrected", full=True)
    return learner.mask(learner.propose_one(learner.predict_one(VideoItem(2, 1))).output)


def test_a_proposal_that_passes_is_accepted_and_not_counted(proposed):
    truth = TARGET.copy()
    truth[2] = proposed
    results, learner = annotate(truth, strategy=LitLora())
    first, second, third = results[:3]
    assert (first.event, first.rejected) == ("corrected", False)
    assert first.update_s > 0
    assert (second.event, second.iou, second.n_clicks, second.full_mask) == ("accepted", 1.0, 0, False)
    assert second.propose_s > 0
    assert second.update_s == 0.0
    assert np.array_equal(learner.mask(learner.bank(1).records[2].output), proposed)
    assert learner.bank(1).records[2].status == "accepted"
    assert (third.event, third.rejected) == ("corrected", True)
    assert third.propose_s > 0


def test_the_baseline_corrects_where_lit_proposes(proposed):
    truth = TARGET.copy()
    truth[2] = proposed
    results, _ = annotate(truth)
    assert {(result.event, result.rejected, result.update_s, result.propose_s) for result in results} == {
        ("corrected", False, 0.0, 0.0)
    }


# --- Monitors ---------------------------------------------------------------------------------------------------------


class Alarms:
    """A monitor with fixed opinions that writes down what it is asked and told."""

    def __init__(self, frames, *, accepting=True):
        self.frames, self.accepting, self.asked, self.heard = set(frames), accepting, [], []

    def alarm(self, prediction):
        self.asked.append(prediction.item.frame)
        return prediction.item.frame in self.frames

    def accepts(self, prediction, proposal):
        self.asked.append(("proposal", prediction.item.frame))
        return self.accepting

    def observe(self, prediction, *, right):
        self.heard.append((prediction.item.frame, right))


def test_only_alarms_call_the_user():
    """Every mask is wrong for this user, who is called to two of them."""
    monitor = Alarms([2, 5])
    results, learner = annotate(monitor=monitor)
    assert monitor.asked == list(range(1, FRAMES))
    assert monitor.heard == [(2, False), (5, False)]
    assert [result.frame for result in results if result.event == "corrected"] == [2, 5]
    missed = [result for result in results if not result.alarm]
    assert [result.frame for result in missed] == [1, 3, 4, 6, 7]
    assert all(result.tracked_iou == result.iou < 1 for result in missed)
    assert {frame for frame, record in learner.bank(1).records.items() if record.status == "corrected"} == {2, 5}


def test_a_false_alarm_costs_a_look_and_teaches_the_monitor():
    monitor = Alarms([2, 5])
    results, learner = annotate(user=SimulatedUser(tau=0.0), monitor=monitor, strategy=LitLora())
    assert monitor.heard == [(2, True), (5, True)]
    assert {result.event for result in results} == {"tracked"}
    assert [result.frame for result in results if result.alarm] == [2, 5]
    assert learner.adapters.trained(1) is None


def test_a_semi_automatic_monitor_leaves_proposals_to_the_user():
    monitor = Alarms(range(1, FRAMES), accepting=True)
    results, _ = annotate(monitor=monitor, strategy=LitLora())
    alone, _ = annotate(strategy=LitLora())
    assert not [each for each in monitor.asked if isinstance(each, tuple)]
    outcome = [(each.frame, each.event, each.iou, each.n_clicks, each.rejected) for each in results]
    assert outcome == [(each.frame, each.event, each.iou, each.n_clicks, each.rejected) for each in alone]


def test_an_automatic_monitor_takes_proposals_nobody_has_seen():
    monitor = Alarms([1, 2, 3])
    results, learner = annotate(monitor=monitor, automatic=True, strategy=LitLora())
    assert [result.event for result in results[:4]] == ["corrected", "accepted", "accepted", "tracked"]
    assert results[1].iou < 1.0  # wrong for this user, who was not asked
    assert monitor.heard == [(1, False)]
    assert learner.adapters.trained(1).version == 1


def test_an_automatic_alarm_that_was_false_leaves_the_mask_as_it_was():
    monitor = Alarms([1, 2], accepting=False)
    results, learner = annotate(user=SimulatedUser(tau=0.0), monitor=monitor, automatic=True, strategy=LitLora())
    assert monitor.heard == [(1, True), (2, True)]
    assert {result.event for result in results} == {"tracked"}
    assert learner.adapters.trained(1) is None


@pytest.mark.parametrize("name", ["predicted-iou", "learned"])
@pytest.mark.parametrize("automatic", [False, True])
def test_the_named_monitors_watch(name, automatic):
    learner = learner_on(KIND, objects=())
    sequence = sequence_from_arrays(IMAGES, TARGET, "clip")
    monitor = find_monitor(name)(learner, 0.8)
    user = SimulatedUser(tau=0.8)
    results = run_pair(learner, sequence, 1, LitLora(), user, monitor=monitor, automatic=automatic)
    assert isinstance(monitor, Monitor)
    assert len(results) == FRAMES - 1
    assert all(result.alarm or result.event == "tracked" for result in results)


def test_predicted_iou_is_a_threshold():
    learner = learner_on(KIND)
    prediction = learner.predict_one(VideoItem(1, 1))
    estimate = prediction.output.iou
    proposal = Proposal(prediction.item, prediction.output)
    for threshold, alarm in ((estimate - 0.01, False), (estimate, False), (estimate + 0.01, True)):
        monitor = PredictedIou(threshold)
        assert monitor.alarm(prediction) == alarm
        assert monitor.accepts(prediction, proposal) != alarm


def test_a_learning_monitor_hears_the_verdicts():
    learner = learner_on(KIND)
    estimator = QualityEstimator(learner)
    prediction = learner.predict_one(VideoItem(1, 1))
    before = estimator.score(prediction)
    Learned(estimator).observe(prediction, right=False)
    assert estimator.score(prediction) < before


def test_an_unknown_monitor_is_refused():
    with pytest.raises(ValueError, match="unknown monitor 'lerned'; did you mean learned"):
        find_monitor("lerned")
