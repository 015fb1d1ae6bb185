"""The life of one adapter: a second opinion beside a frozen module (paper section 3.2).

The frozen module itself is never touched: the adapter lives in a structural copy that shares every frozen
tensor, so consulting it cannot disturb the tracker.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from .recipes import Recipe
from .types import AdapterState, Item


class Adapter:
    """One trainable second opinion on a shared frozen module.

    Args:
        module: the frozen module; call `self.module` instead of it to hear the adapted opinion.
        recipe: what is trained.
        seed: of the initial weights.
    """

    def __init__(self, module: nn.Module, recipe: Recipe, *, seed: int) -> None:
        self.recipe, self.seed = recipe, seed
        self.version = 0
        self.learned_from: tuple[Item, ...] = ()
        self.samples: tuple[Any, ...] = ()
        self._latest: tuple[list[int], AdapterState] | None = None
        frozen = {id(parameter) for parameter in module.parameters()}
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.module = recipe.build(module).eval()
        self.parameters = {name: p for name, p in self.module.named_parameters() if id(p) not in frozen}
        for parameter in self.parameters.values():
            parameter.requires_grad_(True)
        self._fresh = {name: parameter.detach().clone() for name, parameter in self.parameters.items()}

    @property
    def n_parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters.values())

    @contextmanager
    def training(self) -> Iterator[list[nn.Parameter]]:
        """Dropout on, and the parameters to train; back to inference afterwards, and to the old weights on an error.

        Only dropout is switched: SAM 2's decoder has none of its own and chooses masks differently in `train` mode.
        """
        before = self.snapshot()
        try:
            with self.dropout():
                yield list(self.parameters.values())
        except BaseException:
            self.restore(before)
            raise

    @contextmanager
    def dropout(self) -> Iterator[None]:
        """Within this context the adapter's dropout is active."""
        layers = [child for child in self.module.modules() if isinstance(child, nn.Dropout)]
        for layer in layers:
            layer.train()
        try:
            yield
        finally:
            for layer in layers:
                layer.eval()

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Within this context a module adapted by peft equals the frozen one bit for bit."""
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
        """The weights as they are, copied; the same snapshot again while nothing has changed.

        A session keeps one per correction, of every adapter, and only one of these has learned in between.
        """
        written = [parameter._version for parameter in self.parameters.values()]  # noqa: SLF001 - torch counts writes
        if self._latest is not None:
            before, state = self._latest
            same = state.version == self.version and state.learned_from == self.learned_from
            if same and before == written and state.samples is self.samples:
                return state
        tensors = {name: parameter.detach().clone() for name, parameter in self.parameters.items()}
        state = AdapterState(self.version, self.learned_from, tensors, self.samples)
        self._latest = written, state
        return state

    def restore(self, state: AdapterState) -> None:
        """Take the weights of a snapshot.

        Raises:
            ValueError: if the snapshot is of an adapter of another shape.
        """
        self._write(state.tensors)
        self.version, self.learned_from, self.samples = state.version, state.learned_from, state.samples

    def take_weights(self, other: Adapter) -> None:
        """Take the present weights of another adapter of the same shape."""
        self._write({name: parameter.detach() for name, parameter in other.parameters.items()})

    def reset(self) -> None:
        """Back to the untrained state, with the same initial weights."""
        self._write(self._fresh)
        self.version, self.learned_from, self.samples = 0, (), ()

    def _write(self, tensors: dict[str, Tensor]) -> None:
        expected = {name: tuple(parameter.shape) for name, parameter in self.parameters.items()}
        given = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        if given != expected:
            odd = min(set(given.items()) ^ set(expected.items()))[0]
            raise ValueError(
                f"the snapshot is of another adapter (it differs at {odd!r}); "
                f"restore it into an adapter of the same model and recipe"
            )
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(tensors[name])


class AdapterBank:
    """The adapters of a learner, one or several per key (an object, a group), each made when first needed."""

    def __init__(self, module: nn.Module, recipe: Recipe, *, seed: int) -> None:
        self._module, self.recipe, self._seed = module, recipe, seed
        self._adapters: dict[tuple[Hashable, int], Adapter] = {}

    def trained(self, key: Hashable, slot: int = 0) -> Adapter | None:
        """The adapter of `key` if it has learned anything."""
        adapter = self._adapters.get((key, slot))
        return adapter if adapter is not None and adapter.version > 0 else None

    def of(self, key: Hashable) -> list[Adapter]:
        """All adapters of `key` that have learned anything, in the order in which they were begun."""
        # A copy, because another thread may be asking while an adapter is made.
        found = [(slot, adapter) for (owner, slot), adapter in list(self._adapters.items()) if owner == key]
        return [adapter for _, adapter in sorted(found, key=lambda each: each[0]) if adapter.version > 0]

    def get(self, key: Hashable, slot: int = 0) -> Adapter:
        """The adapter of `key`, fresh if there was none."""
        if (key, slot) not in self._adapters:
            # Each starts elsewhere, so that several adapters of one key differ.
            self._adapters[key, slot] = Adapter(self._module, self.recipe, seed=self._seed + slot)
        return self._adapters[key, slot]

    def versions(self) -> dict[tuple[Hashable, int], tuple[int, tuple]]:
        """How often each trained adapter has learned and from which items, by key and slot."""
        trained = [(place, adapter) for place, adapter in list(self._adapters.items()) if adapter.version > 0]
        return {place: (adapter.version, adapter.learned_from) for place, adapter in trained}

    def snapshot(self) -> dict[tuple[Hashable, int], AdapterState]:
        """All adapters that have learned anything, by key and slot."""
        return {place: adapter.snapshot() for place, adapter in self._adapters.items() if adapter.version > 0}

    def restore(self, states: dict[tuple[Hashable, int], AdapterState]) -> None:
        """Exactly these adapters; others become untrained."""
        for place, adapter in self._adapters.items():
            if place not in states:
                adapter.reset()
        for place, state in states.items():
            self.get(*place).restore(state)
