"""SAM 2, unmodified, behind typed state: encode, fuse with memory, decode, remember.

Everything here calls the modules of the `sam2` package's `SAM2Base` as its own video predictor does, but
keeps no state: what a frame needs is passed in, what it yields is passed out. Objects are batched.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor, nn

from .memory import FrameRecord, FrameStatus, MaskOutput, MemoryBank

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
LOGIT_CLAMP = 32.0
"""Previous logits given back as a mask prompt are limited to this, as in SAM 2."""


@dataclass(frozen=True)
class FrameFeatures:
    """The image encoder's output for one frame, batch dimension 1.

    Attributes:
        top: (1, d, h, w) features at stride 16.
        top_position: (1, d, h, w) their positional encoding.
        high_res: features at strides 4 and 8, already projected for the mask decoder.
    """

    top: Float[Tensor, "1 d h w"]
    top_position: Float[Tensor, "1 d h w"]
    high_res: tuple[Tensor, Tensor]

    @property
    def n_bytes(self) -> int:
        """Memory that the tensors take."""
        return sum(t.numel() * t.element_size() for t in (self.top, self.top_position, *self.high_res))


@dataclass(frozen=True)
class Points:
    """Clicks and at most one box on a frame, in pixels of the video (x, y).

    Attributes:
        xy: (n, 2) clicks.
        labels: (n,) 1 on the object, 0 off it.
        box: (x0, y0, x1, y1) or `None`.
    """

    xy: tuple[tuple[float, float], ...] = ()
    labels: tuple[int, ...] = ()
    box: tuple[float, float, float, float] | None = None

    def plus(self, x: float, y: float, *, positive: bool) -> Points:
        """These prompts and one more click."""
        return Points((*self.xy, (x, y)), (*self.labels, int(positive)), self.box)

    @property
    def n_clicks(self) -> int:
        """Number of clicks, the box not counted."""
        return len(self.xy)


class Sam2:
    """A frozen SAM 2 model.

    Args:
        module: the package's model, in `eval` mode; its parameters are frozen here.
        name: what to call it in messages.
    """

    def __init__(self, module: SAM2Base, name: str) -> None:
        self.module = module.eval().requires_grad_(False)
        self.name = name

    @property
    def device(self) -> torch.device:
        """Where the model runs."""
        return next(self.module.parameters()).device

    @property
    def batches_objects(self) -> bool:
        """Whether objects of a frame go through the model together.

        On a CPU they do not: there a batch gains little and takes other kernels, whose last bits differ from SAM 2's
        one-by-one tracking, and bfloat16 memory amplifies that to more than 1e-4 in the logits.
        """
        return self.device.type != "cpu"

    @property
    def image_size(self) -> int:
        """Side of the model's square input in pixels."""
        return self.module.image_size

    @property
    def decoder(self) -> nn.Module:
        """The mask decoder, which adapters copy."""
        return self.module.sam_mask_decoder

    @torch.no_grad()
    def encode(self, frame: UInt8[np.ndarray, "h w 3"]) -> FrameFeatures:
        """Run the image encoder on a frame, resized to the model's square as SAM 2 does."""
        square = Image.fromarray(frame).resize((self.image_size, self.image_size))
        pixels = torch.from_numpy(np.array(square)).permute(2, 0, 1).float() / 255
        mean, std = torch.tensor(_MEAN)[:, None, None], torch.tensor(_STD)[:, None, None]
        encoded = self.module.forward_image(((pixels - mean) / std)[None].to(self.device))
        pyramid, positions = encoded["backbone_fpn"], encoded["vision_pos_enc"]
        return FrameFeatures(pyramid[-1], positions[-1], (pyramid[-3], pyramid[-2]))

    @torch.no_grad()
    def fuse(
        self, features: FrameFeatures, banks: Sequence[MemoryBank], frame: int, n_frames: int, *, reverse: bool = False
    ) -> Float[Tensor, "n d h w"]:
        """Condition a frame's features on each object's memory; an object without memory gets none.

        Objects that remember the same frames go through memory attention in one batch.
        """
        seen = [bank.reachable(frame, reverse=reverse) for bank in banks]
        groups: OrderedDict[tuple, list[int]] = OrderedDict()
        for index, records in enumerate(seen):
            signature = tuple((at, record.conditioning) for at, record in records.items())
            groups.setdefault(signature, []).append(index)
        fused: list[Tensor] = [features.top] * len(banks)
        for members in groups.values():
            outputs = _stack([seen[index] for index in members])
            result = self.module._prepare_memory_conditioned_features(
                frame_idx=frame,
                is_init_cond_frame=not outputs["cond_frame_outputs"],
                current_vision_feats=[_tokens(features.top, len(members))],
                current_vision_pos_embeds=[_tokens(features.top_position, len(members))],
                feat_sizes=[tuple(features.top.shape[-2:])],
                output_dict=outputs,
                num_frames=n_frames,
                track_in_reverse=reverse,
            )
            for row, index in enumerate(members):
                fused[index] = result[row : row + 1]
        return torch.cat(fused)

    @torch.no_grad()
    def decode(
        self,
        fused: Float[Tensor, "n d h w"],
        features: FrameFeatures,
        *,
        points: tuple[Tensor, Tensor] | None = None,
        previous: Float[Tensor, "n 1 h4 w4"] | None = None,
        multimask: bool = True,
    ) -> list[MaskOutput]:
        """Predict one mask per row of `fused`: the best of three by estimated IoU, or token 0."""
        n = len(fused)
        prompt = None if points is None else {"point_coords": points[0], "point_labels": points[1]}
        clamped = None if previous is None else previous.clamp(-LOGIT_CLAMP, LOGIT_CLAMP)
        _, _, ious, logits, _, pointers, scores = self.module._forward_sam_heads(
            backbone_features=fused,
            point_inputs=prompt,
            mask_inputs=clamped,
            high_res_features=[level.expand(n, -1, -1, -1) for level in features.high_res],
            multimask_output=multimask,
        )
        best = ious.max(dim=-1).values.float()
        return [MaskOutput(logits[i], pointers[i], scores[i], float(best[i])) for i in range(n)]

    def prompted(
        self,
        fused: Float[Tensor, "1 d h w"],
        features: FrameFeatures,
        points: Points,
        size: tuple[int, int],
        *,
        first: bool,
        previous: MaskOutput | None = None,
    ) -> MaskOutput:
        """The mask for clicks or a box, refined from `previous` when there is one.

        Args:
            fused: the frame's features with the object's memory.
            features: the frame's own features.
            points: the prompts, in pixels of the video.
            size: (height, width) of the video in pixels.
            first: whether the object has not been tracked to this frame yet.
            previous: the mask that the user saw when clicking.
        """
        n = len(points.labels) + 2 * (points.box is not None)
        multimask = self.module._use_multimask(first, {"point_labels": torch.zeros(1, n)})
        return self.decode(
            fused,
            features,
            points=self.point_tensors(points, size),
            previous=None if previous is None else previous.logits[None],
            multimask=multimask,
        )[0]

    def point_tensors(self, points: Points, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Prompts in the model's own pixels, (1, n, 2) and (1, n), a box first as its two corners."""
        height, width = size
        xy = list(points.xy)
        labels = list(points.labels)
        if points.box is not None:
            x0, y0, x1, y1 = points.box
            xy, labels = [(x0, y0), (x1, y1), *xy], [2, 3, *labels]
        scale = torch.tensor([self.image_size / width, self.image_size / height], device=self.device)
        coordinates = torch.tensor(xy, dtype=torch.float32, device=self.device)[None] * scale
        return coordinates, torch.tensor(labels, dtype=torch.int32, device=self.device)[None]

    @torch.no_grad()
    def from_mask(self, features: FrameFeatures, mask: Bool[np.ndarray, "h w"]) -> MaskOutput:
        """Take a mask at video size as the answer; the decoder only makes its object pointer."""
        target = self.square(mask)
        logits, _, _, _, _, pointer, score = self.module._use_mask_as_output(
            features.top, list(features.high_res), target[None, None].float()
        )
        return MaskOutput(logits[0], pointer[0], score[0], 1.0)

    def square(self, mask: Bool[np.ndarray, "h w"]) -> Bool[Tensor, "s s"]:
        """A mask at the model's input size, antialiased and thresholded at 0.5 as in SAM 2."""
        full = torch.from_numpy(np.ascontiguousarray(mask)).to(self.device).float()[None, None]
        size = (self.image_size, self.image_size)
        resized = F.interpolate(full, size=size, mode="bilinear", align_corners=False, antialias=True)
        return resized[0, 0] >= 0.5

    @torch.no_grad()
    def remember(
        self,
        features: FrameFeatures,
        output: MaskOutput,
        *,
        status: FrameStatus,
        conditioning: bool,
        reverse: bool = False,
    ) -> FrameRecord:
        """Encode a settled mask into memory."""
        # SAM 2 enlarges all three candidate masks of a tracked frame before it picks one. Enlarging one alone takes
        # another kernel, whose last bit differs, and bfloat16 memory would carry that on.
        candidates = 3 if status == "tracked" else 1
        logits = F.interpolate(
            output.logits[None].repeat(1, candidates, 1, 1),
            size=(self.image_size, self.image_size),
            mode="bilinear",
            align_corners=False,
        )[:, :1]
        memory, position = self.module._encode_new_memory(
            current_vision_feats=[_tokens(features.top, 1)],
            feat_sizes=[tuple(features.top.shape[-2:])],
            pred_masks_high_res=logits,
            object_score_logits=output.object_score[None],
            is_mask_from_pts=status != "tracked",
        )
        return FrameRecord(output, memory[0].to(torch.bfloat16), position[-1][0], status, conditioning, reverse)

    @torch.no_grad()
    def replay_inputs(self, fused: Float[Tensor, "1 d h w"], features: FrameFeatures) -> dict[str, Any]:
        """Arguments with which the bare decoder repeats a tracked frame; constant over an update's steps."""
        encoder = self.module.sam_prompt_encoder
        padding = (torch.zeros(1, 1, 2, device=self.device), -torch.ones(1, 1, dtype=torch.int32, device=self.device))
        sparse, dense = encoder(points=padding, boxes=None, masks=None)
        return {
            "image_embeddings": fused,
            "image_pe": encoder.get_dense_pe(),
            "sparse_prompt_embeddings": sparse,
            "dense_prompt_embeddings": dense,
            "repeat_image": False,
            "high_res_features": list(features.high_res),
        }


def replay(decoder: nn.Module, inputs: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
    """Run a bare decoder, the model's own or an adapted one, without the gate by object score.

    Returns:
        Logits (n, 4, h, w) with token 0 first, estimated IoUs (n, 4) and object scores (n, 1).
    """
    logits, ious, _, scores = cast("Any", decoder).predict_masks(**inputs)
    return logits.float(), ious, scores


class FeatureCache:
    """Encoded frames, the least recently used dropped once they take more than `max_bytes`."""

    def __init__(self, encode: Callable[[int], FrameFeatures], *, max_bytes: int = 2**30) -> None:
        self._encode, self._max_bytes = encode, max_bytes
        self._kept: OrderedDict[int, FrameFeatures] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, frame: int) -> FrameFeatures:
        if frame in self._kept:
            self._kept.move_to_end(frame)
            return self._kept[frame]
        features = self._encode(frame)
        self._kept[frame] = features
        self._bytes += features.n_bytes
        while self._bytes > self._max_bytes and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].n_bytes
        return features


def _tokens(grid: Float[Tensor, "1 d h w"], n: int) -> Float[Tensor, "hw n d"]:
    """SAM 2's sequence layout of a feature map, repeated for n objects."""
    return grid.flatten(2).permute(2, 0, 1).expand(-1, n, -1)


def _stack(objects: list[dict[int, FrameRecord]]) -> dict[str, dict[int, dict]]:
    """Records of objects that remember the same frames, in SAM 2's own dictionary layout."""
    outputs: dict[str, dict[int, dict]] = {"cond_frame_outputs": {}, "non_cond_frame_outputs": {}}
    for frame, record in objects[0].items():
        records = [records[frame] for records in objects]
        key = "cond_frame_outputs" if record.conditioning else "non_cond_frame_outputs"
        outputs[key][frame] = {
            "maskmem_features": torch.stack([record.features for record in records]),
            "maskmem_pos_enc": [record.position.expand(len(records), -1, -1, -1)],
            "obj_ptr": torch.stack([record.output.pointer for record in records]),
        }
    return outputs
