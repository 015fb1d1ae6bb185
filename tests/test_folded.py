"""Updates on a CPU take products in another order: same mask, same gradients, same dropout, same weights at the end."""

import pytest
import torch
from helpers import clip, correction, learner_on
from torch import nn

from benchmarks.reference import ReferenceTrainer
from lit_widget.core.adapter import Adapter
from lit_widget.core.branch import _Squeezed
from lit_widget.core.recipes import Lora
from lit_widget.core.update import UpdateConfig, online_update
from lit_widget.video.adaptation import Sample, TrainingPass, VideoItem
from lit_widget.video.folded import FoldedReplay
from lit_widget.video.quirks import Quirks
from lit_widget.video.replay import SingleReplay
from lit_widget.video.resizing import Enlargement

ITEM = VideoItem(3, 1)


@pytest.fixture(scope="module")
def live():
    return learner_on("union")


@pytest.fixture(scope="module")
def evidence(live):
    return live.predict_one(ITEM).evidence


def adapter_of(live, **options):
    """An adapter as if it had learned."""
    adapter = Adapter(live.model.decoder, Lora(**options), seed=0)
    torch.manual_seed(1)
    for name, parameter in adapter.parameters.items():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.05)
    return adapter


def seen(replay, adapter):
    """Logits and gradients of a step with dropout."""
    torch.manual_seed(2)
    with adapter.dropout(), torch.enable_grad():
        logits = replay()
        loss = (logits.tanh() * torch.linspace(-1, 1, logits.shape[-1])).mean()
        return logits, torch.autograd.grad(loss, list(adapter.parameters.values()))


@pytest.mark.parametrize("options", [{"dropout": 0.0}, {"dropout": 0.3, "alpha": 8.0}, {"keep_bias": False}])
def test_logits_and_gradients_are_those_of_the_decoder(live, evidence, options):
    adapter, inputs = adapter_of(live, **options), live.model.replay_inputs(evidence.fused, evidence.features)
    assert FoldedReplay.fits(adapter.module)
    (logits, ours), (expected, theirs) = (
        seen(each(adapter.module, inputs), adapter) for each in (FoldedReplay, SingleReplay)
    )
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)
    for name, one, other in zip(adapter.parameters, ours, theirs, strict=True):
        assert (one - other).norm() <= 1e-4 * other.norm() + 1e-9, name


def test_other_adapters_and_devices_do_not_fit(live):
    assert not FoldedReplay.fits(live.model.decoder)
    assert not FoldedReplay.fits(Adapter(live.model.decoder, Lora(dropout=0.1), seed=0).module.to("meta"))


def test_squeezing_has_the_gradient_it_says():
    rows, down = (torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((5, 6), (2, 6)))
    for keep in (None, torch.rand(5, 6, dtype=torch.float64).round()):
        assert torch.autograd.gradcheck(lambda rows, down, keep=keep: _Squeezed.apply(rows, down, keep), (rows, down))


@pytest.mark.parametrize(("low", "high"), [((12, 16), (48, 64)), ((3, 32), (9, 64))])
def test_an_update_resizes_masks_as_sam_2_does(low, high):
    enlarge, mask = Enlargement(low, high, torch.device("cpu")), torch.randn(low, requires_grad=True)
    expected = nn.functional.interpolate(mask[None, None], high, mode="bilinear", align_corners=False)[0, 0]
    torch.testing.assert_close(enlarge(mask), expected)
    slope = torch.randn(high)
    ours, theirs = (torch.autograd.grad(each, mask, slope)[0] for each in (enlarge(mask), expected))
    torch.testing.assert_close(ours, theirs)


def test_an_update_ends_with_the_weights_of_a_plain_trainer(live, evidence):
    model, epochs = live.model, 10
    sample = Sample(evidence, correction(live, ITEM, clip("union").target[3]).target)
    reference = ReferenceTrainer(model.module, dropout=0.0, learning_rate=1e-3)
    adapter = Adapter(model.decoder, Lora(dropout=0.0), seed=0)
    for name, parameter in reference.parameters.items():
        parameter.data.copy_(adapter.parameters[name].data)
    config = UpdateConfig(learning_rate=1e-3, epochs=epochs, patience=epochs, hopeless=epochs)
    passes = [TrainingPass(model, adapter, sample, Quirks())]
    report = online_update(list(adapter.parameters.values()), passes, config, version=1)
    with torch.enable_grad():
        losses = reference.update(evidence.fused, evidence.features, model.square(sample.target.shown), epochs=epochs)
    torch.testing.assert_close(torch.tensor(report.losses), torch.tensor(losses), rtol=1e-4, atol=1e-6)
    for name, parameter in reference.parameters.items():
        torch.testing.assert_close(adapter.parameters[name], parameter, rtol=1e-3, atol=2e-5)
