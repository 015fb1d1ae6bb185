"""peft's LoRA layer, made quick for the many tiny steps of an update, where arithmetic costs least."""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from peft.tuners import lora
from torch import Tensor, nn


class LoraLinear(lora.Linear):
    """peft's linear layer with one LoRA branch, without what only merged, mixed or other variants need."""

    def forward(self, x: Tensor) -> Tensor:
        """W x + b, and (alpha / r) B A dropout(x) unless the adapter is disabled; bit for bit as peft's own."""
        result = self.base_layer(x)
        if self.disable_adapters:
            return result
        (name,) = self.active_adapters
        down, up = (cast("nn.Linear", factors[name]).weight for factors in (self.lora_A, self.lora_B))
        branch = F.linear(F.linear(self.lora_dropout[name](x), down), up)
        return result + (branch if self.scaling[name] == 1 else branch * self.scaling[name])
