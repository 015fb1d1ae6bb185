"""An adapter of the mask decoder at work: asked for a mask, or trained, on what the decoder saw (paper section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from lit_widget.core.adapter import Adapter
from lit_widget.core.types import Prediction
from lit_widget.core.update import Pass

from .losses import FOCAL_WEIGHT, MaskLoss, mask_iou
from .memory import MaskOutput
from .quirks import Quirks
from .replay import SingleReplay, replay
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


def training_pass(model: Sam2, adapter: Adapter, sample: Sample, quirks: Quirks) -> Pass:
    """One pass over a sample: loss at the model's input size, and IoU of the mask that the adapter gives."""
    inputs = replay_of(model, sample.evidence)
    truth = model.square(sample.target.shown)
    valid = None if sample.target.valid is None else model.square(sample.target.valid)
    focal_weight = FOCAL_WEIGHT * (truth.shape[1] if quirks.focal_reduction == "col_sum" else 1)
    loss_of = MaskLoss(truth, valid, focal_weight=focal_weight)

    def gated_replay() -> Float[Tensor, "1 1 h w"]:
        logits, _, scores, _ = replay(adapter.module, inputs)
        return gated(logits[:, :1], scores[:, :, None, None] > 0)

    decode = gated_replay if quirks.train_gate else SingleReplay(adapter.module, inputs)

    low = inputs["high_res_features"][0].shape[-2:]
    rows, columns = (bilinear(*lengths).to(model.device) for lengths in zip(low, truth.shape, strict=True))

    def run() -> tuple[Tensor, float]:
        logits = rows @ decode()[0, 0] @ columns.T
        return loss_of(logits), float(mask_iou(logits.detach() > 0, truth, valid))

    return run


def bilinear(short: int, long: int) -> Float[Tensor, "long short"]:
    """The matrix that resizes one axis; its gradient costs less than that of torch's resizing."""
    return F.interpolate(torch.eye(short)[None], size=long, mode="linear", align_corners=False)[0].T


def gated(logits: Float[Tensor, "*n h w"], visible: Bool[Tensor, "*m"]) -> Float[Tensor, "*n h w"]:
    """Mask logits as SAM 2 outputs them: absent everywhere when the object is not visible."""
    return torch.where(visible, logits, ABSENT_LOGIT)
