"""A plain LoRA trainer, as one would write it from the paper: what the library's update is timed and checked against.

It calls SAM 2's own prompt encoder and mask decoder in every epoch, peft's own LoRA layers, torch's own resizing and
losses through autograd, and reads loss and score back after every step. Nothing here is used by the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from lit_widget.core.recipes import ATTENTION, share_structure

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base

    from lit_widget.video.sam2 import FrameFeatures


class ReferenceTrainer:
    """LoRA on every query, key and value projection of the decoder (paper section 3.2).

    Args:
        module: a SAM 2 model; it is not changed.
        dropout: on the input of the LoRA branches.
        learning_rate: of AdamW.
    """

    def __init__(self, module: SAM2Base, *, dropout: float = 0.1, learning_rate: float = 1e-4) -> None:
        from peft import LoraConfig, inject_adapter_in_model

        self._model, self._learning_rate = module, learning_rate
        config = LoraConfig(r=4, lora_alpha=4, lora_dropout=dropout, target_modules=list(ATTENTION))
        self.decoder = inject_adapter_in_model(config, share_structure(module.sam_mask_decoder)).eval()
        for layer in self.decoder.modules():
            if isinstance(layer, nn.Dropout):
                layer.train()

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """What is trained, by name."""
        return {name: each for name, each in self.decoder.named_parameters() if "lora_" in name}

    def update(
        self,
        fused: Float[Tensor, "1 d h w"],
        features: FrameFeatures,
        target: Bool[Tensor, "s s"],
        *,
        epochs: int = 40,
    ) -> list[float]:
        """Learn one correction.

        Args:
            fused: the frame's features with the object's memory.
            features: the frame's own features.
            target: the corrected mask at the model's input size.
            epochs: optimizer steps.

        Returns:
            The loss before every step.
        """
        optimizer = torch.optim.AdamW(self.parameters.values(), lr=self._learning_rate, weight_decay=0.0)
        losses = []
        for _ in range(epochs):
            logits = self._logits(fused, features, target.shape[-1])
            loss = 20 * _focal(logits, target.float()) + _dice(logits, target.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            _iou(logits, target).item()
        return losses

    def _logits(self, fused: Tensor, features: FrameFeatures, side: int) -> Float[Tensor, "s s"]:
        encoder = self._model.sam_prompt_encoder
        padding = torch.zeros(1, 1, 2, device=fused.device), -torch.ones(1, 1, dtype=torch.int32, device=fused.device)
        sparse, dense = encoder(points=padding, boxes=None, masks=None)
        low, *_ = self.decoder.predict_masks(
            image_embeddings=fused,
            image_pe=encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            repeat_image=False,
            high_res_features=list(features.high_res),
        )
        return F.interpolate(low[:, :1], size=(side, side), mode="bilinear", align_corners=False)[0, 0]


def _focal(logits: Tensor, truth: Tensor) -> Tensor:
    probability = logits.sigmoid()
    surprise = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    wrong = 1 - (probability * truth + (1 - probability) * (1 - truth))
    return ((0.25 * truth + 0.75 * (1 - truth)) * wrong**2 * surprise).mean()


def _dice(logits: Tensor, truth: Tensor) -> Tensor:
    probability = logits.sigmoid()
    return 1 - (2 * (probability * truth).sum() + 1) / (probability.sum() + truth.sum() + 1)


def _iou(logits: Tensor, truth: Tensor) -> Tensor:
    shown = logits > 0
    return (shown & truth).sum() / (shown | truth).sum().clamp(min=1)
