"""The paper's online protocol: one pass over a video, a simulated user at every error (paper section 4.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lit_widget.core.session import Accepted, Corrected, Event, LiveSession, Rejected, Tracked
from lit_widget.core.strategy import Strategy
from lit_widget.core.types import Correction, Prediction, Proposal
from lit_widget.video.adaptation import MaskTarget, VideoItem
from lit_widget.video.learner import VideoLearner
from lit_widget.video.memory import MaskOutput
from lit_widget.video.sam2 import Points

from .budget import Budgeted
from .datasets import Sequence
from .metrics import iou
from .monitor import Guarded, Monitor
from .user import SimulatedUser


@dataclass(frozen=True)
class FrameResult:
    """What happened on one judged frame.

    Attributes:
        frame: its index.
        event: "tracked", "accepted" or "corrected".
        iou: IoU of the mask that the frame ended up with; 1 where the user painted it.
        tracked_iou: IoU of the tracked mask, before anything was done about it.
        alarm: whether the monitor, or in its absence the user, found the tracked mask wrong.
        n_clicks: clicks of the correction.
        full_mask: whether the user had to paint the mask.
        rejected: whether a proposal was offered and refused.
        update_s: seconds of training.
        propose_s: seconds of asking for proposals.
    """

    frame: int
    event: str
    iou: float
    tracked_iou: float
    alarm: bool
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

    def choose(self, proposals: tuple[Proposal[MaskOutput], ...]) -> Proposal[MaskOutput] | None:
        """The proposal with the best IoU, if that is no error."""
        best = max(proposals, key=lambda proposal: self.iou(proposal.item.frame, proposal.output))
        return None if self.finds_wrong(best.item, best.output) else best

    def correct(self, prediction: Prediction[MaskOutput]) -> Correction[MaskOutput]:
        """Click in the middle of the error, up to three times, then paint the mask."""
        item = prediction.item
        target, valid = self.sequence.target(self.object_id, item.frame), self.sequence.valid(item.frame)
        assert target is not None
        output, points, clicked = prediction.output, Points(), 0
        while clicked < self.user.max_clicks and self.finds_wrong(item, output):
            click = self.user.click(self.learner.mask(output), target, valid)
            if click is None:
                break
            standing = points if self.learner.quirks.accumulate_clicks else Points()
            points = standing.plus(click.x, click.y, positive=click.positive)
            clicked += 1
            output = self.learner.segment(item, points, previous=output, evidence=prediction.evidence)
        full = self.finds_wrong(item, output)
        if full:
            output = self.learner.from_mask(item.frame, target)
        return Correction(item, output, MaskTarget(target, valid), clicked, full)


def run_pair(
    learner: VideoLearner,
    sequence: Sequence,
    object_id: int,
    strategy: Strategy,
    user: SimulatedUser,
    *,
    monitor: Monitor | None = None,
    automatic: bool = False,
    budget: int | None = None,
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
        monitor: fresh; only its alarms call the user (paper section 4.5). Without one the user watches every frame.
        automatic: the monitor validates the proposals, too, and the user is left to correct.
        budget: corrections after which the user gives no more, but goes on accepting proposals; None: no limit.
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
    asked = annotator if budget is None else Budgeted(annotator, budget)
    log: list[Event] = []
    session = LiveSession(learner, strategy, on_event=log.append)
    results = []
    for frame in range(start + 1, len(sequence.frames)):
        log.clear()
        prediction = session.predict(VideoItem(frame, object_id))
        if frame not in annotated:
            session.judge(prediction, None)
            continue
        guard = Guarded(asked, monitor, prediction, automatic=automatic) if monitor else None
        event = session.judge(prediction, guard or asked)
        alarm = guard.alarmed if guard else not isinstance(event, Tracked)
        results.append(_result(log, annotator, prediction, alarm=alarm))
        if on_frame is not None:
            on_frame(results[-1], event)
    return results


def _visible(sequence: Sequence, object_id: int, frame: int) -> bool:
    target = sequence.target(object_id, frame)
    return target is not None and bool(np.any(target))


def _result(log: list[Event], annotator: Annotator, prediction: Prediction[MaskOutput], *, alarm: bool) -> FrameResult:
    """Summarise the events of one turn."""
    rejected = [proposal for event in log if isinstance(event, Rejected) for proposal in event.proposals]
    frame, last = prediction.item.frame, log[-1]
    value = annotator.iou(frame, prediction.output)
    tracked = FrameResult(
        frame,
        "tracked",
        iou=value,
        tracked_iou=value,
        alarm=alarm,
        rejected=bool(rejected),
        propose_s=max((proposal.propose_s for proposal in rejected), default=0.0),
    )
    if isinstance(last, Corrected):
        correction, update = last.correction, last.update
        return replace(
            tracked,
            event="corrected",
            iou=1.0 if correction.full else annotator.iou(frame, correction.output),
            n_clicks=correction.n_clicks,
            full_mask=correction.full,
            update_s=0.0 if update is None else update.update_s,
        )
    if isinstance(last, Accepted):
        return replace(
            tracked,
            event="accepted",
            iou=annotator.iou(frame, last.proposal.output),
            update_s=0.0 if last.update is None else last.update.update_s,
            propose_s=last.proposal.propose_s,
        )
    return tracked
