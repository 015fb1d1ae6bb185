"""A close-up of a frame: the surroundings of the mask before, shown to the model at its full input size.

A small object covers few of a model's features, whatever is learned of it. Seen closer it covers many, and the frame
before, seen equally close, is memory enough to find it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, UInt8

from lit_widget.core.types import Correction, Prediction, Proposal

from .adaptation import Evidence, MaskTarget, VideoItem
from .learner import VideoLearner
from .memory import FrameRecord, MaskOutput
from .sam2 import ABSENT_LOGIT, MASK_LOGIT
from .trackers import Moment, find_tracker

EXTENTS = 4.0
"""Sides of a close-up in sides of the mask before: room for the object to move by more than its own size."""

SMALLEST = 0.25
"""Least side of a close-up as a share of the frame's: beyond that magnification there is only blur to see."""


@dataclass(frozen=True)
class Window:
    """A part of the frame, of the frame's own aspect ratio; in pixels."""

    top: int
    left: int
    height: int
    width: int

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The part of an (H, W, ...) array."""
        return np.ascontiguousarray(image[self.top : self.top + self.height, self.left : self.left + self.width])


def window_around(mask: Bool[np.ndarray, "h w"]) -> Window | None:
    """The window that shows a mask and its surroundings; `None` for an empty mask."""
    if not mask.any():
        return None
    rows, columns = (np.flatnonzero(mask.any(axis))[[0, -1]] for axis in (1, 0))
    shares = [
        EXTENTS * (last - first + 1) / side for (first, last), side in zip((rows, columns), mask.shape, strict=True)
    ]
    share = min(max(*shares, SMALLEST), 1.0)
    height, width = (round(side * share) for side in mask.shape)
    return Window(_start(rows, height, mask.shape[0]), _start(columns, width, mask.shape[1]), height, width)


def _start(span: np.ndarray, length: int, side: int) -> int:
    """Where a window of some length begins that has the span in its middle, as far as the frame allows."""
    return min(max(round((span[0] + span[1] + 1 - length) / 2), 0), side - length)


@dataclass(frozen=True)
class CloseUp:
    """A prediction looked at closely.

    Attributes:
        window: what it shows.
        size: (height, width) of the whole frame.
        base: the tracker's output on the whole frame.
        prediction: what the frozen model says of the close-up, with its evidence.
    """

    window: Window
    size: tuple[int, int]
    base: MaskOutput
    prediction: Prediction[MaskOutput]

    def proposed(self, near: Proposal[MaskOutput]) -> Proposal[MaskOutput]:
        """An adapter's answer to the close-up, as a proposal for the whole frame."""
        return replace(near, output=self.paste(near.output), source=f"{near.source} close-up")

    def frozen(self) -> Proposal[MaskOutput]:
        """The frozen model's answer, as a proposal for the whole frame."""
        return Proposal(self.prediction.item, self.paste(self.prediction.output), "frozen close-up")

    def shown(self, correction: Correction[MaskOutput]) -> Correction[MaskOutput] | None:
        """A correction as the close-up shows it; `None` where it shows nothing of the object."""
        full = correction.target
        if full is None or not self.window.cut(full.shown).any():
            return None
        valid = None if full.valid is None else self.window.cut(full.valid)
        return replace(correction, target=MaskTarget(self.window.cut(full.mask), valid))

    def paste(self, output: MaskOutput) -> MaskOutput:
        """A mask of the close-up as one of the whole frame, without the object outside the window."""
        window = self.window
        small = F.interpolate(
            output.logits[None], size=(window.height, window.width), mode="bilinear", align_corners=False
        )
        frame = torch.full((1, 1, *self.size), -MASK_LOGIT, device=small.device)
        rows, columns = slice(window.top, window.top + window.height), slice(window.left, window.left + window.width)
        frame[..., rows, columns] = small.clamp(-MASK_LOGIT, MASK_LOGIT)
        logits = F.interpolate(
            frame, size=output.logits.shape[-2:], mode="bilinear", align_corners=False, antialias=True
        )[0]
        absent = bool((output.logits <= ABSENT_LOGIT).all())
        # The pointer is that of the tracker's own answer: one made of a close-up knows another scale.
        logits = torch.full_like(logits, ABSENT_LOGIT) if absent else logits
        return MaskOutput(logits, self.base.pointer, output.object_score, output.iou, self.base.note)


_SEEN: WeakKeyDictionary[Evidence, CloseUp | None] = WeakKeyDictionary()
"""Close-ups by the evidence that they add to, so that proposing, learning and learning again see the same one."""


def close_up(learner: VideoLearner, prediction: Prediction[MaskOutput]) -> CloseUp | None:
    """Look closely where the object was on the frame tracked just before; `None` where it was not seen."""
    if prediction.evidence not in _SEEN:
        _SEEN[prediction.evidence] = _look_closely(learner, prediction)
    return _SEEN[prediction.evidence]


@torch.no_grad()
def _look_closely(learner: VideoLearner, prediction: Prediction[MaskOutput]) -> CloseUp | None:
    item, model = prediction.item, learner.model
    reverse = learner.goes_back(item)
    before = VideoItem(item.frame + (1 if reverse else -1), item.object)
    record = learner.bank(item.object).records.get(before.frame)
    mask = None if record is None else learner.mask(record.output)
    window = None if mask is None else window_around(mask)
    if mask is None or window is None:
        return None
    memory = {before.frame: _seen_closely(learner, window.cut(learner.frames[before.frame]), window.cut(mask))}
    features = model.encode(window.cut(learner.frames[item.frame]))
    size = window.height, window.width
    moment = Moment(memory, item.frame, len(learner.frames), size, model.image_size, model.name, reverse)
    fused = model.fuse(features, [find_tracker("sam2").recall(moment)])
    output = model.decode(fused, features, visible_above=learner.tracker.visible_above)[0]
    closer = replace(prediction, output=output, evidence=Evidence(fused, features))
    return CloseUp(window, learner.size, prediction.output, closer)


def _seen_closely(
    learner: VideoLearner, image: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"]
) -> FrameRecord:
    """What is remembered of a close-up whose mask is known."""
    features = learner.model.encode(image)
    output = learner.model.from_mask(features, mask, visible_above=learner.tracker.visible_above)
    return learner.model.remember(features, output, status="prompted", conditioning=True)
