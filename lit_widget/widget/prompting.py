"""Prompts: what a click, a box or a painted mask does to a frame until it is learned or taken back."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool

from lit_widget.core.types import Prediction
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.depth import deepest
from lit_widget.video.learner import VideoLearner
from lit_widget.video.memory import FrameRecord, MaskOutput
from lit_widget.video.sam2 import Points

from .limits import AnnotationError, check_box, check_point
from .objects import Objects
from .pending import OpenProposal, Pending

if TYPE_CHECKING:
    from collections.abc import Callable

    from lit_widget.core.session import LiveSession

    from .mask_feed import MaskFeed

PREVIEW_WITHIN_S = 0.15
"""A device that takes longer for a click's mask shows it only once it is clicked."""


@dataclass(frozen=True)
class Hovered:
    """What a click on the frame under the pointer would build on, as long as the frame stays as it is."""

    item: VideoItem
    pending: Pending | None
    record: FrameRecord | None
    before: Pending


class Prompting:
    """The part of `Annotation` that takes prompts."""

    learner: VideoLearner
    session: LiveSession
    objects: Objects
    pending: dict[VideoItem, Pending]
    proposal: OpenProposal | None
    feed: MaskFeed
    publish: Callable[[], None]
    reject: Callable[[], None]
    check_free: Callable[[VideoItem], None]
    previews = False
    _hovered: Hovered | None = None

    def click(self, item: VideoItem, x: float, y: float, *, positive: bool) -> None:
        """Add a point and show the mask it gives."""
        check_point(self.learner.size, x, y)
        before = self._opened(item)
        self._segment(item, before, before.points.plus(x, y, positive=positive))

    def box(self, item: VideoItem, corners: tuple[float, float, float, float]) -> None:
        """Prompt with a box (x0, y0, x1, y1); it replaces the prompts on this frame."""
        check_box(self.learner.size, corners)
        self._segment(item, self._opened(item), Points(box=corners))

    def give_mask(self, item: VideoItem, mask: Bool[np.ndarray, "h w"]) -> None:
        """Give the whole mask by hand."""
        before = self._opened(item)
        output = replace(self.learner.from_mask(item.frame, mask), given=mask)
        self._hold(item, replace(before, points=Points(), output=output, base=output, painted=True))

    def remove_prompt(self, item: VideoItem, index: int) -> None:
        """Take back one of the clicks on a frame; without any the mask is again what it was before them."""
        self.check_free(item)
        pending = self.pending.get(item)
        if pending is None or not 0 <= index < pending.points.n_clicks:
            n_clicks = pending.points.n_clicks if pending else 0
            raise AnnotationError(f"there is no click {index} on frame {item.frame}, which has {n_clicks}")
        points = pending.points.without(index)
        if points != Points():
            self._segment(item, replace(pending, output=pending.base), points)
        elif pending.painted and pending.base is not None:
            self._hold(item, replace(pending, points=points, output=pending.base))
        else:
            self.clear_prompts(item)

    def clear_prompts(self, item: VideoItem) -> None:
        """Take back prompts that were not learned."""
        self.check_free(item)
        if item not in self.pending:
            return
        self.session.checkpoint()
        pending, records = self.pending.pop(item), self.learner.bank(item.object).records
        if pending.replaced is not None:
            records[item.frame] = pending.replaced
        elif pending.prediction is None:
            del records[item.frame]
        self.feed.show_changed([item])
        self.publish()

    def would_give(self, item: VideoItem, x: float, y: float, *, positive: bool) -> MaskOutput:
        """The mask that a click would give; nothing is changed."""
        self.check_free(item)
        check_point(self.learner.size, x, y)
        record = self.learner.bank(item.object).records.get(item.frame)
        kept = self._hovered
        # While the pointer moves over one frame, only the point is another.
        if kept is None or kept.item != item or kept.pending is not self.pending.get(item) or kept.record is not record:
            self._hovered = kept = Hovered(item, self.pending.get(item), record, self._standing(item))
        before = kept.before
        return self._given(item, before, before.points.plus(x, y, positive=positive))

    # --- Inside -------------------------------------------------------------------------------

    def _opened(self, item: VideoItem) -> Pending:
        """What a new prompt on this frame builds on: standing prompts, or the mask that it corrects."""
        self.check_free(item)
        if self.objects[item.object].hidden:
            self.objects = self.objects.edit(item.object, hidden=False)
        return self._standing(item)

    def _standing(self, item: VideoItem) -> Pending:
        if item in self.pending:
            return self.pending[item]
        record = self.learner.bank(item.object).records.get(item.frame)
        if record is None:
            return Pending(Points(), None, None)
        if record.status == "prompted":
            return Pending(Points(), record.output, None, base=record.output, replaced=record)
        evidence = self.learner.put_aside(self.learner.predict_one(item)).evidence
        return Pending(Points(), record.output, Prediction(item, record.output, evidence), base=record.output)

    def _segment(self, item: VideoItem, before: Pending, points: Points) -> None:
        self._hold(item, replace(before, points=points, output=self._given(item, before, points)))

    def _given(self, item: VideoItem, before: Pending, points: Points) -> MaskOutput:
        """The mask that prompts give; how long it took says whether there is time to show it before the click."""
        evidence = before.prediction.evidence if before.prediction else None
        self.learner.features[item.frame]
        started = time.perf_counter()
        output = self.learner.segment(item, self._anchored(before, points), previous=before.output, evidence=evidence)
        self.previews = time.perf_counter() - started < PREVIEW_WITHIN_S
        return output

    def _anchored(self, before: Pending, points: Points) -> Points:
        """Clicks off the object alone say nothing of where it is; without memory of it one deep in its mask does."""
        if before.base is None or before.prediction is not None or points.box or any(points.labels):
            return points
        mask = self.learner.mask(before.base).copy()
        for x, y in points.xy:
            mask[int(y), int(x)] = False
        return points.plus(*deepest(mask), positive=True) if mask.any() else points

    def _hold(self, item: VideoItem, pending: Pending) -> None:
        """Keep prompts until they are learned; a first prompt is memory at once, so that tracking can start."""
        self.session.checkpoint()
        self.pending[item] = pending
        if pending.prediction is None:
            self.learner.prompt(item, pending.mask)
        if self.proposal is not None and self.proposal.item == item:
            self.reject()
        self.feed.show_changed([item])
        self.publish()
