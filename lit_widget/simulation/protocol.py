"""The paper's online protocol: one pass over a video, a simulated user at every error (paper section 4.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lit_widget.core.session import Accepted, Corrected, Event, LiveSession, Rejected
from lit_widget.core.strategy import Strategy
from lit_widget.core.types import Correction, Prediction
from lit_widget.video.learner import MaskTarget, VideoItem, VideoLearner
from lit_widget.video.memory import MaskOutput
from lit_widget.video.sam2 import Points

from .datasets import Sequence
from .metrics import iou
from .user import SimulatedUser


@dataclass(frozen=True)
class FrameResult:
    """What happened on one judged frame.

    Attributes:
        frame: its index.
        event: "tracked", "accepted" or "corrected".
        iou: IoU of the mask that the frame ended up with; 1 where the user painted it.
        n_clicks: clicks of the correction.
        full_mask: whether the user had to paint the mask.
        rejected: whether a proposal was offered and refused.
        update_s: seconds of training.
        propose_s: seconds of asking for the proposal.
    """

    frame: int
    event: str
    iou: float
    n_clicks: int = 0
    full_mask: bool = False
    rejected: bool = False
    update_s: float = 0.0
    propose_s: float = 0.0


class Annotator:
    """The simulated user looking at one object of one sequence.

    Satisfies `lit_widget.core.session.User`.
    """

    def __init__(self, learner: VideoLearner, sequence: Sequence, object_id: int, user: SimulatedUser) -> None:
        self.learner, self.sequence, self.object_id, self.user = learner, sequence, object_id, user

    def iou(self, frame: int, output: MaskOutput) -> float:
        """IoU of an output with the truth, at video size and outside void pixels."""
        target = self.sequence.target(self.object_id, frame)
        assert target is not None
        return iou(self.learner.mask(output), target, self.sequence.valid(frame))

    def finds_wrong(self, item: VideoItem, output: MaskOutput) -> bool:
        """Whether the IoU is below the user's threshold."""
        return self.user.is_error(self.iou(item.frame, output))

    def correct(self, prediction: Prediction[MaskOutput]) -> Correction[MaskOutput]:
        """Click in the middle of the error, up to three times, then paint the mask."""
        item = prediction.item
        target, valid = self.sequence.target(self.object_id, item.frame), self.sequence.valid(item.frame)
        assert target is not None
        output, points = prediction.output, Points()
        while points.n_clicks < self.user.max_clicks and self.finds_wrong(item, output):
            click = self.user.click(self.learner.mask(output), target, valid)
            if click is None:
                break
            points = points.plus(click.x, click.y, positive=click.positive)
            output = self.learner.segment(item, points, previous=output, evidence=prediction.evidence)
        full = self.finds_wrong(item, output)
        if full:
            output = self.learner.from_mask(item.frame, target)
        return Correction(item, output, MaskTarget(target, valid), points.n_clicks, full)


def run_pair(
    learner: VideoLearner,
    sequence: Sequence,
    object_id: int,
    strategy: Strategy,
    user: SimulatedUser,
    *,
    on_frame: Callable[[FrameResult, Event], None] | None = None,
) -> list[FrameResult]:
    """Annotate one object of one sequence from its first mask to the last frame.

    Frames without ground truth are tracked but not judged; frames are never revisited.

    Args:
        learner: fresh, on the sequence's frames.
        sequence: frames and ground truth.
        object_id: which object.
        strategy: who proposes and learns.
        user: threshold, clicks, random generator.
        on_frame: called after every judged frame.

    Returns:
        One result per judged frame; empty when the object is never visible.
    """
    annotated = set(sequence.annotated_frames(object_id))
    start = next((frame for frame in sorted(annotated) if _visible(sequence, object_id, frame)), None)
    if start is None:
        return []
    target = sequence.target(object_id, start)
    assert target is not None
    learner.prompt(VideoItem(start, object_id), learner.from_mask(start, target))
    annotator = Annotator(learner, sequence, object_id, user)
    log: list[Event] = []
    session = LiveSession(learner, strategy, on_event=log.append)
    results = []
    for frame in range(start + 1, len(sequence.frames)):
        log.clear()
        event = session.step(VideoItem(frame, object_id), annotator if frame in annotated else None)
        if frame in annotated:
            results.append(_result(frame, log, annotator))
            if on_frame is not None:
                on_frame(results[-1], event)
    return results


def _visible(sequence: Sequence, object_id: int, frame: int) -> bool:
    target = sequence.target(object_id, frame)
    return target is not None and bool(np.any(target))


def _result(frame: int, log: list[Event], annotator: Annotator) -> FrameResult:
    """Summarise the events of one turn."""
    rejected = [event.proposal for event in log if isinstance(event, Rejected)]
    last = log[-1]
    if isinstance(last, Corrected):
        correction, update = last.correction, last.update
        return FrameResult(
            frame,
            "corrected",
            iou=1.0 if correction.full else annotator.iou(frame, correction.output),
            n_clicks=correction.n_clicks,
            full_mask=correction.full,
            rejected=bool(rejected),
            update_s=0.0 if update is None else update.update_s,
            propose_s=sum((proposal.propose_s for proposal in rejected), 0.0),
        )
    if isinstance(last, Accepted):
        proposal = last.proposal
        return FrameResult(frame, "accepted", annotator.iou(frame, proposal.output), propose_s=proposal.propose_s)
    assert not isinstance(last, Rejected)
    value = annotator.iou(frame, last.prediction.output)
    return FrameResult(frame, "tracked", value)
