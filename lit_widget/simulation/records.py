"""What one pass over one object came to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cost import CostModel
from .protocol import FrameResult
from .user import SimulatedUser


@dataclass(frozen=True)
class PairRecord:
    """One (video, object, strategy).

    Attributes:
        video: name of the sequence.
        object: id of the object.
        strategy: name of the strategy.
        corrections: frames that the user had to correct, the paper's count.
        clicks: clicks in them.
        masks: of them, frames whose mask had to be painted in full.
        accepted: frames where a proposal was taken instead.
        rejected: frames where a proposal was refused before correcting.
        annotation_s: the user's seconds by the cost model, and the seconds of waiting for updates and proposals.
        update_s: seconds of training in all.
        missed: wrong masks that a monitor raised no alarm for.
        false_alarms: right masks that it raised one for.
        j_mean: mean IoU of the resulting masks over judged frames.
        frames: judged frames.
    """

    video: str
    object: int
    strategy: str
    corrections: int
    clicks: int
    masks: int
    accepted: int
    rejected: int
    annotation_s: float
    update_s: float
    missed: int
    false_alarms: int
    j_mean: float
    frames: int


def pair_record(
    pass_of: tuple[str, int, str], frames: list[FrameResult], user: SimulatedUser, cost: CostModel
) -> PairRecord | None:
    """Sum a pass up; None if no frame was judged.

    Args:
        pass_of: name of the sequence, id of the object, name of the strategy.
        frames: what `run_pair` returned.
        user: whose threshold says which masks were right.
        cost: seconds of human time per action.
    """
    if not frames:
        return None
    corrected = [frame for frame in frames if frame.event == "corrected"]
    accepted = [frame for frame in frames if frame.event == "accepted"]
    right = [not user.is_error(frame.tracked_iou) for frame in frames]
    offered = len(accepted) + sum(frame.rejected for frame in corrected)
    waiting = sum(frame.update_s + frame.propose_s for frame in frames)
    work = sum(cost.event_s(frame.n_clicks, frame.full_mask) for frame in corrected)
    work += sum(cost.event_s(0, False) for frame in frames if frame.alarm and frame.event == "tracked")
    return PairRecord(
        *pass_of,
        corrections=len(corrected),
        clicks=sum(frame.n_clicks for frame in corrected),
        masks=sum(frame.full_mask for frame in corrected),
        accepted=len(accepted),
        rejected=sum(frame.rejected for frame in corrected),
        annotation_s=work + waiting + cost.validate_s * offered,
        update_s=sum(frame.update_s for frame in frames),
        missed=sum(not frame.alarm and not ok for frame, ok in zip(frames, right, strict=True)),
        false_alarms=sum(frame.alarm and ok for frame, ok in zip(frames, right, strict=True)),
        j_mean=float(np.mean([frame.iou for frame in frames])),
        frames=len(frames),
    )
