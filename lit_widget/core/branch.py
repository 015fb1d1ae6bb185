"""The trained branch of a LoRA layer taken apart, and its dropout; knows peft's layers without loading peft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

if TYPE_CHECKING:
    from .lora import LoraLinear


class Branch:
    """The parts of a LoRA layer, for who does not project with it as a whole.

    Attributes:
        frozen: (out, in) the weights that are not trained.
        bias: (out,) with them, if there is one.
        up: (out, r) the second factor with its scale.
    """

    def __init__(self, layer: LoraLinear) -> None:
        base = cast("nn.Linear", layer.base_layer)
        (name,) = layer.active_adapters
        self.frozen, self.bias = base.weight, base.bias
        self._down, up = (cast("nn.Linear", factors[name]).weight for factors in (layer.lora_A, layer.lora_B))
        self.up = up if layer.scaling[name] == 1 else up * layer.scaling[name]
        dropout = layer.lora_dropout[name]
        self._rate = dropout.p if isinstance(dropout, nn.Dropout) and dropout.training else None

    def squeezed(self, rows: Float[Tensor, "n d"]) -> Float[Tensor, "r n"]:
        """A dropout(x) of every row x, each in a column: long rows multiply quicker than short ones."""
        keep = None if self._rate is None else keep_mask(rows, self._rate)
        return _Squeezed.apply(rows, self._down, keep)


class _Squeezed(torch.autograd.Function):
    """A (keep * x) of every row, each in a column."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, down: Tensor, keep: Tensor | None) -> Tensor:
        kept = rows if keep is None else rows * keep
        ctx.save_for_backward(kept, down, keep)
        return down @ kept.T

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        kept, down, keep = ctx.saved_tensors
        (slope,) = outer
        of_rows = slope.T @ down if ctx.needs_input_grad[0] else None
        if of_rows is not None and keep is not None:
            of_rows *= keep
        return of_rows, slope @ kept, None


def keep_mask(x: Float[Tensor, "*n"], rate: float) -> Float[Tensor, "*n"]:
    """What dropout multiplies `x` by: 0 with probability `rate`, else what keeps the mean.

    Sixteen random bits decide per number, four numbers at a draw: on a CPU a draw is what costs. `rate` is thereby
    rounded to a multiple of 1/65536.
    """
    if x.device.type != "cpu":
        return F.dropout(torch.ones_like(x), rate)
    draws = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    dropped = round(rate * 65536)
    if not 0 < dropped < 65536:
        return torch.full_like(x, float(dropped == 0))
    # One and zero by arithmetic on whole numbers: comparing, and converting what comes of it, cost several times this.
    least = dropped - 32768
    lanes = draws.view(torch.int16)[: x.numel()].view(x.shape).clamp_(least - 1, least).sub_(least - 1)
    return lanes.to(x.dtype).mul_(65536 / (65536 - dropped))
