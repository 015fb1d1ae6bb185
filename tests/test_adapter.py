"""The life of one adapter, on a small attention of the kind that it meets in SAM 2."""

import math

import pytest
import torch
from peft import LoraConfig
from peft.tuners import lora as peft_lora
from torch import nn

from lit_widget.core.adapter import Adapter, AdapterBank
from lit_widget.core.branch import keep_mask
from lit_widget.core.lora import LoraLinear
from lit_widget.core.recipes import Lora


class Attention(nn.Module):
    """Projections with bias, an output projection and a head that must stay frozen."""

    def __init__(self):
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(16, 8) for _ in range(3))
        self.out_proj = nn.Linear(8, 16)
        self.head = nn.Sequential(nn.Linear(16, 4), nn.BatchNorm1d(4))

    def forward(self, x):
        attention = (self.q_proj(x) @ self.k_proj(x).T).softmax(-1)
        return self.head(self.out_proj(attention @ self.v_proj(x)))


@pytest.fixture
def frozen():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return Attention().eval().requires_grad_(False)


X = torch.linspace(-1, 1, 5 * 16).reshape(5, 16)


def train(adapter, steps=3):
    with adapter.training() as parameters:
        optimizer = torch.optim.SGD(parameters, lr=0.5)
        for _ in range(steps):
            optimizer.zero_grad()
            adapter.module(X).square().sum().backward()
            optimizer.step()
    adapter.version += 1


def test_the_defaults_are_the_papers():
    assert Lora() == Lora(rank=4, alpha=4.0, dropout=0.1, targets=("q_proj", "k_proj", "v_proj"))


def test_only_the_targets_get_a_branch(frozen):
    adapter = Adapter(frozen, Lora(), seed=0)
    assert adapter.n_parameters == 3 * 4 * (16 + 8)
    assert {name.split(".")[0] for name in adapter.parameters} == {"q_proj", "k_proj", "v_proj"}
    trainable = {name for name, each in adapter.module.named_parameters() if each.requires_grad}
    assert trainable == set(adapter.parameters)


def test_fresh_weights_say_what_the_frozen_module_says(frozen):
    adapter = Adapter(frozen, Lora(), seed=0)
    for name, parameter in adapter.parameters.items():
        if "lora_B" in name:
            assert not parameter.any()
        else:
            bound = 1 / math.sqrt(16)
            assert parameter.abs().max() <= bound
            assert parameter.detach().std() == pytest.approx(bound / math.sqrt(3), rel=0.3)
    assert torch.equal(adapter.module(X), frozen(X))


