"""LIT-LoRA in SAM 2's mask decoder: what is trained, what is never touched, and how an update can end."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import QUICK, clip, correction, learner_on, pocket
from sam2.modeling.sam.transformer import Attention

from lit_widget.core.adapter import Adapter
from lit_widget.core.checks import same_weights
from lit_widget.core.recipes import Lora
from lit_widget.core.update import UpdateConfig
from lit_widget.simulation.metrics import iou
from lit_widget.video.adaptation import ABSENT_LOGIT, VideoItem, gated
from lit_widget.video.models import MODELS
from lit_widget.video.replay import SingleReplay, replay
from lit_widget.video.sam2 import Sam2

KIND = "union"
ITEM = VideoItem(3, 1)


def learner(**options):
    return learner_on(KIND, **options)


def target(frame=ITEM.frame):
    return clip(KIND).target[frame]


def learn(live, mask=None, valid=None, item=ITEM):
    """Track to a frame and learn its true mask."""
    prediction = live.predict_one(item)
    given = correction(live, item, target(item.frame) if mask is None else mask, valid)
    return prediction, live.learn_one(prediction, given)


def inputs_of(live, prediction):
    return live.model.replay_inputs(prediction.evidence.fused, prediction.evidence.features)


# --- What is trained --------------------------------------------------------------------------------------------------


def adapted_layers(decoder):
    adapter = Adapter(decoder, Lora(), seed=0)
    attentions = [name for name, each in decoder.named_modules() if isinstance(each, Attention)]
    layers = {name.split(".lora_")[0] for name in adapter.parameters}
    assert len(attentions) == 7
    assert layers == {f"{name}.{each}_proj" for name in attentions for each in "qkv"}
    return adapter


@pytest.mark.slow
def test_sam_21_large_trains_the_papers_number_of_parameters():
    adapter = adapted_layers(Sam2(MODELS["sam2.1-large"].build(), "sam2.1-large").decoder)
    assert adapter.n_parameters == 35_328
    assert sum(each.numel() for each in adapter.module.parameters() if each.requires_grad) == 35_328


def test_queries_keys_and_values_of_the_seven_attentions_are_trained():
    adapted_layers(pocket().decoder)


def test_official_models_learn_as_in_the_paper():
    official = [entry for name, entry in MODELS.items() if name != "pocket"]
    assert len(official) == 8
    assert {entry.update for entry in official} == {UpdateConfig()}
    assert learner_on(update=None).update_config == UpdateConfig()
    own = MODELS["pocket"].update
    assert replace(own, learning_rate=None, threads=None) == UpdateConfig()


# --- A second opinion -------------------------------------------------------------------------------------------------


def test_a_fresh_adapter_says_what_token_0_says():
    live = learner()
    prediction = live.predict_one(ITEM)
    inputs = inputs_of(live, prediction)
    fresh = live.adapters.get(1).module.predict_masks(**inputs)
    frozen = live.model.decoder.predict_masks(**inputs)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(fresh, frozen, strict=True))
    single = live.model.decode(prediction.evidence.fused, prediction.evidence.features, multimask=False)[0]
    assert torch.equal(fresh[0][0, :1], single.logits)


def test_an_update_sees_the_mask_that_the_whole_decoder_would_give():
    live = learner()
    prediction, _ = learn(live)
    inputs, module = inputs_of(live, prediction), live.adapters.get(1).module
    wanted = list(live.adapters.get(1).parameters.values())
    alone, among_all = SingleReplay(module, inputs)(), replay(module, inputs)[0][:, :1]
    torch.testing.assert_close(alone, among_all, rtol=1e-5, atol=1e-5)
    gradients = [torch.autograd.grad(logits.square().mean(), wanted) for logits in (alone, among_all)]
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_disabled_is_the_base_model_bit_for_bit():
    live = learner()
    prediction, _ = learn(live)
    inputs, adapter = inputs_of(live, prediction), live.adapters.get(1)
    frozen = live.model.decoder.predict_masks(**inputs)
    assert not torch.equal(adapter.module.predict_masks(**inputs)[0], frozen[0])
    with adapter.disabled():
        again = adapter.module.predict_masks(**inputs)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(again, frozen, strict=True))


def test_training_changes_nothing_but_the_adapter():
    live = learner()
    module = live.model.module
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    fresh = live.adapters.get(1).snapshot()
    _, report = learn(live)
    assert len(report.losses) == QUICK.epochs
    assert module.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert not any(parameter.requires_grad for parameter in module.parameters())
    assert not any(each.training for each in module.modules())
    assert not any(each.training for each in live.adapters.get(1).module.modules())
    assert all(not torch.equal(tensor, fresh.tensors[name]) for name, tensor in live.adapters.get(1).parameters.items())


def test_tracking_never_hears_the_adapter():
    live = learner()
    before = live.predict_one(VideoItem(4, 1)).output
    learn(live)
    after = live.predict_one(VideoItem(4, 1)).output
    assert torch.equal(before.logits, after.logits)
    assert torch.equal(before.pointer, after.pointer)


def test_corrections_help_on_the_next_frame():
    gains = []
    for kind, seed in (("union", 0), ("union", 1), ("part", 0), ("leak", 0)):
        live, truth = learner_on(kind, seed, update=MODELS["pocket"].update), clip(kind, seed).target
        report = live.learn_one(live.predict_one(ITEM), correction(live, ITEM, truth[ITEM.frame]))
        assert report.losses[-1] < report.losses[0]
        prediction = live.predict_one(VideoItem(4, 1))
        proposal = live.propose_one(prediction)
        assert (proposal.source, proposal.version, proposal.learned_from) == ("adapter", 1, (ITEM,))
        scores = [iou(live.mask(each.output), truth[4]) for each in (prediction, proposal)]
        gains.append(scores[1] - scores[0])
    assert np.mean(gains) > 0.03


def test_a_proposal_keeps_the_trackers_pointer():
    live = learner()
    prediction, _ = learn(live)
    proposal = live.propose_one(prediction)
    assert torch.equal(proposal.output.pointer, prediction.output.pointer)
    assert proposal.output.logits.shape == prediction.output.logits.shape


def test_an_absent_object_has_no_mask():
    logits = torch.ones(1, 2, 2)
    assert torch.equal(gated(logits, torch.tensor([True])), logits)
    assert (gated(logits, torch.tensor([False])) == ABSENT_LOGIT).all()


def test_objects_have_adapters_of_their_own():
    live = learner(objects=(1, 2))
    learn(live)
    assert live.propose_one(live.predict_one(VideoItem(4, 1))) is not None
    assert live.propose_one(live.predict_one(VideoItem(4, 2))) is None


# --- How an update can end --------------------------------------------------------------------------------------------


def test_equal_seeds_give_equal_weights():
    learned = []
    for seed in (1, 1, 2):
        live = learner(seed=seed)
        torch.manual_seed(len(learned))
        learn(live)
        learned.append(live.snapshot())
    assert same_weights(learned[0], learned[1])
    assert not same_weights(learned[0], learned[2])


def test_the_global_generator_is_left_alone():
    live = learner()
    torch.manual_seed(9)
    state = torch.get_rng_state()
    learn(live)
    assert torch.equal(state, torch.get_rng_state())


def test_one_adapter_learns_on():
    live = learner()
    learn(live)
    first = live.snapshot()
    learn(live, item=VideoItem(5, 1))
    adapter = live.adapters.trained(1)
    assert (adapter.version, adapter.learned_from) == (2, (ITEM, VideoItem(5, 1)))
    assert not same_weights(first, live.snapshot())


@pytest.mark.parametrize("where", ["nowhere", "in void"])
def test_an_empty_target_teaches_nothing(where):
    live = learner()
    valid = None if where == "nowhere" else ~target()
    mask = np.zeros_like(target()) if where == "nowhere" else target()
    _, report = learn(live, mask, valid)
    assert report is None
    assert live.adapters.trained(1) is None


def test_void_does_not_matter():
    columns = np.arange(target().shape[1])
    valid = np.broadcast_to((columns < 101) | (columns > 150), target().shape).copy()
    learned = []
    for mask, known in (
        (target(), valid),
        (target() | ~valid, valid),
        (target() & valid, valid),
        (target() & valid, None),
    ):
        live = learner()
        learn(live, mask, known)
        learned.append(live.snapshot())
    assert same_weights(learned[0], learned[1])
    assert same_weights(learned[0], learned[2])
    # To know that the object is not there is something else.
    assert not same_weights(learned[0], learned[3])


def test_a_non_finite_update_is_taken_back_with_a_warning():
    live = learner()
    learn(live)
    learned = live.snapshot()
    live.update_config = UpdateConfig(learning_rate=1e30)
    with pytest.warns(UserWarning, match=r"frame 3 gave a non-finite loss and was rolled back; a lower learning rate"):
        _, report = learn(live)
    assert (report.stopped, report.rolled_back, report.version) == ("non-finite", True, 1)
    assert same_weights(learned, live.snapshot())
    assert live.adapters.trained(1).learned_from == (ITEM,)
    live.update_config = QUICK
    assert learn(live)[1].version == 2


def test_a_cancelled_update_is_taken_back():
    live = learner()
    asked = iter([False, False, True])
    live.cancelled = lambda: next(asked)
    _, report = learn(live)
    assert (report.stopped, report.rolled_back, len(report.losses)) == ("cancelled", True, 2)
    assert live.adapters.trained(1) is None
    fresh = Adapter(live.model.decoder, Lora(), seed=live.seed)
    assert all(torch.equal(each, fresh.parameters[name]) for name, each in live.adapters.get(1).parameters.items())
