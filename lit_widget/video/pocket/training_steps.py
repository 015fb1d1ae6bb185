"""One training step of the pocket model: on single images, and through time on short clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from numpy.random import Generator
from torch import Tensor, nn

from .training_data import Batch, TrainingData

MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
TARGETS_PER_IMAGE = 4
TARGETS_PER_CLIP = 3


@dataclass(frozen=True)
class Score:
    """A loss to minimise and the mean IoU of the single-mask token and of the best of three."""

    loss: Tensor
    iou_single: float
    iou_best: float


@dataclass
class Heads:
    """What the decoder says of n targets: 4 mask logits (token 0 first), their IoUs, tokens, object score."""

    logits: Float[Tensor, "n 4 h w"]
    iou: Float[Tensor, "n 4"]
    tokens: Float[Tensor, "n 4 d"]
    object_score: Float[Tensor, "n 1"]

    def chosen(self, multimask: bool) -> Int[Tensor, " n"]:
        """Index of the mask that SAM 2 would output."""
        if multimask:
            return self.iou[:, 1:].argmax(1) + 1
        return torch.zeros(len(self.iou), dtype=torch.long)

    def logits_of(self, index: Int[Tensor, " n"]) -> Float[Tensor, "n 1 h w"]:
        """The mask logits at `index`, one per target."""
        return self.logits[torch.arange(len(index)), index][:, None]


@dataclass
class Clicks:
    """Points of n targets with labels 1 (object), 0 (not), 2 and 3 (box corners), -1 (padding)."""

    points: Float[Tensor, "n p 2"]
    labels: Int[Tensor, "n p"]

    def plus(self, other: Clicks) -> Clicks:
        """These clicks followed by others."""
        return Clicks(torch.cat([self.points, other.points], 1), torch.cat([self.labels, other.labels], 1))


def decode(
    model: nn.Module, features: Tensor, high_res: list[Tensor], clicks: Clicks | None = None, mask: Tensor | None = None
) -> Heads:
    """Run prompt encoder and mask decoder without the object-score gate, so that every mask learns."""
    if clicks is None:
        n = len(features)
        clicks = Clicks(torch.zeros(n, 1, 2), -torch.ones(n, 1, dtype=torch.int32))
    sparse, dense = model.sam_prompt_encoder(points=(clicks.points, clicks.labels), boxes=None, masks=mask)
    logits, iou, tokens, score = model.sam_mask_decoder.predict_masks(
        image_embeddings=features,
        image_pe=model.sam_prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        repeat_image=False,
        high_res_features=high_res,
    )
    return Heads(logits, iou, tokens, score)


def score(heads: Heads, target: Bool[Tensor, "n s s"]) -> Score:
    """Cross-entropy and dice of token 0 and of the best of three, L1 of the IoUs, cross-entropy of the object score."""
    logits = F.interpolate(heads.logits, scale_factor=2, mode="bilinear", align_corners=False)
    soft = F.avg_pool2d(target[:, None].float(), target.shape[-1] // logits.shape[-1]).expand_as(logits)
    probability = logits.sigmoid()
    pixels = F.binary_cross_entropy_with_logits(logits, soft, reduction="none").flatten(2).mean(-1)
    overlap, area = (probability * soft).flatten(2).sum(-1), (probability + soft).flatten(2).sum(-1)
    cost = 4 * pixels + 1 - (2 * overlap + 1) / (area + 1)
    with torch.no_grad():
        hard, truth = logits > 0, soft > 0.5
        iou = (hard & truth).flatten(2).sum(-1) / (hard | truth).flatten(2).sum(-1).clamp(min=1)
    present = target.flatten(1).any(1).float()
    count = present.sum().clamp(min=1)
    best = cost[:, 1:].argmin(1) + 1
    rows = torch.arange(len(best))
    masks = ((cost[:, 0] + cost[rows, best] + 0.1 * cost[:, 1:].mean(1)) * present).sum() / count
    ious = ((heads.iou - iou).abs().mean(1) * present).sum() / count
    appears = F.binary_cross_entropy_with_logits(heads.object_score[:, 0], present)
    return Score(
        masks + ious + 0.5 * appears,
        float((iou[:, 0] * present).sum() / count),
        float((iou[rows, best] * present).sum() / count),
    )


def click_in(region: Bool[Tensor, "n s s"], *, centre: bool) -> tuple[Clicks, Bool[Tensor, " n"]]:
    """A positive click in each region, near its thickest place or anywhere; and whether the region exists."""
    weight = torch.rand(region.shape)
    if centre:
        weight = F.avg_pool2d(region[:, None].float(), 19, 1, 9)[:, 0] + 1e-3 * weight
    place = (region * weight).flatten(1).argmax(1)
    side = region.shape[-1]
    points = torch.stack([place % side, place // side], -1).float()[:, None]
    return Clicks(points, torch.ones(len(region), 1, dtype=torch.int32)), region.flatten(1).any(1)


def correcting_click(predicted: Bool[Tensor, "n s s"], target: Bool[Tensor, "n s s"], *, centre: bool) -> Clicks:
    """A click in the larger of the missed and the wrongly covered regions."""
    missed, extra = target & ~predicted, ~target & predicted
    positive = missed.flatten(1).sum(1) >= extra.flatten(1).sum(1)
    clicks, exists = click_in(torch.where(positive[:, None, None], missed, extra), centre=centre)
    labels = torch.where(exists, positive.int(), torch.full_like(positive.int(), -1))
    return Clicks(clicks.points, labels[:, None].int())


def box_around(target: Bool[Tensor, "n s s"]) -> Clicks:
    """The target's bounding box, jittered, as two corner points."""
    columns, rows = target.any(1).float(), target.any(2).float()
    side = target.shape[-1]
    left, right = columns.argmax(1), side - 1 - columns.flip(1).argmax(1)
    top, bottom = rows.argmax(1), side - 1 - rows.flip(1).argmax(1)
    corners = torch.stack([torch.stack([left, top], -1), torch.stack([right, bottom], -1)], 1).float()
    corners = (corners + 3 * torch.randn_like(corners)).clamp(0, side - 1)
    return Clicks(corners, torch.tensor([[2, 3]], dtype=torch.int32).expand(len(target), 2))


