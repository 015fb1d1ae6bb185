"""The life of one LoRA adapter: a second opinion beside a frozen module (paper section 3.2).

The frozen module itself is never touched: the adapter lives in a structural copy that shares every frozen
tensor, so consulting it cannot disturb the tracker and costs no second set of weights.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .types import AdapterState, Item


@dataclass(frozen=True)
class AdapterConfig:
    """LoRA as the paper has it.

    Attributes:
        rank: r of W = W0 + (alpha / r) B A.
        alpha: numerator of the scale; alpha = r gives scale 1.
        dropout: on the input of the LoRA branch, while training only.
        targets: names of the linear layers that get a branch.
    """

    rank: int = 4
    alpha: float = 4.0
    dropout: float = 0.1
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj")


def share_structure(module: nn.Module) -> nn.Module:
    """Copy a module's structure while sharing all its tensors."""
    tensors = [*module.parameters(), *module.buffers()]
    return copy.deepcopy(module, memo={id(tensor): tensor for tensor in tensors})


class Adapter:
    """One trainable LoRA on a shared frozen module.

    Args:
        module: the frozen module; call `self.module` instead of it to hear the adapted opinion.
        config: the LoRA's shape.
        seed: of the initial weights.
    """

    def __init__(self, module: nn.Module, config: AdapterConfig, *, seed: int) -> None:
        from peft import LoraConfig, inject_adapter_in_model

        self.config, self.seed = config, seed
        self.version = 0
        self.learned_from: tuple[Item, ...] = ()
        lora = LoraConfig(
            r=config.rank,
            lora_alpha=config.alpha,  # pyright: ignore[reportArgumentType]
            lora_dropout=config.dropout,
            target_modules=list(config.targets),
        )
        requires_grad = {name: parameter.requires_grad for name, parameter in module.named_parameters()}
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.module = inject_adapter_in_model(lora, share_structure(module)).eval()
        # peft freezes what it wraps; the shared tensors get their own setting back.
        for name, parameter in module.named_parameters():
            parameter.requires_grad_(requires_grad[name])
        self.parameters = {name: p for name, p in self.module.named_parameters() if "lora_" in name}
        self._fresh = {name: parameter.detach().clone() for name, parameter in self.parameters.items()}

    @property
    def n_parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters.values())

    @contextmanager
    def training(self) -> Iterator[list[nn.Parameter]]:
        """Dropout on, and the parameters to train; back to inference afterwards, and to the old weights on an error.

        Only LoRA's dropout is switched: SAM 2's decoder chooses masks differently in `train` mode.
        """
        dropouts = [child for name, child in self.module.named_modules() if "lora_dropout" in name]
        before = self.snapshot()
        for dropout in dropouts:
            dropout.train()
        try:
            yield list(self.parameters.values())
        except BaseException:
            self.restore(before)
            raise
        finally:
            for dropout in dropouts:
                dropout.eval()

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Within this context the adapted module equals the frozen one bit for bit."""
        from peft.tuners.tuners_utils import BaseTunerLayer

        layers = [child for child in self.module.modules() if isinstance(child, BaseTunerLayer)]
        for layer in layers:
            layer.enable_adapters(False)
        try:
            yield
        finally:
            for layer in layers:
                layer.enable_adapters(True)

    def snapshot(self) -> AdapterState:
        """The weights as they are, copied."""
        tensors = {name: parameter.detach().clone() for name, parameter in self.parameters.items()}
        return AdapterState(self.version, self.learned_from, tensors)

    def restore(self, state: AdapterState) -> None:
        """Take the weights of a snapshot.

        Raises:
            ValueError: if the snapshot is of an adapter of another shape.
        """
        self._write(state.tensors)
        self.version, self.learned_from = state.version, state.learned_from

    def reset(self) -> None:
        """Back to the untrained state, with the same initial weights."""
        self._write(self._fresh)
        self.version, self.learned_from = 0, ()

    def _write(self, tensors: dict[str, Tensor]) -> None:
        expected = {name: tuple(parameter.shape) for name, parameter in self.parameters.items()}
        given = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        if given != expected:
            odd = min(set(given.items()) ^ set(expected.items()))[0]
            raise ValueError(
                f"the snapshot is of another adapter (it differs at {odd!r}); "
                f"restore it into an adapter of the same model and rank"
            )
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(tensors[name])


class AdapterBank:
    """The adapters of a learner, one per key (an object, a group), each made when first needed."""

    def __init__(self, module: nn.Module, config: AdapterConfig, *, seed: int) -> None:
        self._module, self._config, self._seed = module, config, seed
        self._adapters: dict[Hashable, Adapter] = {}

    def trained(self, key: Hashable) -> Adapter | None:
        """The adapter of `key` if it has learned anything."""
        adapter = self._adapters.get(key)
        return adapter if adapter is not None and adapter.version > 0 else None

    def get(self, key: Hashable) -> Adapter:
        """The adapter of `key`, fresh if there was none."""
        if key not in self._adapters:
            self._adapters[key] = Adapter(self._module, self._config, seed=self._seed)
        return self._adapters[key]

    def snapshot(self) -> dict[Hashable, AdapterState]:
        """All adapters that have learned anything."""
        return {key: adapter.snapshot() for key, adapter in self._adapters.items() if adapter.version > 0}

    def restore(self, states: dict[Hashable, AdapterState]) -> None:
        """Exactly these adapters; others become untrained."""
        for key, adapter in self._adapters.items():
            if key not in states:
                adapter.reset()
        for key, state in states.items():
            self.get(key).restore(state)
