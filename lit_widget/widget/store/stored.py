"""Masks of a file as the tracker's own records: what they cost is paid when they are looked at."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from lit_widget.video.adaptation import Evidence, VideoItem
from lit_widget.video.memory import FrameRecord, FrameStatus, MaskOutput
from lit_widget.video.sam2 import MASK_LOGIT, FrameFeatures
from lit_widget.widget.codec import decode_mask
from lit_widget.widget.messages import MessageError

from .file import SessionFileError
from .values import unpack_pointer

if TYPE_CHECKING:
    from lit_widget.video.learner import VideoLearner


class StoredOutput(MaskOutput):
    """A mask as the file has it: bits at video size, inflated anew each time, so that thousands cost nothing.

    Attributes:
        bits: as they are in the file.
    """

    _learner: VideoLearner
    _frame: int
    _pointer: bytes
    _score: float
    bits: bytes

    def __init__(
        self, learner: VideoLearner, frame: int, bits: bytes, pointer: bytes, *, score: float, iou: float
    ) -> None:
        vars(self).update(_learner=learner, _frame=frame, bits=bits, _pointer=pointer, _score=score, iou=iou)

    @cached_property
    def pointer(self) -> Float[Tensor, " d"]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(d,) SAM 2's object pointer."""
        return unpack_pointer(self._pointer, self._learner.model.device)

    @cached_property
    def object_score(self) -> Float[Tensor, " 1"]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(1,) logit of the object being visible."""
        return torch.tensor([self._score], device=self._learner.model.device)

    @property
    def given(self) -> Bool[np.ndarray, "y x"]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The mask at video size.

        Raises:
            SessionFileError: if it is damaged.
        """
        try:
            return decode_mask(self.bits, self._learner.size)
        except MessageError:
            raise SessionFileError(
                f"the mask of frame {self._frame} in the session file is damaged; `lit-widget doctor` takes it out"
            ) from None

    @property
    def logits(self) -> Float[Tensor, "1 h w"]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The mask as the model would be given it by hand."""
        model = self._learner.model
        target = model.square(self.given)[None, None].float()
        side = model.image_size // 4
        logits = F.interpolate(
            MASK_LOGIT * (2 * target - 1), size=(side, side), mode="bilinear", align_corners=False, antialias=True
        )
        return logits[0]


class StoredRecord(FrameRecord):
    """A record as the file has it; its memory is encoded when tracking first attends to it."""

    _learner: VideoLearner
    _frame: int

    def __init__(
        self,
        learner: VideoLearner,
        frame: int,
        output: MaskOutput,
        status: FrameStatus,
        *,
        conditioning: bool,
        reverse: bool,
    ) -> None:
        vars(self).update(_learner=learner, _frame=frame, output=output)
        vars(self).update(status=status, conditioning=conditioning, reverse=reverse)

    @cached_property
    def _memory(self) -> FrameRecord:
        model, features = self._learner.model, self._learner.features[self._frame]
        return model.remember(features, self.output, status=self.status, conditioning=self.conditioning)

    @property
    def features(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(c, h, w) memory of the mask on its frame."""
        return self._memory.features

    @property
    def position(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(c, h, w) spatial encoding of the features."""
        return self._memory.position


class StoredEvidence(Evidence):
    """What the decoder sees of an object on a frame, which no file has: seen again when it is first asked for."""

    _learner: VideoLearner
    _item: VideoItem

    def __init__(self, learner: VideoLearner, item: VideoItem) -> None:
        vars(self).update(_learner=learner, _item=item)

    @cached_property
    def _seen(self) -> Evidence:
        return self._learner.predict_one(self._item).evidence

    @property
    def fused(self) -> Float[Tensor, "1 d h w"]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(1, d, h, w) features after memory attention."""
        return self._seen.fused

    @property
    def features(self) -> FrameFeatures:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The frame's own features."""
        return self._seen.features