def full_size(logits: Float[Tensor, "n 1 h w"], side: int) -> Float[Tensor, "n 1 s s"]:
    """Mask logits at image size."""
    return F.interpolate(logits, size=(side, side), mode="bilinear", align_corners=False)


class PixelAffinity(nn.Module):
    """An auxiliary task for the first minutes: pixels of one object should have similar features."""

    def __init__(self, channels: tuple[int, int, int], points: int = 160) -> None:
        super().__init__()
        self.project = nn.ModuleList(nn.Linear(c, 16) for c in channels)
        self.slope = nn.Parameter(torch.tensor([6.0, -3.0]))
        self.points = points

    def forward(self, pyramid: list[Tensor], objects: Float[Tensor, "b s s"]) -> Tensor:
        """Mean cross-entropy over pairs of random points of each image, at every pyramid level."""
        place = torch.rand(len(objects), self.points, 1, 2) * 2 - 1
        label = F.grid_sample(objects[:, None], place, mode="nearest", align_corners=False)[:, 0, :, 0]
        same = (label[:, :, None] == label[:, None]).float()
        total = torch.zeros(())
        for features, project in zip(pyramid, self.project, strict=True):
            picked = F.grid_sample(features, place, align_corners=False)[..., 0].transpose(1, 2)
            unit = F.normalize(project(picked), dim=-1)
            logit = (unit @ unit.transpose(1, 2)) * self.slope[0] + self.slope[1]
            cost = F.binary_cross_entropy_with_logits(logit, same, reduction="none")
            total = total + 0.5 * (cost * same).sum() / same.sum()
            total = total + 0.5 * (cost * (1 - same)).sum() / (1 - same).sum().clamp(min=1)
        return total / len(pyramid)


def image_step(
    model: nn.Module,
    data: TrainingData,
    rng: Generator,
    plan: Generator,
    *,
    images: int,
    affinity: PixelAffinity,
    affinity_weight: float,
) -> Score:
    """Segment objects of single images from a click, a box or three clicks, sometimes with a correction.

    `plan` decides how much work a step is; processes that share it never wait for each other.
    """
    batch = data.batch(rng, images, 1, TARGETS_PER_IMAGE)
    target, side = batch.targets[:, 0], batch.targets.shape[-1]
    pyramid = model.forward_image((batch.frames[:, 0] - MEAN) / STD)["backbone_fpn"]
    features = (pyramid[2] + model.no_mem_embed.view(1, -1, 1, 1))[batch.clip]
    high_res = [pyramid[0][batch.clip], pyramid[1][batch.clip]]
    choice = plan.random()
    if choice < 0.45:
        clicks = click_in(target, centre=rng.random() < 0.5)[0]
    elif choice < 0.7:
        clicks = box_around(target)
    else:
        clicks = click_in(target, centre=False)[0]
        for _ in range(2):
            clicks = clicks.plus(click_in(target, centre=False)[0])
    heads = decode(model, features, high_res, clicks)
    first = score(heads, target)
    loss = first.loss
    if plan.random() < 0.35:
        before = heads.logits_of(heads.chosen(multimask=True)).detach()
        again = correcting_click(full_size(before, side)[:, 0] > 0, target, centre=rng.random() < 0.5)
        heads = decode(model, features, high_res, clicks.plus(again), before.clamp(-32, 32))
        loss = loss + score(heads, target).loss
    if affinity_weight > 0:
        loss = loss + affinity_weight * affinity(pyramid, _object_map(batch))
    return Score(loss, first.iou_single, first.iou_best)


