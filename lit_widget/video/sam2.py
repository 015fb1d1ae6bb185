"""SAM 2, unmodified, behind typed state: encode, fuse with memory, decode, remember.

Everything here calls the modules of the `sam2` package's `SAM2Base` as its own video predictor does, but
keeps no state: what a frame needs is passed in, what it yields is passed out. Objects are batched.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakSet

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor, nn

from lit_widget.core.shelf import Memo, Shelf

from .attention import attend, tokens
from .devices import FullMemoryError, Precision, explained
from .memory import FrameRecord, FrameStatus, MaskOutput, Note, Recall
from .memory_attention import CpuMemoryAttention

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base

_MEAN, _STD = np.array([(0.485, 0.456, 0.406), (0.229, 0.224, 0.225)], dtype=np.float32)
LOGIT_CLAMP = 32.0
"""Previous logits given back as a mask prompt are limited to this, as in SAM 2."""

MASK_LOGIT = 10.0
"""Size of the logits and of the object score that SAM 2 gives a mask painted by hand."""

ABSENT_LOGIT = -1024.0
"""Logit that SAM 2 writes everywhere when it holds that the object is not visible."""

P = ParamSpec("P")
R = TypeVar("R")


def _inference(method: Callable[Concatenate[Sam2, P], R]) -> Callable[Concatenate[Sam2, P], R]:
    """Run a method without gradients and in the model's precision; what it returns for an update is float32.

    Where memory runs out it is run once more, with whatever is kept for later moved elsewhere.
    """

    def once(self: Sam2, *args: P.args, **kwargs: P.kwargs) -> R:
        low = torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16")
        with torch.no_grad(), low:
            return method(self, *args, **kwargs)

    @functools.wraps(method)
    def run(self: Sam2, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.with_room(once, self, *args, **kwargs)

    return run


@dataclass(frozen=True)
class FrameFeatures:
    """The image encoder's output for one frame, batch dimension 1.

    Attributes:
        top: (1, d, h, w) features at stride 16.
        top_position: (1, d, h, w) their positional encoding.
        high_res: features at strides 4 and 8, already projected for the mask decoder.
        begun: what memory attention makes of them before it looks at memory.
    """

    top: Float[Tensor, "1 d h w"]
    top_position: Float[Tensor, "1 d h w"]
    high_res: tuple[Tensor, Tensor]
    begun: Memo = field(default_factory=Memo, repr=False, compare=False)


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

    def without(self, index: int) -> Points:
        """These prompts less one click."""
        after = index + 1
        return Points(self.xy[:index] + self.xy[after:], self.labels[:index] + self.labels[after:], self.box)

    @property
    def n_clicks(self) -> int:
        """Number of clicks, the box not counted."""
        return len(self.xy)


@dataclass(frozen=True)
class Candidates:
    """The masks that the decoder offers for one object on one frame; a tracker chooses.

    Attributes:
        logits: (k, h, w), absent everywhere when the object is not visible.
        ious: (k,) the model's own estimates of their IoUs.
        tokens: (m, d) the decoder's mask tokens, from which object pointers are made.
        object_score: (1,) logit of the object being visible.
        visible: (1,) whether that passes the tracker's threshold.
    """

    logits: Float[Tensor, "k h w"]
    ious: Float[Tensor, " k"]
    tokens: Float[Tensor, "m d"]
    object_score: Float[Tensor, " 1"]
    visible: Bool[Tensor, " 1"]

    @property
    def best(self) -> int:
        """The mask with the highest estimated IoU, SAM 2's own choice."""
        return int(self.ious.argmax())