@pytest.mark.parametrize("bias", [True, False])
def test_an_update_follows_the_gradient_of_pefts_own_layer(bias):
    made = {}
    for layer in (LoraLinear, peft_lora.Linear):
        torch.manual_seed(5)
        base = nn.Linear(16, 8, bias=bias).requires_grad_(False)
        made[layer] = layer(
            base, "default", LoraConfig(r=4, lora_alpha=12, lora_dropout=0.0, init_lora_weights=False), r=4
        )
    x = torch.randn(2, 5, 16, requires_grad=True)
    slopes = []
    for layer in made.values():
        y = layer(x)
        wanted = [x, layer.lora_A["default"].weight, layer.lora_B["default"].weight]
        slopes.append([y, *torch.autograd.grad(y.square().sum(), wanted)])
    for ours, theirs in zip(*slopes, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_dropout_keeps_the_mean_and_its_share():
    keep = keep_mask(torch.zeros(301, 333), 0.1)
    kept = keep > 0
    assert float(kept.float().mean()) == pytest.approx(0.9, abs=0.005)
    assert float(keep.mean()) == pytest.approx(1, abs=0.005)
    # Each number is drawn for itself, wherever it lies among the four of a draw.
    for lane in range(4):
        assert float(kept.flatten()[lane::4].float().mean()) == pytest.approx(0.9, abs=0.01)
    assert float(torch.corrcoef(torch.stack([kept.flatten()[:-1], kept.flatten()[1:]]).float())[0, 1]) < 0.02


def test_dropout_is_in_the_gradient():
    layer = LoraLinear(nn.Linear(16, 8).requires_grad_(False), "default", LoraConfig(r=4, lora_dropout=0.5), r=4)
    x = torch.ones(1, 16)
    layer(x).sum().backward()
    assert not layer.lora_A["default"].weight.grad.any()
    of_up = layer.lora_B["default"].weight.grad[0]
    outcomes = {tuple(of_up.tolist())}
    for _ in range(3):
        layer.zero_grad()
        layer(x).sum().backward()
        outcomes.add(tuple(layer.lora_B["default"].weight.grad[0].tolist()))
    assert len(outcomes) > 1


def test_the_scale_is_alpha_over_rank(frozen):
    outputs = []
    for alpha in (4.0, 8.0):
        adapter = Adapter(frozen, Lora(alpha=alpha), seed=0)
        for name, parameter in adapter.parameters.items():
            parameter.data.fill_(0.1 if "q_proj" in name else 0.0)
        outputs.append(adapter.module.q_proj(X) - frozen.q_proj(X))
    # Rank 4 times 0.1 times the sum of inputs times 0.1.
    assert torch.allclose(outputs[0], (4 * 0.1 * 0.1 * X.sum(1, keepdim=True)).expand(-1, 8), atol=1e-5)
    assert torch.allclose(outputs[1], 2 * outputs[0], atol=1e-5)


def test_frozen_tensors_are_shared_and_untouched(frozen):
    frozen.out_proj.weight.requires_grad_(True)
    before = {name: tensor.clone() for name, tensor in frozen.state_dict().items()}
    gradients = {name: each.requires_grad for name, each in frozen.named_parameters()}
    adapter = Adapter(frozen, Lora(), seed=0)
    assert adapter.module.out_proj.weight is frozen.out_proj.weight
    assert adapter.module.q_proj.base_layer.weight is frozen.q_proj.weight
    train(adapter)
    assert gradients == {name: each.requires_grad for name, each in frozen.named_parameters()}
    assert all(torch.equal(tensor, frozen.state_dict()[name]) for name, tensor in before.items())
    assert type(frozen.q_proj) is nn.Linear


def test_disabled_is_the_frozen_module(frozen):
    adapter = Adapter(frozen, Lora(), seed=0)
    train(adapter)
    adapted = adapter.module(X)
    assert not torch.equal(adapted, frozen(X))
    with adapter.disabled():
        assert torch.equal(adapter.module(X), frozen(X))
    assert torch.equal(adapter.module(X), adapted)


def test_dropout_is_on_only_while_training(frozen):
    adapter = Adapter(frozen, Lora(dropout=0.5), seed=0)
    train(adapter)
    with adapter.training():
        assert not torch.equal(adapter.module(X), adapter.module(X))
        assert not any(each.training for name, each in adapter.module.named_modules() if "lora_dropout" not in name)
    assert torch.equal(adapter.module(X), adapter.module(X))


def test_an_error_while_training_rolls_back(frozen):
    adapter = Adapter(frozen, Lora(dropout=0.5), seed=0)
    train(adapter)
    output = adapter.module(X)

    def fail_half_way():
        with adapter.training() as parameters:
            parameters[0].data.fill_(1.0)
            raise MemoryError

    with pytest.raises(MemoryError):
        fail_half_way()
    assert torch.equal(adapter.module(X), output)


def test_snapshots_are_copies_and_restore_exactly(frozen):
    adapter = Adapter(frozen, Lora(), seed=0)
    train(adapter)
    adapter.learned_from = ("a",)
    state, output = adapter.snapshot(), adapter.module(X)
    train(adapter)
    assert not torch.equal(adapter.module(X), output)
    adapter.restore(state)
    assert torch.equal(adapter.module(X), output)
    assert (adapter.version, adapter.learned_from) == (1, ("a",))
    adapter.reset()
    assert torch.equal(adapter.module(X), frozen(X))
    assert (adapter.version, adapter.learned_from) == (0, ())


def test_a_snapshot_is_the_same_until_something_is_written(frozen):
    adapter = Adapter(frozen, Lora(), seed=0)
    first = adapter.snapshot()
    assert adapter.snapshot() is first
    train(adapter)
    second = adapter.snapshot()
    assert second is not first
    assert adapter.snapshot() is second
    adapter.restore(first)
    assert all(torch.equal(adapter.snapshot().tensors[name], first.tensors[name]) for name in first.tensors)
    adapter.learned_from = ("frame",)
    assert adapter.snapshot().learned_from == ("frame",)


def test_a_snapshot_of_another_shape_is_refused(frozen):
    adapter = Adapter(frozen, Lora(), seed=0)
    other = Adapter(frozen, Lora(rank=2), seed=0).snapshot()
    before = adapter.snapshot()
    with pytest.raises(ValueError, match=r"another adapter .*lora_A.*same model and recipe"):
        adapter.restore(other)
    assert all(torch.equal(before.tensors[name], each) for name, each in adapter.parameters.items())


def test_seeds_decide_the_weights_and_leave_the_global_generator_alone(frozen):
    state = torch.get_rng_state()
    first, second, third = (Adapter(frozen, Lora(), seed=seed) for seed in (5, 5, 6))
    assert torch.equal(state, torch.get_rng_state())
    name = "q_proj.lora_A.default.weight"
    assert torch.equal(first.parameters[name], second.parameters[name])
    assert not torch.equal(first.parameters[name], third.parameters[name])


def test_a_bank_has_an_adapter_per_key(frozen):
    bank = AdapterBank(frozen, Lora(), seed=0)
    assert bank.trained("a") is None
    assert bank.get("a") is bank.get("a")
    assert bank.trained("a") is None
    train(bank.get("a"))
    assert bank.trained("a") is bank.get("a")
    one = bank.snapshot()
    assert set(one) == {("a", 0)}
    train(bank.get("a"))
    train(bank.get("b"))
    bank.restore(one)
    assert bank.trained("b") is None
    assert torch.equal(bank.get("b").module(X), frozen(X))
    assert bank.get("a").version == 1
    bank.restore({})
    assert bank.trained("a") is None
