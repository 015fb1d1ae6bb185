"""What an adapter trains: LoRA as in the paper, any other method of peft, or a full copy of a part.

A recipe puts new parameters into a structural copy of a frozen module that shares all its tensors, so that the
module itself is never touched and costs no second set of weights.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from torch import nn

if TYPE_CHECKING:
    from peft import LoraConfig, PeftConfig

ATTENTION = ("q_proj", "k_proj", "v_proj")
"""Names of the linear layers that the paper adapts: queries, keys and values of every attention."""


@runtime_checkable
class Recipe(Protocol):
    """How an adapter is put into a module."""

    def build(self, module: nn.Module) -> nn.Module:
        """A copy of `module` that shares its tensors but for those to be trained."""
        ...


@dataclass(frozen=True)
class Lora:
    """LoRA as the paper has it (section 3.2).

    Attributes:
        rank: r of W = W0 + (alpha / r) B A.
        alpha: numerator of the scale; alpha = r gives scale 1.
        dropout: on the input of the LoRA branch, while training only.
        targets: names of the linear layers that get a branch.
        keep_bias: False drops the adapted layers' own bias, as the authors' code does by oversight; the adapter then
            differs from the frozen model even before it has learned anything.
    """

    rank: int = 4
    alpha: float = 4.0
    dropout: float = 0.1
    targets: tuple[str, ...] = ATTENTION
    keep_bias: bool = True

    def config(self) -> LoraConfig:
        """The same as peft's configuration."""
        from peft import LoraConfig

        return LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,  # pyright: ignore[reportArgumentType]
            lora_dropout=self.dropout,
            target_modules=list(self.targets),
        )

    def build(self, module: nn.Module) -> nn.Module:
        """Branches beside every target layer; their second factor starts at zero."""
        from .lora import LoraLinear

        config = self.config()
        # Experimental in peft, but documented in its guide to custom models; there is no public name for it.
        config._register_custom_module({nn.Linear: LoraLinear})  # noqa: SLF001
        adapted = _inject(config, module)
        if not self.keep_bias:
            for layer in adapted.modules():
                if isinstance(layer, LoraLinear):
                    layer.get_base_layer().register_parameter("bias", None)
        return adapted


@dataclass(frozen=True)
class Peft:
    """Any method of peft that injects into linear layers, such as DoRA or IA3.

    Attributes:
        config: peft's own configuration; without `target_modules` it gets the paper's.
    """

    config: PeftConfig

    def __post_init__(self) -> None:
        """Refuse what is no configuration of peft."""
        from peft import PeftConfig

        if not isinstance(self.config, PeftConfig):
            given = f"{self.config!r}, a {type(self.config).__name__}"
            raise ValueError(f"peft_config is {given}; give a configuration of peft, such as LoraConfig")  # noqa: TRY004

    def build(self, module: nn.Module) -> nn.Module:
        """Whatever peft injects.

        Raises:
            ValueError: if peft cannot inject this configuration here.
        """
        name = type(self.config).__name__
        if not hasattr(self.config, "target_modules"):
            raise ValueError(f"peft cannot put {name} into linear layers; give a method that can, such as LoraConfig")
        try:
            return _inject(self._aimed(), module)
        except (ValueError, NotImplementedError) as error:
            raise ValueError(
                f"peft cannot put this {name} into the mask decoder ({error}); "
                f"its linear layers are q_proj, k_proj, v_proj and out_proj of every attention"
            ) from error

    def _aimed(self) -> PeftConfig:
        """A copy that names its layers; peft writes into what it is given."""
        aimed: Any = copy.deepcopy(self.config)
        if not aimed.target_modules:
            aimed.target_modules = set(ATTENTION)
            if hasattr(aimed, "feedforward_modules"):
                aimed.feedforward_modules = set()
        return aimed


@dataclass(frozen=True)
class FullCopy:
    """Every weight of one part is trained (the paper's LIT-FT).

    Attributes:
        part: name of a submodule.
    """

    part: str = "transformer"

    def build(self, module: nn.Module) -> nn.Module:
        """The part gets weights of its own."""
        adapted = share_structure(module)
        setattr(adapted, self.part, copy.deepcopy(getattr(module, self.part)))
        return adapted


def load_peft() -> None:
    """Import peft, which takes seconds, before it is needed."""
    import peft  # noqa: F401  # pyright: ignore[reportUnusedImport]


def share_structure(module: nn.Module) -> nn.Module:
    """Copy a module's structure while sharing all its tensors."""
    tensors = [*module.parameters(), *module.buffers()]
    return copy.deepcopy(module, memo={id(tensor): tensor for tensor in tensors})


def _inject(config: PeftConfig, module: nn.Module) -> nn.Module:
    from peft import inject_adapter_in_model

    requires_grad = {name: parameter.requires_grad for name, parameter in module.named_parameters()}
    adapted = inject_adapter_in_model(config, share_structure(module))
    # peft freezes what it wraps; the shared tensors get their own setting back.
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(requires_grad[name])
    return adapted
