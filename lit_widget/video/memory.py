"""What the tracker remembers of one object: typed frame records, and which of them may change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from jaxtyping import Float
from torch import Tensor

FrameStatus = Literal["prompted", "tracked", "corrected", "accepted"]

POINTER_REACH = 16
"""How many frames back SAM 2's object pointers reach; memory features reach 6."""


@dataclass(frozen=True)
class MaskOutput:
    """One mask of one object on one frame.

    Attributes:
        logits: (1, h, w) at a quarter of the model's input size, -1024 everywhere when the object is absent.
        pointer: (d,) SAM 2's object pointer.
        object_score: (1,) logit of the object being visible.
        iou: the model's own estimate of this mask's IoU.
    """

    logits: Float[Tensor, "1 h w"]
    pointer: Float[Tensor, " d"]
    object_score: Float[Tensor, " 1"]
    iou: float


@dataclass(frozen=True)
class FrameRecord:
    """A settled mask together with its memory features.

    Attributes:
        output: the mask.
        features: (c, h, w) in bfloat16, as SAM 2 stores them.
        position: (c, h, w) spatial encoding of the features.
        status: how the mask came about.
        conditioning: whether it is permanent memory, attended to from every frame.
        reverse: whether it was tracked backwards.
    """

    output: MaskOutput
    features: Tensor
    position: Tensor
    status: FrameStatus
    conditioning: bool
    reverse: bool = False

    @property
    def locked(self) -> bool:
        """Whether tracking goes around it: whatever a person has seen and settled stays."""
        return self.status != "tracked"


@dataclass
class MemoryBank:
    """All records of one object."""

    records: dict[int, FrameRecord] = field(default_factory=dict)

    @property
    def has_conditioning(self) -> bool:
        """Whether there is anything to track from."""
        return any(record.conditioning for record in self.records.values())

    def is_locked(self, frame: int) -> bool:
        """Whether tracking must leave this frame as it is."""
        record = self.records.get(frame)
        return record is not None and record.locked

    def reachable(self, frame: int, *, reverse: bool) -> dict[int, FrameRecord]:
        """Records that attention on `frame` can see, by frame: conditioning ones, and recent ones on its past side.

        The frame's own record is not among them unless it is a conditioning one.
        """
        nearest = frame + 1 if reverse else frame - POINTER_REACH
        recent = range(nearest, nearest + POINTER_REACH)
        return {
            index: record for index, record in sorted(self.records.items()) if record.conditioning or index in recent
        }
