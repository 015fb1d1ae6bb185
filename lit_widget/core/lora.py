"""peft's LoRA layer, made quick for the many tiny steps of an update, where arithmetic costs least."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from peft.tuners import lora
from torch import Tensor, nn


class LoraLinear(lora.Linear):
    """peft's linear layer with one LoRA branch, without what only merged, mixed or other variants need."""

    def forward(self, x: Tensor) -> Tensor:
        """W x + b, and (alpha / r) B A dropout(x) unless the adapter is disabled; consulted, bit for bit as peft's."""
        base = cast("nn.Linear", self.base_layer)
        if self.disable_adapters:
            return base(x)
        (name,) = self.active_adapters
        down, up = (cast("nn.Linear", factors[name]).weight for factors in (self.lora_A, self.lora_B))
        dropout, scale = self.lora_dropout[name], self.scaling[name]
        if torch.is_grad_enabled():
            keep = keep_mask(x, dropout.p) if isinstance(dropout, nn.Dropout) and dropout.training else None
            return _Branched.apply(x, base.weight, base.bias, down, up, keep, scale)
        branch = F.linear(F.linear(dropout(x), down), up)
        return base(x) + (branch if scale == 1 else branch * scale)


class _Branched(torch.autograd.Function):
    """W x + b + s B A (keep * x) as one node of the graph, whose W and b are frozen."""

    @staticmethod
    def forward(  # noqa: PLR0917 - tensors must be given one by one to be seen
        ctx: Any,
        x: Tensor,
        frozen: Tensor,
        bias: Tensor | None,
        down: Tensor,
        up: Tensor,
        keep: Tensor | None,
        scale: float,
    ) -> Tensor:
        rows = x.flatten(0, -2)
        kept = rows if keep is None else rows * keep.flatten(0, -2)
        squeezed = kept @ down.T
        result = rows @ frozen.T if bias is None else torch.addmm(bias, rows, frozen.T)
        ctx.save_for_backward(frozen, down, up, keep, kept, squeezed)
        ctx.scale = scale
        return result.addmm_(squeezed, up.T, alpha=scale).view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        frozen, down, up, keep, kept, squeezed = ctx.saved_tensors
        slope = outer[0].flatten(0, -2)
        narrow = slope @ up if ctx.scale == 1 else slope @ up * ctx.scale
        of_up = slope.T @ squeezed if ctx.scale == 1 else slope.T @ squeezed * ctx.scale
        of_x = None
        if ctx.needs_input_grad[0]:
            through = narrow @ down
            of_x = (slope @ frozen).view(*outer[0].shape[:-1], -1)
            of_x += through.view_as(of_x) if keep is None else through.view_as(of_x) * keep
        return of_x, None, None, narrow.T @ kept, of_up, None, None


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
