"""peft's LoRA layer, made quick for the many tiny steps of an update, where arithmetic costs least."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from peft.tuners import lora
from torch import Tensor, nn

from .branch import keep_mask


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