class Sam2:
    """A frozen SAM 2 model.

    Args:
        module: the package's model, in `eval` mode; its parameters are frozen here.
        name: what to call it in messages.
        precision: of tracking; in bfloat16 the heavy operations run under autocast, what comes out is float32.

    Attributes:
        shelves: where what it gave is kept for later; they give way when memory runs out.
    """

    def __init__(self, module: SAM2Base, name: str, *, precision: Precision = "float32") -> None:
        self.module = module.eval().requires_grad_(False)
        self.name = name
        self.precision: Precision = precision
        self._on_cpu = CpuMemoryAttention(self.module.memory_attention)
        self._positions: dict[tuple, Tensor] = {}
        self.shelves: WeakSet[Shelf] = WeakSet()

    def with_room(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do work that changes nothing before it is done; once more with less kept in memory if that runs out.

        Raises:
            FullMemoryError: if it runs out again.
            ModelError: if the device cannot do the work.
        """
        try:
            with explained(self.name, self.device):
                return work(*args, **kwargs)
        except FullMemoryError:
            pass  # Tried again outside, where the error no longer holds what the work had in memory.
        for shelf in list(self.shelves):
            shelf.halve()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        with explained(self.name, self.device):
            return work(*args, **kwargs)

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
    def pointer_length(self) -> int:
        """Numbers in an object pointer."""
        return self.module.no_obj_ptr.shape[-1]

    @property
    def image_size(self) -> int:
        """Side of the model's square input in pixels."""
        return self.module.image_size

    @property
    def decoder(self) -> nn.Module:
        """The mask decoder, which adapters copy."""
        return self.module.sam_mask_decoder

    def encode(self, frame: UInt8[np.ndarray, "h w 3"]) -> FrameFeatures:
        """Run the image encoder on a frame."""
        return self.encode_pixels(self.pixels(frame))

    def pixels(self, frame: UInt8[np.ndarray, "h w 3"]) -> Float[Tensor, "1 3 s s"]:
        """A frame resized to the model's square and normalised, as SAM 2 does it.

        In numpy, which takes one thread: it is done beside the model's own work.
        """
        square = np.asarray(Image.fromarray(frame).resize((self.image_size, self.image_size)), dtype=np.float32)
        return torch.from_numpy((square / 255 - _MEAN) / _STD).permute(2, 0, 1)[None]

    @_inference
    def encode_pixels(self, pixels: Float[Tensor, "1 3 s s"]) -> FrameFeatures:
        """Run the image encoder on what `pixels` has made of a frame."""
        encoded = self.module.forward_image(pixels.to(self.device))
        pyramid, positions = encoded["backbone_fpn"], encoded["vision_pos_enc"]
        position = self._one_for_all(positions[-1].float())
        return FrameFeatures(pyramid[-1].float(), position, (pyramid[-3].float(), pyramid[-2].float()))

    @_inference
    def fuse(self, features: FrameFeatures, recalls: Sequence[Recall]) -> Float[Tensor, "n d h w"]:
        """Condition a frame's features on what is recalled of each object.

        Objects whose recalls have the same shape go through memory attention in one batch.
        """
        groups: OrderedDict[tuple, list[int]] = OrderedDict()
        for index, recall in enumerate(recalls):
            groups.setdefault(recall.shape, []).append(index)
        fused: list[Tensor] = [features.top] * len(recalls)
        for members in groups.values():
            alike = [recalls[index] for index in members]
            result = attend(self.module, features.top, features.top_position, alike, self._on_cpu, begun=features.begun)
            for row, index in enumerate(members):
                fused[index] = result[row : row + 1]
        return torch.cat(fused).float()

    @_inference
    def candidates(
        self,
        fused: Float[Tensor, "n d h w"],
        features: FrameFeatures,
        *,
        points: tuple[Tensor, Tensor] | None = None,
        mask: Float[Tensor, "n 1 h4 w4"] | None = None,
        multimask: bool = True,
        visible_above: float = 0.0,
    ) -> list[Candidates]:
        """What the decoder offers per row of `fused`: three masks, or with `multimask=False` that of token 0."""
        n = len(fused)
        if points is None:
            none = -torch.ones(n, 1, dtype=torch.int32, device=self.device)
            points = torch.zeros(n, 1, 2, device=self.device), none
        encoder = self.module.sam_prompt_encoder
        sparse, dense = encoder(points=points, boxes=None, masks=mask)
        logits, ious, mask_tokens, scores = self.module.sam_mask_decoder(
            image_embeddings=fused,
            image_pe=encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=multimask,
            repeat_image=False,
            high_res_features=[level.expand(n, -1, -1, -1) for level in features.high_res],
        )
        visible = scores > visible_above
        logits = torch.where(visible[:, None, None], logits, ABSENT_LOGIT).float()
        return [
            Candidates(logits[i], ious[i].float(), mask_tokens[i].float(), scores[i].float(), visible[i])
            for i in range(n)
        ]

    @_inference
    def chosen(self, candidates: Candidates, index: int, note: Note | None = None) -> MaskOutput:
        """One of the candidates with its object pointer."""
        # Without multimask there is one token for all masks.
        token = candidates.tokens[min(index, len(candidates.tokens) - 1)]
        pointer = self.pointer(token, candidates.visible)
        iou = float(candidates.ious[index])
        return MaskOutput(candidates.logits[index : index + 1], pointer, candidates.object_score, iou, note)

    def decode(
        self,
        fused: Float[Tensor, "n d h w"],
        features: FrameFeatures,
        *,
        multimask: bool = True,
        visible_above: float = 0.0,
    ) -> list[MaskOutput]:
        """One mask per row of `fused`: the best of three by estimated IoU, or that of token 0."""
        offered = self.candidates(fused, features, multimask=multimask, visible_above=visible_above)
        return [self.chosen(each, each.best) for each in offered]

    def prompted(
        self,
        fused: Float[Tensor, "1 d h w"],
        features: FrameFeatures,
        points: Points,
        size: tuple[int, int],
        *,
        previous: MaskOutput | None = None,
        most_points: int = 1,
        visible_above: float = 0.0,
    ) -> Candidates:
        """The masks that clicks or a box offer, refined from `previous` when there is one.

        Args:
            fused: the frame's features with the object's memory.
            features: the frame's own features.
            points: the prompts, in pixels of the video.
            size: (height, width) of the video in pixels.
            previous: the mask that the user saw when clicking.
            most_points: up to so many points, a box counting for two, are ambiguous and offer three masks.
            visible_above: object score above which the object is visible.
        """
        coordinates, labels = self.point_tensors(points, size)
        return self.candidates(
            fused,
            features,
            points=(coordinates, labels),
            mask=None if previous is None else previous.logits[None].clamp(-LOGIT_CLAMP, LOGIT_CLAMP),
            multimask=labels.shape[1] <= most_points,
            visible_above=visible_above,
        )[0]

    def point_tensors(self, points: Points, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Prompts in the model's own pixels, (1, n, 2) and (1, n), a box first as its two corners."""
        height, width = size
        xy = list(points.xy)
        labels = list(points.labels)
        if points.box is not None:
            x0, y0, x1, y1 = points.box
            xy, labels = [(x0, y0), (x1, y1), *xy], [2, 3, *labels]
        # Divided first, then multiplied, as in SAM 2: one factor for both would round otherwise.
        shares = torch.tensor(xy, dtype=torch.float32, device=self.device) / torch.tensor([width, height]).to(
            self.device
        )
        coordinates = (shares * self.image_size)[None].to(self.device)
        return coordinates, torch.tensor(labels, dtype=torch.int32, device=self.device)[None]

    @_inference
    def from_mask(
        self, features: FrameFeatures, mask: Bool[np.ndarray, "h w"], *, visible_above: float = 0.0
    ) -> MaskOutput:
        """Take a mask at video size as the answer; the decoder only makes its object pointer."""
        target = self.square(mask)[None, None].float()
        side = self.image_size // 4
        logits = F.interpolate(
            MASK_LOGIT * (2 * target - 1), size=(side, side), mode="bilinear", align_corners=False, antialias=True
        )
        prompt = self.module.mask_downsample(target)
        offered = self.candidates(features.top, features, mask=prompt, multimask=False, visible_above=visible_above)[0]
        visible = target.any()[None]
        pointer = self._gated(self.chosen(offered, 0).pointer, visible)
        return MaskOutput(logits[0], pointer, MASK_LOGIT * (2 * visible.float() - 1), 1.0)

    @_inference
    def pointer(self, token: Float[Tensor, " d"], visible: Bool[Tensor, " 1"]) -> Float[Tensor, " d"]:
        """The object pointer that SAM 2 makes of a mask token."""
        return self._gated(self.module.obj_ptr_proj(token[None])[0], visible)

    def _gated(self, pointer: Float[Tensor, " d"], visible: Bool[Tensor, " 1"]) -> Float[Tensor, " d"]:
        """The pointer of a visible object, or the one that SAM 2 has for absence."""
        weight = visible.float()
        return (weight * pointer + (1 - weight) * self.module.no_obj_ptr[0]).float()

    def square(self, mask: Bool[np.ndarray, "h w"]) -> Bool[Tensor, "s s"]:
        """A mask at the model's input size, antialiased and thresholded at 0.5 as in SAM 2."""
        full = torch.from_numpy(np.ascontiguousarray(mask)).to(self.device).float()[None, None]
        size = (self.image_size, self.image_size)
        resized = F.interpolate(full, size=size, mode="bilinear", align_corners=False, antialias=True)
        return resized[0, 0] >= 0.5

    @_inference
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
        # SAM 2 enlarges all three candidate masks of a tracked frame before it picks one, and the one mask of a
        # frame that becomes permanent. Enlarging one alone takes another kernel, whose last bit differs, and bfloat16
        # memory would carry that on.
        candidates = 3 if status == "tracked" and not conditioning else 1
        logits = F.interpolate(
            output.logits[None].repeat(1, candidates, 1, 1),
            size=(self.image_size, self.image_size),
            mode="bilinear",
            align_corners=False,
        )[:, :1]
        memory, position = self.module._encode_new_memory(
            current_vision_feats=[tokens(features.top, 1)],
            feat_sizes=[tuple(features.top.shape[-2:])],
            pred_masks_high_res=logits,
            object_score_logits=output.object_score[None],
            is_mask_from_pts=status != "tracked",
        )
        encoding = self._one_for_all(position[-1][0])
        return FrameRecord(output, memory[0].to(torch.bfloat16), encoding, status, conditioning, reverse)

    def _one_for_all(self, position: Tensor) -> Tensor:
        """The positional encoding of this shape, which depends on nothing else: the package makes one per frame."""
        return self._positions.setdefault((position.shape, position.dtype, position.device), position)

    @torch.no_grad()
    def replay_inputs(self, fused: Float[Tensor, "1 d h w"], features: FrameFeatures) -> dict[str, Any]:
        """Arguments with which the bare decoder repeats a tracked frame; constant over an update's steps.

        Args:
            fused: the frame's features with the object's memory.
            features: the frame's own features.
        """
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
