"""SAMURAI: choose masks by motion too, and remember only reliable frames (Yang et al., 2024, arXiv 2411.11922)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import ClassVar

import numpy as np
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from lit_widget.video.memory import FrameRecord, FrameStatus, MaskOutput, Note
from lit_widget.video.sam2 import Candidates

from .kalman import NOTHING, Box, Motion, box_iou
from .policy import RECENT, Moment, Tracker

STABLE_FRAMES = 15
"""Sure frames after which motion has a say."""

STABLE_IOU = 0.3
"""A mask with a lower estimated IoU says nothing of where the object is; motion starts anew after it."""

RELIABLE_IOU, RELIABLE_SCORE, RELIABLE_MOTION_IOU = 0.5, 0.0, 0.0
"""Estimated IoU, object score and agreement with the motion that a remembered frame must exceed."""

SMALLER_MODELS = ("sam2.1-tiny", "sam2.1-small", "sam2.1-base-plus")
"""Models for which the authors give motion a greater weight."""


@dataclass(frozen=True)
class SamuraiNote(Note):
    """What SAMURAI notes.

    Attributes:
        iou: estimated IoU of the mask.
        motion_iou: IoU of the mask's box with the one that motion predicted; `None` while motion has no say.
        motion: the object's motion, `None` when it starts anew on the next frame.
        stable: for how many frames the motion has been followed.
    """

    iou: float = 0.0
    motion_iou: float | None = None
    motion: Motion | None = None
    stable: int = 0


@dataclass(frozen=True)
class Samurai(Tracker):
    """SAMURAI with the constants of its authors' configuration.

    Motion is noted per frame and object, so that it survives undo and any number of objects. It starts anew where a
    person has settled the mask: there the tracker was wrong, and so was what it believed of the motion.
    """

    name: ClassVar[str] = "samurai"
    help: ClassVar[str] = "SAMURAI: motion helps to choose the mask, unreliable frames are not remembered"
    reverse: ClassVar[bool] = False
    visible_above: ClassVar[float] = -1.0

    def choose(self, candidates: Candidates, moment: Moment) -> tuple[int, SamuraiNote]:
        """The best mask by estimated IoU, after `STABLE_FRAMES` with the say of motion."""
        ious = candidates.ious.cpu().numpy()
        boxes = mask_boxes(candidates.logits, moment.input_size)
        before = _latest(moment)
        if before is None or before.motion is None:
            index = int(ious.argmax())
            return index, SamuraiNote(iou=float(ious[index]), motion=Motion.started(boxes[index]), stable=1)
        expected = before.motion.predicted()
        if before.stable < STABLE_FRAMES:
            index, agreement = int(ious.argmax()), None
            sure, stable = ious[index] > STABLE_IOU, before.stable + 1
        else:
            agreements = np.array([box_iou(expected.box, each) for each in boxes])
            weight = 0.25 if moment.model in SMALLER_MODELS else 0.15
            index = int((weight * agreements + (1 - weight) * ious).argmax())
            agreement = float(agreements[index])
            sure, stable = ious[index] >= STABLE_IOU, before.stable
        note = SamuraiNote(iou=float(ious[index]), motion_iou=agreement)
        return index, replace(note, motion=expected.updated(boxes[index]), stable=stable) if sure else note

    def note(self, output: MaskOutput, status: FrameStatus, moment: Moment) -> SamuraiNote:
        """What `choose` noted, without the motion where a person corrected or accepted the mask."""
        noted = output.note if isinstance(output.note, SamuraiNote) else SamuraiNote(iou=output.iou)
        return replace(noted, motion=None, stable=0) if status in ("corrected", "accepted") else noted

    def _recent(self, moment: Moment, permanent: Mapping[int, FrameRecord]) -> list[FrameRecord | None]:
        """The newest reliable frames, and the frame before whatever it is like.

        As in the authors' code, the frame after the first prompt is never among the reliable ones.
        """
        last = None if moment.frame - 1 in permanent else moment.records.get(moment.frame - 1)
        reliable = (
            record
            for at, record in moment.past(range(1, moment.frame - moment.origin - 1))
            if at not in permanent and _reliable(record)
        )
        kept = list(islice(reliable, RECENT))
        return list(kept) if kept and kept[0] is last else [last, *kept][:RECENT]


def mask_boxes(logits: Float[Tensor, "k h w"], side: int) -> list[Box]:
    """The box of each mask at the model's input size, from its first to its last pixel."""
    masks = F.interpolate(logits[None], size=(side, side), mode="bilinear", align_corners=False)[0] > 0
    columns, rows = masks.any(1).cpu().numpy(), masks.any(2).cpu().numpy()
    return [_box(np.flatnonzero(across), np.flatnonzero(down)) for across, down in zip(columns, rows, strict=True)]


def _box(columns: np.ndarray, rows: np.ndarray) -> Box:
    if not len(rows):
        return NOTHING
    return float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])


def _latest(moment: Moment) -> SamuraiNote | None:
    """The note of the nearest frame before that has a record, from the first prompt on."""
    _, record = next(moment.past(range(1, moment.frame - moment.origin + 1)), (0, None))
    return record.note if record is not None and isinstance(record.note, SamuraiNote) else None


def _reliable(record: FrameRecord) -> bool:
    note = record.note
    return (
        isinstance(note, SamuraiNote)
        and note.iou > RELIABLE_IOU
        and float(record.output.object_score) > RELIABLE_SCORE
        and (note.motion_iou is None or note.motion_iou > RELIABLE_MOTION_IOU)
    )
