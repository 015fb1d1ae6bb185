"""The story of one simulated annotation in pictures: a failure, its correction, and a later accepted proposal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, UInt8
from scipy.ndimage import binary_dilation

from lit_widget.core.session import Accepted, Corrected, Event
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.learner import VideoLearner
from lit_widget.video.memory import MaskOutput

from .datasets import Sequence
from .metrics import iou
from .protocol import FrameResult
from .report import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRUTH, ANSWER, RIM = (255, 255, 255), (230, 159, 0), (0, 0, 0)


LATER = 3
"""Frames from the correction to the proposal that the story tells."""


@dataclass(frozen=True)
class Scene:
    """One picture: a frame with a mask, the outline of the truth, and a caption."""

    frame: int
    image: UInt8[np.ndarray, "h w 3"]
    caption: str


@dataclass
class Story:
    """Collects scenes while a pair runs; pass its `on_frame` to `run_pair`."""

    learner: VideoLearner
    sequence: Sequence
    object_id: int
    scenes: list[Scene] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether a proposal was accepted after a correction."""
        return len(self.scenes) >= 4

    def on_frame(self, result: FrameResult, event: Event) -> None:
        """Keep the first correction and the first acceptance after it."""
        if isinstance(event, Corrected) and not self.scenes:
            self._add(event.prediction.output, event.prediction.item, "tracked mask, wrong")
            self._add(event.correction.output, event.prediction.item, effort(result))
        elif isinstance(event, Accepted) and self._is_later(event.prediction.item):
            learned = [str(item.frame) for item in event.proposal.learned_from]
            frames = f"frame{'s' if len(learned) > 1 else ''} {', '.join(learned)}"
            self._add(event.prediction.output, event.prediction.item, "tracked mask, wrong again")
            self._add(event.proposal.output, event.prediction.item, f"proposal, from {frames}")

    def _is_later(self, item: VideoItem) -> bool:
        """Whether a proposal comes long enough after the correction that copying a mask would not do."""
        return len(self.scenes) == 2 and item.frame >= self.scenes[0].frame + LATER

    def figure(self) -> Figure:
        """The scenes side by side."""
        figure = new_figure(3.2 * len(self.scenes), 3.4)
        figure.patch.set_alpha(0.0)
        for axes, scene in zip(np.atleast_1d(figure.subplots(1, len(self.scenes))), self.scenes, strict=True):
            axes.imshow(scene.image)
            # Grey on nothing is read on a light page and on a dark one.
            axes.set_title(scene.caption, fontsize=11, color="#808080")
            axes.axis("off")
        return figure

    def _add(self, output: MaskOutput, item: VideoItem, what: str) -> None:
        target = self.sequence.target(self.object_id, item.frame)
        mask = self.learner.mask(output)
        image = paint(self.sequence.frames[item.frame], mask, target)
        overlap = "" if target is None else f" · IoU {iou(mask, target):.2f}"
        self.scenes.append(Scene(item.frame, image, f"frame {item.frame}{overlap}\n{what}"))


def effort(result: FrameResult) -> str:
    """What a correction took, in words."""
    if result.full_mask:
        return "corrected by painting"
    return f"corrected by {result.n_clicks} click{'s' if result.n_clicks > 1 else ''}"


def paint(
    frame: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"], target: Bool[np.ndarray, "h w"] | None
) -> UInt8[np.ndarray, "h w 3"]:
    """A frame with a mask in orange, black-rimmed, and the outline of the truth in white."""
    image = frame.astype(np.float32)
    image[mask] = 0.4 * image[mask] + 0.6 * np.array(ANSWER)
    image[binary_dilation(mask) & ~mask] = RIM
    if target is not None:
        image[binary_dilation(target) & ~target] = TRUTH
    return image.astype(np.uint8)
