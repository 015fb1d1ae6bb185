"""What is kept of settled masks and of corrections: all that is large lies on a shelf, in memory or in its file."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from lit_widget.core.shelf import Shelf, Shelved

from .adaptation import Evidence
from .feature_cache import ShelvedFeatures
from .memory import FrameRecord, MaskOutput
from .sam2 import FrameFeatures


class ShelvedOutput(MaskOutput):
    """A mask whose logits are on a shelf, and the painted mask if there is one."""

    _logits: Shelved
    _painted: Shelved | None

    def __init__(self, shelf: Shelf, output: MaskOutput) -> None:
        small = {name: getattr(output, name) for name in ("object_score", "iou", "note")}
        # A pointer is read for many frames and small, but may be a part of something large.
        vars(self).update(small, pointer=output.pointer.clone(), _logits=shelf.put(output.logits))
        given = output.given
        vars(self).update(_painted=None if given is None else shelf.put(torch.from_numpy(given)))

    @property
    def logits(self) -> Float[Tensor, "1 h w"]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(1, h, w) at a quarter of the model's input size."""
        return self._logits.tensor

    @property
    def given(self) -> Bool[np.ndarray, "y x"] | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The mask at video size where a person painted it."""
        return None if self._painted is None else self._painted.tensor.numpy()


class ShelvedRecord(FrameRecord):
    """A record whose memory features are on a shelf; the positional encoding is one for all records."""

    _features: Shelved

    def __init__(self, shelf: Shelf, record: FrameRecord) -> None:
        small = {name: getattr(record, name) for name in ("position", "status", "conditioning", "reverse")}
        vars(self).update(small, output=ShelvedOutput(shelf, record.output), _features=shelf.put(record.features))

    @property
    def features(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(c, h, w) in bfloat16."""
        return self._features.tensor


class ShelvedEvidence(Evidence):
    """What the decoder saw when a correction was made, for as long as it can be learned again."""

    _fused: Shelved
    _features: ShelvedFeatures

    def __init__(self, shelf: Shelf, evidence: Evidence) -> None:
        vars(self).update(_fused=shelf.put(evidence.fused), _features=ShelvedFeatures(shelf, evidence.features))

    @property
    def fused(self) -> Float[Tensor, "1 d h w"]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(1, d, h, w) features after memory attention."""
        return self._fused.tensor

    @property
    def features(self) -> FrameFeatures:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The frame's own features."""
        return self._features.features
