"""DAM4SAM: frames that tell the object from look-alikes become permanent (Videnovic et al., 2025, arXiv 2411.17576)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch.nn.functional as F
from jaxtyping import Bool, Float
from scipy import ndimage
from torch import Tensor

from lit_widget.video.memory import FrameRecord, FrameStatus, MaskOutput, Note
from lit_widget.video.sam2 import Candidates

from .policy import POINTERS, RECENT, Moment, Tracker

PERMANENT = 4
"""Most permanent frames attended to at once."""

STRIDE = 5
"""Frames between recent memories, but for the newest."""

SURE_IOU = 0.8
"""A frame must exceed this estimated IoU to become permanent."""

USUAL_AREA = (0.8, 1.2)
"""And its area must lie in this range, relative to the median of the last `AREAS` areas that are not zero."""

AREAS, AREA_REACH = 10, 300
"""How many areas, the present one included, and how many frames back they are looked for."""

PAUSE = 5
"""Frames after a permanent one during which there is no other."""

DISTRACTED_IOU = 0.7
"""Another candidate stands for a look-alike when it lowers the box's IoU to this or less."""


@dataclass(frozen=True)
class Dam4SamNote(Note):
    """What DAM4SAM notes.

    Attributes:
        area: pixels of the mask at video size.
        visible: whether the mask has any pixel as the model gave it.
    """

    area: int = 0
    visible: bool = False


@dataclass(frozen=True)
class Dam4Sam(Tracker):
    """DAM4SAM with the constants of its authors' configuration.

    Its frames are counted from the object's first prompt, so that an object that starts late is followed as in a video
    that starts with it. Frames that tracking made permanent serve later frames only: when a correction is tracked on,
    what lies ahead is of the pass before.
    """

    name: ClassVar[str] = "dam4sam"
    help: ClassVar[str] = "DAM4SAM: frames that tell the object from look-alikes stay in memory"
    reverse: ClassVar[bool] = False
    most_points: ClassVar[int] = 3
    clicked_is_permanent: ClassVar[bool] = True

    def choose(self, candidates: Candidates, moment: Moment) -> tuple[int, Note]:
        """The best mask by estimated IoU; the frame becomes permanent when another candidate shows a look-alike."""
        index = candidates.best
        sure = float(candidates.ious[index]) > SURE_IOU and not any(
            record.note is not None and record.note.permanent for _, record in moment.past(range(1, PAUSE + 1))
        )
        chosen = full_size(candidates.logits[index : index + 1], moment.video_size)
        if not (sure and _usual_area(int(chosen.sum()), moment)):
            return index, Note()
        others = [
            full_size(candidates.logits[other : other + 1], moment.video_size)
            for other in range(len(candidates.logits))
            if other != index
        ]
        return index, Note(permanent=any(is_look_alike(chosen, other) for other in others))

    def note(self, output: MaskOutput, status: FrameStatus, moment: Moment) -> Dam4SamNote:
        """The area of whichever mask is settled."""
        return Dam4SamNote(
            permanent=status == "tracked" and output.note is not None and output.note.permanent,
            area=int(full_size(output.logits, moment.video_size).sum()),
            visible=bool((output.logits > 0).any()),
        )

    def _permanent(self, moment: Moment) -> dict[int, FrameRecord]:
        """The newest permanent frame, the first prompt, and the nearest others; never the frame before."""
        known = {
            at: each
            for at, each in sorted(moment.records.items())
            if each.conditioning and (each.locked or at < moment.frame)
        }
        if not known:
            return {}
        origin = min(known)
        first = dict.fromkeys((max((at for at in known if at < moment.frame - 1), default=origin), origin))
        others = [at for at in known if at not in first and at != moment.frame - 1]
        others.sort(key=lambda at: abs(at - moment.frame))
        return {at: known[at] for at in (*first, *others)[:PERMANENT]}

    def _recent(self, moment: Moment, permanent: Mapping[int, FrameRecord]) -> list[FrameRecord | None]:
        """The newest frame that shows the object, then such frames at multiples of `STRIDE` from the first prompt."""
        origin, recent = moment.origin, []
        at = self._back(moment, permanent, moment.frame - 1, 1)
        while at > origin and len(recent) < RECENT + 1 - len(permanent):
            recent.append(moment.records[at])
            at = self._back(moment, permanent, origin + (at - origin - 1) // STRIDE * STRIDE, STRIDE)
        return recent

    def _back(self, moment: Moment, permanent: Mapping[int, FrameRecord], at: int, step: int) -> int:
        """The first frame from `at` backwards that can be recalled as recent; the first prompt, which cannot, if none.

        The frame before counts as recent even if it has just become permanent.
        """
        while at > moment.origin:
            record = moment.records.get(at)
            free = record is not None and (not record.conditioning or at == moment.frame - 1)
            if free and at not in permanent and self._shows_object(moment.records[at]):
                return at
            at -= step
        return moment.origin

    def _shows_object(self, record: FrameRecord) -> bool:
        return isinstance(record.note, Dam4SamNote) and record.note.visible

    def _pointer_frames(self, moment: Moment) -> int:
        """As many as have been seen since the first prompt: the authors' tracker is fed frame by frame."""
        return min(moment.frame - moment.origin + 1, POINTERS)


def full_size(logits: Float[Tensor, "1 h w"], size: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    """One mask at video size."""
    return (F.interpolate(logits[None], size=size, mode="bilinear", align_corners=False)[0, 0] > 0).cpu().numpy()


def is_look_alike(chosen: Bool[np.ndarray, "h w"], other: Bool[np.ndarray, "h w"]) -> bool:
    """Whether what `other` has beyond `chosen` lies so far off that it must be another object.

    The largest piece of the rest is joined with the chosen mask; the boxes of both are compared.
    """
    rest = other & ~chosen
    if not rest.any():
        return False
    pieces = np.zeros(rest.shape, dtype=np.int32)
    ndimage.label(rest, structure=np.ones((3, 3)), output=pieces)
    largest = pieces == 1 + np.bincount(pieces.ravel())[1:].argmax()
    # One box contains the other, so their IoU is the ratio of their areas.
    joined = _box_area(chosen | largest)
    return joined > 0 and _box_area(chosen) <= DISTRACTED_IOU * joined


def _box_area(mask: Bool[np.ndarray, "h w"]) -> int:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    # From the first pixel to the last, as the authors' boxes are.
    return int((rows[-1] - rows[0]) * (columns[-1] - columns[0]))


def _usual_area(area: int, moment: Moment) -> bool:
    """Whether the object has about its usual size; on the first tracked frame nothing is usual yet."""
    reach = min(AREA_REACH - 1, moment.frame - moment.origin)
    notes = (each.note for _, each in moment.past(range(1, reach + 1)) if each.status != "prompted")
    areas = [note.area for note in notes if isinstance(note, Dam4SamNote)]
    if not areas or not area:
        return False
    usual = np.median([*[each for each in areas if each][: AREAS - 1], area])
    return bool(USUAL_AREA[0] <= area / usual <= USUAL_AREA[1])
