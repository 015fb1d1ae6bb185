"""Who watches the tracker in the user's place: the model's own estimate, or one that learns (paper section 4.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lit_widget.core.names import unknown
from lit_widget.core.session import User
from lit_widget.core.types import Correction, Prediction, Proposal
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.learner import VideoLearner
from lit_widget.video.memory import MaskOutput
from lit_widget.video.quality import QualityEstimator


@runtime_checkable
class Monitor(Protocol):
    """Watches one object of one video; it never sees the truth but through the user's verdicts."""

    def alarm(self, prediction: Prediction[MaskOutput]) -> bool:
        """Whether a tracked mask is doubtful enough to do something about it."""
        ...

    def accepts(self, prediction: Prediction[MaskOutput], proposal: Proposal[MaskOutput]) -> bool:
        """Whether a proposal for a tracked mask may be taken without asking the user."""
        ...

    def observe(self, prediction: Prediction[MaskOutput], *, right: bool) -> None:
        """Hear the user's verdict on a tracked mask."""
        ...


@dataclass(frozen=True)
class PredictedIou(Monitor):
    """The model's own estimate of the mask's IoU against a threshold; it learns nothing."""

    threshold: float = 0.8

    def alarm(self, prediction: Prediction[MaskOutput]) -> bool:
        """Whether the estimate is below the threshold."""
        return prediction.output.iou < self.threshold

    def accepts(self, prediction: Prediction[MaskOutput], proposal: Proposal[MaskOutput]) -> bool:
        """Whether the estimate for the proposal reaches the threshold."""
        return proposal.output.iou >= self.threshold

    def observe(self, prediction: Prediction[MaskOutput], *, right: bool) -> None:
        """Nothing is learned."""


@dataclass(frozen=True)
class Learned(Monitor):
    """The quality estimator, which every verdict improves, against a threshold on its probability.

    By default the user is called unless a mask is right with four chances in five: an error that is missed lasts,
    and a false alarm costs one look.
    """

    estimator: QualityEstimator
    threshold: float = 0.8

    def alarm(self, prediction: Prediction[MaskOutput]) -> bool:
        """Whether the mask is less probably right than the threshold."""
        return self.estimator.score(prediction) < self.threshold

    def accepts(self, prediction: Prediction[MaskOutput], proposal: Proposal[MaskOutput]) -> bool:
        """Whether the proposal is probably right."""
        return self.estimator.score_proposal(prediction, proposal) >= self.threshold

    def observe(self, prediction: Prediction[MaskOutput], *, right: bool) -> None:
        """Learn from the verdict."""
        self.estimator.observe(prediction, right)


MONITORS: dict[str, Callable[[VideoLearner, float], Monitor] | None] = {
    "user": None,
    "predicted-iou": lambda *_: PredictedIou(),
    "learned": lambda learner, tau: Learned(QualityEstimator(learner, tau=tau)),
}
"""How to make each monitor for a learner and the IoU below which a mask is wrong; the user needs none."""


def find_monitor(name: str) -> Callable[[VideoLearner, float], Monitor] | None:
    """Look a monitor up by name.

    Raises:
        ValueError: if there is none; near matches are named.
    """
    if name in MONITORS:
        return MONITORS[name]
    raise ValueError(unknown("monitor", name, MONITORS))


class Guarded:
    """The user on one frame, asked only when the monitor raises the alarm; a `lit_widget.core.session.User`.

    Args:
        user: who judges and corrects when asked.
        monitor: who raises the alarm.
        prediction: the tracked mask of the frame.
        automatic: whether the monitor validates proposals too, so that the user is called only to correct.
    """

    def __init__(self, user: User, monitor: Monitor, prediction: Prediction[MaskOutput], *, automatic: bool) -> None:
        self.user, self.monitor, self.prediction, self.automatic = user, monitor, prediction, automatic
        self.alarmed = False

    def finds_wrong(self, item: VideoItem, output: MaskOutput) -> bool:
        """Whether the tracked mask is wrong: after an alarm only, and by the user's eyes unless automatic."""
        self.alarmed = self.monitor.alarm(self.prediction)
        return self.alarmed and (self.automatic or self._user_finds_wrong())

    def choose(self, proposals: tuple[Proposal[MaskOutput], ...]) -> Proposal[MaskOutput] | None:
        """The first proposal that the monitor accepts when automatic, else the user's choice."""
        if self.automatic:
            return next((each for each in proposals if self.monitor.accepts(self.prediction, each)), None)
        return self.user.choose(proposals)

    def correct(self, prediction: Prediction[MaskOutput]) -> Correction[MaskOutput] | None:
        """The user's correction; `None` if the alarm was false, which an automatic monitor learns only now."""
        if self.automatic and not self._user_finds_wrong():
            return None
        return self.user.correct(prediction)

    def _user_finds_wrong(self) -> bool:
        wrong = self.user.finds_wrong(self.prediction.item, self.prediction.output)
        self.monitor.observe(self.prediction, right=not wrong)
        return wrong
