"""What each strategy trains, and that the promises of a live learner hold for all of it."""

import pytest
import torch
from helpers import clip, correction, learner_on, pocket, same_output
from peft import IA3Config, LoraConfig, PromptTuningConfig
from peft.tuners import lora

from lit_widget.core.adapter import Adapter, AdapterBank
from lit_widget.core.checks import check_learner
from lit_widget.core.recipes import FullCopy, Lora, Peft, Recipe
from lit_widget.core.update import UpdateConfig
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.bottleneck import MemoryBottleneck
from lit_widget.video.models import MODELS
from lit_widget.video.quirks import Quirks
from lit_widget.video.sam2 import Sam2
from lit_widget.video.strategies import STRATEGIES, learner_for

KIND = "union"
ITEMS = [VideoItem(frame, 1) for frame in (2, 4)]
RECIPES = {
    "LoRA": Lora(),
    "DoRA": Peft(LoraConfig(r=4, use_dora=True)),
    "IA3": Peft(IA3Config()),
    "out_proj too": Peft(LoraConfig(r=2, target_modules=["q_proj", "out_proj"])),
    "transformer": FullCopy("transformer"),
    "bottleneck": MemoryBottleneck(),
}


@pytest.fixture(scope="module")
def large():
    return Sam2(MODELS["sam2.1-large"].build(), "sam2.1-large").decoder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "n_parameters"), [("lit-lora", 35_328), ("lit-ft", 3_291_264), ("memory-adapter", 65_920)]
)
def test_sam_21_large_trains_the_papers_number_of_parameters(large, strategy, n_parameters):
    adapter = Adapter(large, STRATEGIES[strategy].recipe or Lora(), seed=0)
    assert adapter.n_parameters == n_parameters
    assert sum(each.numel() for each in adapter.module.parameters() if each.requires_grad) == n_parameters


@pytest.mark.slow
def test_three_loras_are_three_times_one(large):
    bank = AdapterBank(large, Lora(), seed=0)
    assert sum(bank.get(1, slot).n_parameters for slot in range(STRATEGIES["three-loras"].slots)) == 105_984


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_recipe_keeps_the_promises(recipe):
    assert isinstance(recipe, Recipe)
    rate = 1e-4 if isinstance(recipe, FullCopy) else 1e-2
    live = learner_on(KIND, recipe=recipe, update=UpdateConfig(learning_rate=rate, epochs=3))
    target = clip(KIND).target
    checks = check_learner(live, ITEMS, lambda item: correction(live, item, target[item.frame]), same_output)
    assert len(checks) > 10


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_recipe_starts_as_the_frozen_decoder_and_leaves_it_alone(recipe):
    decoder = pocket().decoder
    before = {name: tensor.clone() for name, tensor in decoder.state_dict().items()}
    live = learner_on(KIND, recipe=recipe)
    prediction = live.predict_one(ITEMS[0])
    inputs = live.model.replay_inputs(prediction.evidence.fused, prediction.evidence.features)
    adapter = live.adapters.get(1)
    torch.testing.assert_close(adapter.module.predict_masks(**inputs)[0], decoder.predict_masks(**inputs)[0])
    live.learn_one(prediction, correction(live, ITEMS[0], clip(KIND).target[ITEMS[0].frame]))
    assert all(torch.equal(tensor, before[name]) for name, tensor in decoder.state_dict().items())
    assert not any(parameter.requires_grad for parameter in decoder.parameters())


@pytest.mark.parametrize("alpha", [4.0, 10.0])
def test_the_quick_layer_is_consulted_as_pefts_bit_for_bit(alpha):
    adapter = Adapter(pocket().decoder, Lora(alpha=alpha), seed=0)
    layer = next(each for each in adapter.module.modules() if isinstance(each, lora.Linear))
    up = layer.lora_B["default"].weight
    torch.nn.init.normal_(up, generator=torch.Generator().manual_seed(1))
    x = torch.randn(2, 5, layer.in_features, generator=torch.Generator().manual_seed(2))

    with torch.no_grad():
        quick, theirs = layer(x), lora.Linear.forward(layer, x)
    assert torch.equal(quick, theirs)
    assert type(layer) is not lora.Linear