def _object_map(batch: Batch) -> Float[Tensor, "b s s"]:
    """The drawn targets of each image as one map of numbers; everything else is 0."""
    objects = torch.zeros(len(batch.frames), *batch.targets.shape[-2:])
    for index, target in enumerate(batch.targets[:, 0]):
        objects[batch.clip[index]][target] = index + 1
    return objects


def video_step(
    model: nn.Module,
    data: TrainingData,
    rng: Generator,
    plan: Generator,
    *,
    clips: int,
    length: int,
    true_memory: float,
) -> Score:
    """Track objects through a clip and back-propagate through all of it.

    Args:
        model: the model in training.
        data: the training stream.
        rng: source of randomness.
        plan: decides how much work the step is; processes that share it never wait for each other.
        clips: clips per step.
        length: frames per clip.
        true_memory: share of memories written from the true mask instead of the predicted one.
    """
    batch = data.batch(rng, clips, length, TARGETS_PER_CLIP)
    side = batch.targets.shape[-1]
    encoded = model.forward_image(((batch.frames - MEAN) / STD).flatten(0, 1))
    pyramid, position = encoded["backbone_fpn"], encoded["vision_pos_enc"][2]
    sizes = [tuple(pyramid[2].shape[-2:])]
    outputs: dict[str, dict] = {"cond_frame_outputs": {}, "non_cond_frame_outputs": {}}
    start = plan.choice(["mask", "click", "box"], p=[0.7, 0.18, 0.12])
    corrected = int(plan.integers(1, length)) if plan.random() < 0.5 else -1
    losses, ious = [], []
    for t in range(length):
        rows = batch.clip * length + t
        top, high_res = pyramid[2][rows], [pyramid[0][rows], pyramid[1][rows]]
        flat, flat_position = top.flatten(2).permute(2, 0, 1), position[rows].flatten(2).permute(2, 0, 1)
        target = batch.targets[:, t]
        if t == 0 and start == "mask":
            truth = target[:, None].float()
            _, logits, _, _, _, pointer, appears = model._use_mask_as_output(top, high_res, truth)
        else:
            fused = model._prepare_memory_conditioned_features(
                t, t == 0, [flat], [flat_position], sizes, outputs, length
            )
            clicks = None
            if t == 0:
                clicks = box_around(target) if start == "box" else click_in(target, centre=rng.random() < 0.5)[0]
            heads = decode(model, fused, high_res, clicks)
            tracked = score(heads, target)
            losses.append(tracked.loss)
            if t > 0:
                ious.append((tracked.iou_single, tracked.iou_best))
            multimask = True
            for _ in range(int(plan.integers(1, 4)) if t == corrected else 0):
                before = heads.logits_of(heads.chosen(multimask)).detach()
                again = correcting_click(full_size(before, side)[:, 0] > 0, target, centre=rng.random() < 0.6)
                clicks = again if clicks is None else clicks.plus(again)
                heads = decode(model, fused, high_res, clicks, before.clamp(-32, 32))
                losses.append(score(heads, target).loss)
                multimask = clicks.points.shape[1] == 1
            logits, pointer, appears = _as_memory(model, heads, heads.chosen(multimask), target, true_memory)
        features, encoding = model._encode_new_memory([flat], sizes, logits, appears, is_mask_from_pts=False)
        key = "cond_frame_outputs" if t == 0 else "non_cond_frame_outputs"
        outputs[key][t] = {"maskmem_features": features, "maskmem_pos_enc": encoding, "obj_ptr": pointer}
    single, best = np.mean(ious, 0)
    return Score(torch.stack(losses).mean(), float(single), float(best))


def _as_memory(
    model: nn.Module, heads: Heads, chosen: Int[Tensor, " n"], target: Bool[Tensor, "n s s"], true_memory: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, object pointer and object score that the memory encoder gets, some of them from the truth."""
    n = len(chosen)
    logits = full_size(heads.logits_of(chosen), target.shape[-1])
    swap = torch.rand(n, 1, 1, 1) < true_memory
    logits = torch.where(swap, target[:, None].float() * 20 - 10, logits)
    told = torch.rand(n, 1) < max(true_memory, 0.3)
    visible = torch.where(told, target.flatten(1).any(1)[:, None], heads.object_score.detach() > 0).float()
    logits = torch.where(visible[:, :, None, None] > 0, logits, torch.full_like(logits, -20.0))
    pointer = model.obj_ptr_proj(heads.tokens[torch.arange(n), chosen])
    return logits, visible * pointer + (1 - visible) * model.no_obj_ptr, visible * 20 - 10
