"""What stands open on a frame: prompts until they are learned, proposals until they are judged."""

from __future__ import annotations

from dataclasses import dataclass

from lit_widget.core.types import Prediction, Proposal
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.memory import FrameRecord, MaskOutput
from lit_widget.video.sam2 import Points


@dataclass(frozen=True)
class Pending:
    """Prompts on a frame that have not been learned.

    Attributes:
        points: clicks and box.
        output: the mask they gave; `None` where nothing stands yet.
        prediction: the tracked prediction that they correct; `None` for a first prompt.
        base: the mask that the first click refined: the tracked one, or one painted by hand.
        painted: whether that was painted by hand.
        replaced: the record of an earlier prompt on this frame.
    """

    points: Points
    output: MaskOutput | None
    prediction: Prediction | None
    base: MaskOutput | None = None
    painted: bool = False
    replaced: FrameRecord | None = None

    @property
    def mask(self) -> MaskOutput:
        """The mask they gave."""
        assert self.output is not None
        return self.output

    @property
    def full(self) -> bool:
        """Whether the mask is as it was painted."""
        return self.painted and self.points == Points()


@dataclass(frozen=True)
class OpenProposal:
    """What adapters propose for a frame that the user marked as wrong, until it is judged.

    Attributes:
        prediction: the mask that is wrong.
        proposals: what to choose from.
    """

    prediction: Prediction
    proposals: tuple[Proposal, ...]

    @property
    def item(self) -> VideoItem:
        """The object and frame."""
        return self.prediction.item

    def reopens(self, before: FrameRecord | None, after: FrameRecord | None) -> bool:
        """Whether an undo that took the frame from one record to another took its acceptance back."""
        accepted = before is not None and before.status == "accepted"
        return accepted and after is not None and after.output is self.prediction.output
