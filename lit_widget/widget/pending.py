"""Prompts between the first click and the moment they are learned."""

from __future__ import annotations

from dataclasses import dataclass

from lit_widget.core.types import Prediction
from lit_widget.video.memory import FrameRecord, MaskOutput
from lit_widget.video.sam2 import Points


@dataclass(frozen=True)
class Pending:
    """Prompts on a frame that have not been learned.

    Attributes:
        points: clicks and box.
        output: the mask they gave.
        prediction: the tracked prediction that they correct; `None` for a first prompt.
        full: whether the mask was given by hand.
        replaced: the record of an earlier prompt on this frame.
    """

    points: Points
    output: MaskOutput
    prediction: Prediction | None
    full: bool = False
    replaced: FrameRecord | None = None
