"""Strategies for video: the task-free ones, and learning-free controls that any gain must be measured against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from lit_widget.core.learner import LiveLearner
from lit_widget.core.strategy import LitLora, LoraNoCl, Original, ReplaceOriginal, Strategy
from lit_widget.core.types import Prediction, Proposal

from .learner import VideoLearner


@dataclass(frozen=True)
class Token0(Strategy):
    """Control: the frozen decoder's single-mask token, which the adapter also speaks through."""

    name: ClassVar[str] = "token-0"
    help: ClassVar[str] = "control without learning: propose the frozen decoder's single-mask token"

    def propose(self, learner: LiveLearner, prediction: Prediction) -> Proposal | None:
        """The frozen token-0 mask on the same evidence."""
        assert isinstance(learner, VideoLearner)
        evidence = prediction.evidence
        single = learner.model.decode(evidence.fused, evidence.features, multimask=False)[0]
        return Proposal(prediction.item, replace(single, pointer=prediction.output.pointer), self.name)


@dataclass(frozen=True)
class PreviousMask(Strategy):
    """Control: a copy of the mask that the neighbouring frame ended up with."""

    name: ClassVar[str] = "previous-mask"
    help: ClassVar[str] = "control without learning: propose a copy of the mask of the frame before"

    def propose(self, learner: LiveLearner, prediction: Prediction) -> Proposal | None:
        """The settled mask of the frame before, if there is one."""
        assert isinstance(learner, VideoLearner)
        frame, object_id = prediction.item
        record = learner.bank(object_id).records.get(frame - 1)
        if record is None:
            return None
        return Proposal(prediction.item, replace(record.output, pointer=prediction.output.pointer), self.name)


STRATEGIES: dict[str, Strategy] = {
    each.name: each for each in (Original(), LitLora(), LoraNoCl(), ReplaceOriginal(), Token0(), PreviousMask())
}
"""Every strategy by name."""


def strategies() -> dict[str, str]:
    """Names of the strategies, each with one line of help."""
    return {name: strategy.help for name, strategy in STRATEGIES.items()}
