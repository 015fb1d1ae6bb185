"""What a correction costs the user."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CostModel:
    """Seconds of human time per action.

    Locating and clicking are what SAM 2 measured, drawing a mask what EVA-VOS measured. The paper counts
    nothing for accepting a proposal; `validate_s` lets a report say how much that matters.

    Attributes:
        locate_s: to find the error on a frame.
        click_s: for one click.
        mask_s: to draw one full mask.
        validate_s: to judge one proposal.
    """

    locate_s: float = 1.0
    click_s: float = 1.5
    mask_s: float = 80.0
    validate_s: float = 0.0

    def event_s(self, n_clicks: int, full_mask: bool) -> float:
        """Seconds that one correction takes.

        Args:
            n_clicks: clicks given on the frame.
            full_mask: whether the clicks did not suffice and the mask was drawn.
        """
        return self.locate_s + self.click_s * n_clicks + self.mask_s * full_mask