def test_a_method_that_cannot_be_injected_is_refused():
    with pytest.raises(ValueError, match="peft cannot put PromptTuningConfig into linear layers"):
        Adapter(pocket().decoder, Peft(PromptTuningConfig(num_virtual_tokens=4)), seed=0)


def test_layers_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="peft cannot put this LoraConfig into the mask decoder"):
        Adapter(pocket().decoder, Peft(LoraConfig(target_modules=["query"])), seed=0)


def test_a_strategy_that_trains_no_lora_refuses_another_method():
    frames = learner_on(KIND).frames
    with pytest.raises(ValueError, match="lit-ft does not train a LoRA that IA3Config could replace"):
        learner_for(STRATEGIES["lit-ft"], pocket(), frames, peft_config=IA3Config())


# --- The authors' quirks ----------------------------------------------------------------------------------------------


def learned(quirks, frame=2):
    live = learner_on(KIND, quirks=quirks)
    item = VideoItem(frame, 1)
    prediction = live.predict_one(item)
    report = live.learn_one(prediction, correction(live, item, clip(KIND).target[frame]))
    return live, live.predict_one(VideoItem(4, 1)), report


def test_without_the_bias_a_fresh_adapter_differs():
    live = learner_on(KIND, quirks=Quirks(lora_keep_bias=False))
    prediction = live.predict_one(ITEMS[0])
    inputs = live.model.replay_inputs(prediction.evidence.fused, prediction.evidence.features)
    assert not torch.allclose(
        live.adapters.get(1).module.predict_masks(**inputs)[0], live.model.decoder.predict_masks(**inputs)[0]
    )
    assert all(layer.bias is not None for name, layer in live.model.decoder.named_modules() if name.endswith("q_proj"))


def test_the_column_sum_makes_the_focal_loss_heavier():
    clean, heavy = (learned(Quirks(focal_reduction=each))[2].losses[0] for each in ("mean", "col_sum"))
    assert heavy > 20 * clean


def test_dropout_at_inference_is_repeatable_noise():
    quiet, noisy = learned(Quirks())[0], learned(Quirks(dropout_at_inference=True))
    live, prediction, _ = noisy
    first, second = (live.propose_one(prediction).output.logits for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, quiet.propose_one(quiet.predict_one(prediction.item)).output.logits)


def test_the_gate_in_training_stops_where_the_object_seems_absent(monkeypatch):
    live = learner_on(KIND, quirks=Quirks(train_gate=True))
    head = live.adapters.get(1).module.pred_obj_score_head
    monkeypatch.setattr(head, "forward", lambda token: torch.full((len(token), 1), -1.0))
    prediction = live.predict_one(ITEMS[0])
    report = live.learn_one(prediction, correction(live, ITEMS[0], clip(KIND).target[2]))
    assert set(report.scores) == {0.0}


def test_the_adapters_own_pointer_can_be_remembered():
    live, prediction, _ = learned(Quirks(lora_obj_ptr="lora"))
    assert not torch.equal(live.propose_one(prediction).output.pointer, prediction.output.pointer)


def test_a_painted_mask_can_be_kept_out_of_permanent_memory():
    for keep in (True, False):
        live = learner_on(KIND, quirks=Quirks(mask_correction_as_cond=keep))
        live.settle_one(ITEMS[0], live.from_mask(2, clip(KIND).target[2]), verdict="corrected", full=True)
        assert live.bank(1).records[2].conditioning is keep


def test_unknown_words_are_refused():
    # Through a dictionary, as from the command line; typed callers are stopped earlier.
    with pytest.raises((ValueError, TypeError), match="focal_reduction"):
        Quirks(focal_reduction="sum")
    assert Quirks.of_the_authors() != Quirks()
