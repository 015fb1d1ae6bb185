"""Live learning for video: one mask per object and frame, one adapter per object."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from lit_widget.core.adapter import AdapterBank, AdapterConfig
from lit_widget.core.learner import Verdict
from lit_widget.core.types import Correction, Prediction, Proposal, Snapshot, UpdateReport
from lit_widget.core.update import UpdateConfig, online_update

from .frames import Frames
from .losses import mask_iou, mask_loss
from .memory import FrameStatus, MaskOutput, MemoryBank
from .sam2 import FeatureCache, FrameFeatures, Points, Sam2, replay

ABSENT_LOGIT = -1024.0
"""Logit that SAM 2 writes everywhere when it holds that the object is not visible."""


class VideoItem(NamedTuple):
    """An object on a frame."""

    frame: int
    object: int


@dataclass(frozen=True)
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


class VideoLearner:
    """SAM 2 on one video, with a memory bank and an adapter per object.

    Args:
        model: the frozen model.
        frames: the video.
        adapter: shape of the adapters.
        update: how a correction is learned.
        seed: of initial adapter weights and dropout.
        features: encoded frames to share with other learners of the same model and video.
    """

    def __init__(
        self,
        model: Sam2,
        frames: Frames,
        *,
        adapter: AdapterConfig | None = None,
        update: UpdateConfig | None = None,
        seed: int = 123,
        features: FeatureCache | None = None,
    ) -> None:
        self.model, self.frames, self.seed = model, frames, seed
        self.update_config = update or UpdateConfig()
        self.features = features or FeatureCache(lambda index: model.encode(frames[index]))
        self.adapters = AdapterBank(model.decoder, adapter or AdapterConfig(), seed=seed)
        self.banks: dict[int, MemoryBank] = {}
        self.cancelled: Callable[[], bool] = lambda: False

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the video in pixels."""
        return self.frames.height, self.frames.width

    def bank(self, object_id: int) -> MemoryBank:
        """The memory of an object, empty at first."""
        return self.banks.setdefault(object_id, MemoryBank())

    # --- Asking -----------------------------------------------------------------------------------

    def predict_one(self, item: VideoItem) -> Prediction[MaskOutput]:
        """Track one object to one frame, in the direction it was tracked before or must be now.

        Raises:
            ValueError: if the object has no prompt yet.
        """
        return self.predict_many(item.frame, [item.object], reverse=self._direction(item))[0]

    def predict_many(
        self, frame: int, objects: Sequence[int], *, reverse: bool = False
    ) -> list[Prediction[MaskOutput]]:
        """Track several objects to one frame, in one batch where `Sam2.batches_objects`."""
        for object_id in objects:
            if not self.bank(object_id).has_conditioning:
                raise ValueError(f"object {object_id} has no prompt yet; click it or give its mask on some frame first")
        batches = [list(objects)] if self.model.batches_objects else [[object_id] for object_id in objects]
        return [each for batch in batches for each in self._predict_batch(frame, batch, reverse=reverse)]

    def _predict_batch(self, frame: int, objects: list[int], *, reverse: bool) -> list[Prediction[MaskOutput]]:
        features = self.features[frame]
        banks = [self.bank(object_id) for object_id in objects]
        fused = self.model.fuse(features, banks, frame, len(self.frames), reverse=reverse)
        outputs = self.model.decode(fused, features)
        return [
            Prediction(VideoItem(frame, object_id), output, Evidence(fused[i : i + 1], features))
            for i, (object_id, output) in enumerate(zip(objects, outputs, strict=True))
        ]

    def segment(
        self, item: VideoItem, points: Points, *, previous: MaskOutput | None = None, evidence: Evidence | None = None
    ) -> MaskOutput:
        """The mask that clicks or a box give, before anything is settled.

        Args:
            item: the object and frame.
            points: all prompts that stand on this frame.
            previous: the mask that the newest click refines.
            evidence: of the tracked prediction being corrected; without it the frame is a first prompt.
        """
        first = evidence is None
        if evidence is None:
            features = self.features[item.frame]
            fused = self.model.fuse(features, [MemoryBank()], item.frame, len(self.frames))
            evidence = Evidence(fused, features)
        return self.model.prompted(evidence.fused, evidence.features, points, self.size, first=first, previous=previous)

    def from_mask(self, frame: int, mask: Bool[np.ndarray, "h w"]) -> MaskOutput:
        """A mask given by hand, as an output."""
        return self.model.from_mask(self.features[frame], mask)

    @torch.no_grad()
    def propose_one(self, prediction: Prediction[MaskOutput]) -> Proposal[MaskOutput] | None:
        """The adapter's mask on the same evidence, or `None` while the object's adapter is untrained."""
        item = prediction.item
        adapter = self.adapters.trained(item.object)
        if adapter is None:
            return None
        inputs = self.model.replay_inputs(prediction.evidence.fused, prediction.evidence.features)
        logits, ious, scores = replay(adapter.module, inputs)
        output = gated(logits[0, :1], scores[0], prediction.output.pointer, float(ious[0, 0]))
        return Proposal(item, output, "adapter", adapter.version, adapter.learned_from)

    @torch.no_grad()
    def mask(self, output: MaskOutput) -> Bool[np.ndarray, "h w"]:
        """An output at video size."""
        logits = F.interpolate(output.logits[None], size=self.size, mode="bilinear", align_corners=False)
        return (logits[0, 0] > 0).cpu().numpy()

    # --- Settling ---------------------------------------------------------------------------------

    def prompt(self, item: VideoItem, output: MaskOutput) -> None:
        """Start an object (or restart it) from this frame."""
        self._settle(item, output, "prompted", conditioning=True, reverse=False)

    def settle_one(self, item: VideoItem, output: MaskOutput, *, verdict: Verdict = "kept", full: bool = False) -> None:
        """Write a mask to memory; a mask painted in full becomes permanent memory, as in the authors' code."""
        status: FrameStatus = "tracked" if verdict == "kept" else verdict
        before = self.bank(item.object).records.get(item.frame)
        conditioning = (verdict == "corrected" and full) or (before is not None and before.conditioning)
        self._settle(item, output, status, conditioning=conditioning, reverse=self._direction(item))

    def settle_tracked(self, prediction: Prediction[MaskOutput], *, reverse: bool) -> None:
        """Keep a tracked mask and remember in which direction it was tracked."""
        self._settle(prediction.item, prediction.output, "tracked", conditioning=False, reverse=reverse)

    def _settle(
        self, item: VideoItem, output: MaskOutput, status: FrameStatus, *, conditioning: bool, reverse: bool
    ) -> None:
        self.bank(item.object).records[item.frame] = self.model.remember(
            self.features[item.frame], output, status=status, conditioning=conditioning, reverse=reverse
        )

    def _direction(self, item: VideoItem) -> bool:
        """Whether this frame lies on the backward side: as tracked before, else before every conditioning frame."""
        records = self.bank(item.object).records
        if item.frame in records:
            return records[item.frame].reverse
        anchors = [frame for frame, record in records.items() if record.conditioning]
        return bool(anchors) and item.frame < min(anchors)

    # --- Learning ---------------------------------------------------------------------------------

    def learn_one(self, prediction: Prediction[MaskOutput], correction: Correction[MaskOutput]) -> UpdateReport | None:
        """Train the object's adapter on a correction (paper section 3.2).

        An empty target teaches nothing, as in SAM 2's own training, and returns `None`.
        """
        target = correction.target
        if target is None:
            return None
        # Void leaves the target before resizing, which would smear it over the border.
        mask = target.mask if target.valid is None else target.mask & target.valid
        if not mask.any():
            return None
        item = prediction.item
        adapter = self.adapters.get(item.object)
        truth = self.model.square(mask)
        valid = None if target.valid is None else self.model.square(target.valid)
        inputs = self.model.replay_inputs(prediction.evidence.fused, prediction.evidence.features)

        def forward() -> Float[Tensor, "s s"]:
            logits = replay(adapter.module, inputs)[0][:, :1]
            return F.interpolate(logits, size=truth.shape, mode="bilinear", align_corners=False)[0, 0]

        with adapter.training() as parameters, torch.random.fork_rng():
            torch.manual_seed(self.seed + adapter.version)
            report = online_update(
                parameters,
                forward,
                lambda logits: mask_loss(logits, truth, valid),
                lambda logits: float(mask_iou(logits > 0, truth, valid)),
                self.update_config,
                version=adapter.version + 1,
                cancelled=self.cancelled,
            )
        if report.stopped == "non-finite":
            warnings.warn(
                f"the update on frame {item.frame} gave a non-finite loss and was rolled back; "
                f"a lower learning rate than {self.update_config.learning_rate:g} may help",
                stacklevel=2,
            )
        if not report.rolled_back:
            adapter.version = report.version
            adapter.learned_from = (*adapter.learned_from, item)
        return report

    def snapshot(self) -> Snapshot:
        """All trained adapters and all records; records are immutable, so copying the books is enough."""
        memory = {object_id: dict(bank.records) for object_id, bank in self.banks.items()}
        return Snapshot(self.adapters.snapshot(), memory)

    def restore(self, snapshot: Snapshot) -> None:
        """Exactly the adapters and records of a snapshot."""
        self.adapters.restore(snapshot.adapters)
        self.banks = {object_id: MemoryBank(dict(records)) for object_id, records in (snapshot.memory or {}).items()}

    def reset(self) -> None:
        """Forget everything learned; masks and memory stay."""
        self.adapters.restore({})


def gated(
    logits: Float[Tensor, "1 h w"], score: Float[Tensor, " 1"], pointer: Float[Tensor, " d"], iou: float
) -> MaskOutput:
    """A mask as SAM 2 outputs it: absent everywhere when the object score is not positive.

    The pointer stays the tracker's, as in the authors' code.
    """
    visible = score > 0
    return MaskOutput(torch.where(visible, logits, ABSENT_LOGIT), pointer, score, iou)
