"""What the tracker remembers of one object: typed frame records, and which of them may change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

FrameStatus = Literal["prompted", "tracked", "corrected", "accepted"]


@dataclass(frozen=True)
class Note:
    """What a tracker wants to know of a frame later, beside its mask; trackers have their own.

    Attributes:
        permanent: whether a tracked frame becomes permanent memory.
    """

    permanent: bool = False


@dataclass(frozen=True)
class MaskOutput:
    """One mask of one object on one frame.

    Attributes:
        logits: (1, h, w) at a quarter of the model's input size, -1024 everywhere when the object is absent.
        pointer: (d,) SAM 2's object pointer.
        object_score: (1,) logit of the object being visible.
        iou: the model's own estimate of this mask's IoU.
        note: what the tracker noted, if it noted anything.
        given: the mask at video size where a person painted it; finer than the logits, and what is read out.
    """

    logits: Float[Tensor, "1 h w"]
    pointer: Float[Tensor, " d"]
    object_score: Float[Tensor, " 1"]
    iou: float
    note: Note | None = None
    given: Bool[np.ndarray, "y x"] | None = field(default=None, repr=False)

    def noted(self, note: Note | None) -> MaskOutput:
        """The same mask with a tracker's note."""
        return MaskOutput(self.logits, self.pointer, self.object_score, self.iou, note, self.given)

    def as_if_by(self, other: MaskOutput) -> MaskOutput:
        """The same mask with the pointer and the note of another."""
        return MaskOutput(self.logits, other.pointer, self.object_score, self.iou, other.note, self.given)


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

    @property
    def note(self) -> Note | None:
        """What the tracker noted."""
        return self.output.note


@dataclass(frozen=True)
class Recall:
    """What memory attention sees of one object on one frame; without `permanent` it sees nothing.

    Attributes:
        permanent: records without an age.
        recent: records by age, the newest first; `None` leaves an age empty.
        pointers: object pointers as (age in frames, record).
        reach: the greatest age that a pointer can have; ages are encoded relative to it.
    """

    permanent: tuple[FrameRecord, ...] = ()
    recent: tuple[FrameRecord | None, ...] = ()
    pointers: tuple[tuple[int, FrameRecord], ...] = ()
    reach: int = 1

    @property
    def shape(self) -> tuple:
        """Equal for recalls that can be attended to in one batch."""
        ages = tuple(age for age, record in enumerate(self.recent, 1) if record is not None)
        return len(self.permanent), ages, tuple(age for age, _ in self.pointers), self.reach


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
