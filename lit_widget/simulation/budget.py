"""A user who stops correcting when a number of corrections is spent (paper figure 4)."""

from __future__ import annotations

from lit_widget.core.session import User
from lit_widget.core.types import Correction, Prediction, Proposal
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.memory import MaskOutput


class Budgeted:
    """Another user with a limit; a `lit_widget.core.session.User`.

    Args:
        user: who judges, chooses and corrects.
        corrections: how many corrections they give. Proposals are accepted without a limit, they cost nothing.
    """

    def __init__(self, user: User, corrections: int) -> None:
        self.user, self.left = user, corrections

    def finds_wrong(self, item: VideoItem, output: MaskOutput) -> bool:
        """What the user finds."""
        return self.user.finds_wrong(item, output)

    def choose(self, proposals: tuple[Proposal[MaskOutput], ...]) -> Proposal[MaskOutput] | None:
        """What the user chooses."""
        return self.user.choose(proposals)

    def correct(self, prediction: Prediction[MaskOutput]) -> Correction[MaskOutput] | None:
        """The user's correction, while there are any left."""
        if not self.left:
            return None
        self.left -= 1
        return self.user.correct(prediction)
