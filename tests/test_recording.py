"""Steps recorded as CUDA graphs: they end where steps taken one by one end, for everything that can be trained."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from helpers import QUICK, clip, correction
from peft import IA3Config, LoraConfig

from lit_widget import load_model
from lit_widget.core.adapter import Adapter
from lit_widget.core.recipes import FullCopy, Lora, Peft
from lit_widget.core.recording import Recording
from lit_widget.core.update import UpdateConfig, online_update
from lit_widget.video.adaptation import Evidence, MaskTarget, Sample, TrainingPass, VideoItem
from lit_widget.video.bottleneck import MemoryBottleneck
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.quirks import Quirks

pytestmark = pytest.mark.gpu

KIND = "union"
NO_DROPOUT = Lora(dropout=0.0)
CONFIG = replace(QUICK, epochs=12, patience=12)
RECIPES = {
    "lora": NO_DROPOUT,
    "dora": Peft(LoraConfig(r=4, lora_alpha=4, use_dora=True)),
    "ia3": Peft(IA3Config()),
    "transformer": FullCopy(),
    "memory": MemoryBottleneck(),
}


@cache
def learner():
    model = load_model("pocket", device="cuda", precision="float32")
    live = VideoLearner(model, open_frames(clip(KIND).frames), update=QUICK)
    live.prompt(VideoItem(0, 1), live.from_mask(0, clip(KIND).target[0]))
    return live


@cache
def sample(frame):
    evidence = learner().predict_one(VideoItem(frame, 1)).evidence
    assert isinstance(evidence, Evidence)
    return Sample(evidence, MaskTarget(clip(KIND).target[frame]))


def trained(frames, config=CONFIG, *, recipe=NO_DROPOUT, recorder=None, seed=0, quirks=None, **options):
    """Report and weights after an update on these frames, recorded if there is a recorder to do so."""
    model, double = learner().model, recorder and recorder[0]
    adapter = double or Adapter(model.decoder, recipe, seed=7)
    adapter.reset()
    with adapter.training() as parameters:
        torch.manual_seed(seed)
        passes = [TrainingPass(model, adapter, sample(frame), quirks or Quirks()) for frame in frames]
        report = online_update(parameters, passes, config, version=1, stepper=recorder and recorder[1], **options)
    return report, torch.cat([each.detach().flatten() for each in parameters])


def recorder_of(recipe=NO_DROPOUT, config=CONFIG):
    adapter = Adapter(learner().model.decoder, recipe, seed=7)
    return adapter, Recording(list(adapter.parameters.values()), config.learning_rate)


def assert_equal_ends(one, other):
    (report, weights), (expected, expected_weights) = one, other
    assert report.stopped == expected.stopped
    assert report.losses == pytest.approx(expected.losses, rel=1e-3)
    assert report.scores == pytest.approx(expected.scores, abs=1e-3)
    # AdamW's steps are as long as the rate whatever the slope, so that a sign can differ where it is almost zero.
    assert (weights - expected_weights).abs().mean() < 0.02 * CONFIG.learning_rate


@pytest.mark.parametrize("name", RECIPES)
def test_recorded_steps_end_where_single_steps_end(name):
    recorder = recorder_of(RECIPES[name])
    for frames in [(3,), (5,)]:
        recorded = trained(frames, recorder=recorder)
        assert_equal_ends(recorded, trained(frames, recipe=RECIPES[name]))
        assert recorded[0].losses[-1] < recorded[0].losses[0]


@pytest.mark.parametrize("batch", [1, 3])
def test_several_corrections_in_one_update(batch):
    config, recorder = replace(CONFIG, samples=3, batch=batch), recorder_of()
    for frames in [(2,), (2, 3), (2, 3, 5), (3, 5, 6)]:
        assert_equal_ends(trained(frames, config, recorder=recorder), trained(frames, config))


def test_it_stops_at_the_same_epoch_with_the_weights_of_that_epoch():
    config, recorder = replace(CONFIG, epochs=40, patience=2, good=0.1), recorder_of()
    recorded, single = trained((3,), config, recorder=recorder), trained((3,), config)
    assert recorded[0].stopped == "patience"
    assert len(recorded[0].losses) < 30
    assert_equal_ends(recorded, single)


def test_the_best_weights_can_be_kept():
    config, recorder = replace(CONFIG, restore_best=True), recorder_of()
    assert_equal_ends(trained((3,), config, recorder=recorder), trained((3,), config))


def test_the_gate_can_be_trained():
    quirks, recorder = Quirks(train_gate=True), recorder_of()
    for frames in [(3,), (5,)]:
        assert_equal_ends(trained(frames, recorder=recorder, quirks=quirks), trained(frames, quirks=quirks))


def test_dropout_is_drawn_anew_at_every_step_and_follows_the_seed():
    recorder = recorder_of(Lora())
    first, again, other = (trained((3,), recorder=recorder, seed=seed)[1] for seed in (1, 1, 2))
    # The device sums in no fixed order, so that not every bit returns.
    assert (first - again).abs().mean() < 0.1 * (first - other).abs().mean()
    still = replace(CONFIG, learning_rate=1e-30)
    losses = trained((3,), still, recorder=recorder_of(Lora(), still))[0].losses
    assert len(set(losses)) == 1  # The second factor is zero at first, and stays so: dropout has nothing to drop.


def test_cancelled_and_non_finite_updates_change_nothing():
    recorder = recorder_of()
    fresh = torch.cat([each.detach().flatten() for each in recorder[0].parameters.values()])
    asked = iter([False] * 5 + [True] * 50)
    report, weights = trained((3,), recorder=recorder, cancelled=lambda: next(asked))
    assert (report.stopped, report.rolled_back) == ("cancelled", True)
    assert torch.equal(weights, fresh)
    wild = UpdateConfig(learning_rate=1e30, epochs=12)
    report, weights = trained((3,), wild, recorder=recorder_of(config=wild))
    assert (report.stopped, report.rolled_back) == ("non-finite", True)
    assert torch.equal(weights, fresh)


def test_a_learner_records_once_for_all_its_objects():
    live, reports = learner(), []
    for object_id in (11, 12):
        live.prompt(VideoItem(0, object_id), live.from_mask(0, clip(KIND).target[0]))
        prediction = live.predict_one(VideoItem(3, object_id))
        given = correction(live, prediction.item, clip(KIND).target[3])
        reports.append(live.learn_one(prediction, given))
    assert all(report.losses[-1] < report.losses[0] for report in reports)
    assert [live.adapters.get(object_id).version for object_id in (11, 12)] == [1, 1]
    assert live.propose_one(prediction) is not None
