"""An adapter of the mask decoder at work: asked for a mask, or trained, on what the decoder saw (paper section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from lit_widget.core.adapter import Adapter
from lit_widget.core.types import Prediction

from .folded import FoldedReplay
from .losses import FOCAL_WEIGHT, MaskLoss, mask_iou
from .memory import MaskOutput
from .quirks import Quirks
from .replay import SingleReplay, replay
from .resizing import Enlargement
from .sam2 import ABSENT_LOGIT, FrameFeatures, Sam2


class VideoItem(NamedTuple):
    """An object on a frame."""

    frame: int
    object: int


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the decoder saw of an object on a frame; an adapter is consulted and trained on it.

    Attributes:
        fused: (1, d, h, w) features after memory attention.
        features: the frame's own features.
    """

    fused: Float[Tensor, "1 d h w"]
    features: FrameFeatures


@dataclass(frozen=True)
class MaskTarget:
    """What an adapter learns from: a mask at video size, and which pixels count (all when `None`)."""

    mask: Bool[np.ndarray, "h w"]
    valid: Bool[np.ndarray, "h w"] | None = None

    @property
    def shown(self) -> Bool[np.ndarray, "h w"]:
        """The mask without void, which resizing would smear over the border."""
        return self.mask if self.valid is None else self.mask & self.valid


@dataclass(frozen=True)
class Sample:
    """A correction as the adapter learns it."""

    evidence: Evidence
    target: MaskTarget


def replay_of(model: Sam2, evidence: Evidence) -> dict:
    """What the bare decoder is called with; constant over an update."""
    return model.replay_inputs(evidence.fused, evidence.features)


def consult(
    model: Sam2,
    adapter: Adapter,
    prediction: Prediction[MaskOutput],
    quirks: Quirks,
    *,
    visible_above: float = 0.0,
) -> MaskOutput:
    """The adapter's mask on the evidence of a prediction: token 0, gated by the object score."""
    inputs = replay_of(model, prediction.evidence)
    if quirks.dropout_at_inference:
        with adapter.dropout(), torch.random.fork_rng():
            torch.manual_seed(adapter.seed + adapter.version)
            logits, ious, scores, tokens = replay(adapter.module, inputs)
    else:
        logits, ious, scores, tokens = replay(adapter.module, inputs)
    base, visible = prediction.output, scores[0] > visible_above
    pointer = model.pointer(tokens[0, 0], visible) if quirks.lora_obj_ptr == "lora" else base.pointer
    # What the tracker noted of the frame stays the tracker's, as in the authors' code.
    return MaskOutput(gated(logits[0, :1], visible), pointer, scores[0], float(ious[0, 0]), base.note)


class TrainingPass:
    """One pass over a sample: loss at the model's input size, and IoU of the mask that the adapter gives.

    Args:
        model: the frozen model.
        adapter: of its mask decoder.
        sample: a correction.
        quirks: deviations from the method as published.
    """

    def __init__(self, model: Sam2, adapter: Adapter, sample: Sample, quirks: Quirks) -> None:
        inputs = replay_of(model, sample.evidence)
        self._truth = truth = model.square(sample.target.shown)
        self._valid = None if sample.target.valid is None else model.square(sample.target.valid)
        focal_weight = FOCAL_WEIGHT * (truth.shape[1] if quirks.focal_reduction == "col_sum" else 1)
        self._loss_of = MaskLoss(truth, self._valid, focal_weight=focal_weight)
        single = FoldedReplay if FoldedReplay.fits(adapter.module) else SingleReplay
        self._decode = (GatedReplay if quirks.train_gate else single)(adapter.module, inputs)
        low = inputs["high_res_features"][0].shape[-2:]
        self._enlarge = Enlargement(low, (truth.shape[0], truth.shape[1]), model.device)

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """All tensors in which another correction has other values."""
        masks = (self._truth,) if self._valid is None else (self._truth, self._valid)
        return *self._decode.constants, *self._loss_of.constants, *masks

    def __call__(self) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """Loss and IoU, with the adapter's present weights."""
        logits = self._enlarge(self._decode()[0, 0])
        return self._loss_of(logits), mask_iou(logits.detach() > 0, self._truth, self._valid)


class GatedReplay:
    """The whole decoder's token 0, absent everywhere where it holds that the object is not visible.

    Args:
        decoder: SAM 2's mask decoder.
        inputs: from `Sam2.replay_inputs`.
    """

    def __init__(self, decoder: nn.Module, inputs: dict[str, Any]) -> None:
        own = {"image_embeddings": inputs["image_embeddings"].clone()}
        own["high_res_features"] = [level.clone() for level in inputs["high_res_features"]]
        self._decoder, self._inputs = decoder, inputs | own

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """All tensors in which another correction has other values."""
        return self._inputs["image_embeddings"], *self._inputs["high_res_features"]

    def __call__(self) -> Float[Tensor, "1 1 h w"]:
        """Logits at a quarter of the model's input size, with the decoder's present weights."""
        logits, _, scores, _ = replay(self._decoder, self._inputs)
        return gated(logits[:, :1], scores[:, :, None, None] > 0)


def gated(logits: Float[Tensor, "*n h w"], visible: Bool[Tensor, "*m"]) -> Float[Tensor, "*n h w"]:
    """Mask logits as SAM 2 outputs them: absent everywhere when the object is not visible."""
    return torch.where(visible, logits, ABSENT_LOGIT)
