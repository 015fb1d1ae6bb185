"""The annotation of one video: what every click, key and method does, without Jupyter.

Everything here runs on the worker thread, one call at a time; `mask_of` and `state` may be read from others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool

from lit_widget.core.session import Event, LiveSession
from lit_widget.core.strategy import Original, Strategy
from lit_widget.core.types import AdapterState, Prediction, UpdateReport
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.learner import VideoLearner
from lit_widget.video.memory import MaskOutput

from .activity import Activity
from .changes import Changes
from .confidence import Confidence
from .describe import describe, describe_proposal
from .limits import AnnotationError, check_frame, check_range
from .mask_feed import MaskFeed, Post
from .objects import Objects
from .pending import OpenProposal, Pending
from .prompting import Prompting
from .teaching import commit_all, learn_with_progress
from .to_view import ConfidenceStrips, FrameStatus, ToView
from .tracking import follow, way

Beside = tuple[Objects, tuple[int, int] | None, dict[VideoItem, Pending] | None]
"""Objects, range and standing prompts; these go with the masks, and are left out where undo leaves masks alone."""


class Annotation(Prompting):
    """Objects, prompts, masks and adapters of one video.

    Args:
        learner: the model on the video.
        strategy: who proposes and what is learned.
        post: sends a message and its buffers to the views.
        quality: how sure masks are is "predicted" or "learned"; see `Confidence`.
    """

    def __init__(self, learner: VideoLearner, strategy: Strategy, post: Post, *, quality: str = "predicted") -> None:
        self.learner, self._post = learner, post
        self.session = LiveSession(learner, strategy, beside=self, on_event=self._heard)
        self.heard: Callable[[Event], None] = lambda _: None
        self.save: Callable[[], None] = lambda: None
        self.objects, self.active = Objects.first(), 1
        self.pending: dict[VideoItem, Pending] = {}
        self.proposal: OpenProposal | None = None
        self.reports: dict[tuple[int, int], UpdateReport] = {}
        self.clicks: dict[VideoItem, int] = {}
        self.feed = MaskFeed(self._current, learner.mask, post)
        self._accepted: dict[VideoItem, OpenProposal] = {}
        self.confidence, self.changes = Confidence(learner, quality), Changes()
        self._strips: list[bytes] = []
        self._strategy = strategy
        self.range: tuple[int, int] | None = None
        self.saved, self.tells_learning = False, True
        self.state = describe(self)

    def _heard(self, event: Event) -> None:
        self.heard(event)

    @property
    def strategy(self) -> Strategy:
        """Who proposes and what is learned while learning is on."""
        return self._strategy

    @property
    def names(self) -> dict[int, str]:
        """Names of the objects by id."""
        return self.objects.names

    # --- What the user does -------------------------------------------------------------------

    def add_object(self, name: str | None = None) -> int:
        """Start a new object and make it the active one; returns its id."""
        self.session.checkpoint_beside()
        added = self.place_object(name)
        self.publish()
        return added

    def place_object(self, name: str | None) -> int:
        """Add an object as a part of a step that is under way; returns its id."""
        # The worker may make another object the active one meanwhile.
        added = self.objects.next_id
        self.active, self.objects = added, self.objects.add(name)
        return added

    def choose(self, object_id: int) -> None:
        """Make an object the active one."""
        self.check(VideoItem(0, object_id))
        self.active = object_id
        self.publish()

    def edit_object(self, object_id: int, **changes: Any) -> None:
        """Change an object's name, colour, or whether it is hidden or locked; undo takes names and colours back."""
        edited = self.objects.edit(object_id, **changes)
        before, after = self.objects[object_id], edited[object_id]
        if (before.name, before.colour) != (after.name, after.colour):
            self.session.checkpoint_beside()
        self.objects = edited
        self.publish()

    def delete_object(self, object_id: int) -> None:
        """Remove an object with all its masks and what its adapters learned; undo brings it back."""
        self.check_free(VideoItem(0, object_id))
        self.session.checkpoint()
        gone = [item for item in self.learner.records() if item.object == object_id]
        for item in [each for each in self.pending if each.object == object_id]:
            self.pending.pop(item)
        if self.proposal is not None and self.proposal.item.object == object_id:
            self._close_proposal()
        self.learner.drop(object_id)
        self.session.lessons = tuple(each for each in self.session.lessons if each.verdict.item.object != object_id)
        self.objects = self.objects.remove(object_id)
        if object_id not in self.names:
            self.active = self.objects.neighbour(object_id)
        self.feed.show_changed(gone)
        self.publish()

    def track(self, activity: Activity, start: int, *, reverse: bool = False, stop: int | None = None) -> None:
        """Learn what is pending, then follow all objects from `start` to `stop` or the end of the video."""
        way(self, start, stop, reverse=reverse)
        commit_all(self, activity)
        self.session.checkpoint()
        self._follow(activity, start, reverse=reverse, stop=stop)

    def _follow(self, activity: Activity, start: int, *, reverse: bool, stop: int | None = None) -> None:
        last, objects = way(self, start, stop, reverse=reverse)
        follow(self, activity, objects, start, last, reverse=reverse)

    def set_range(self, first: int | None, last: int | None) -> None:
        """Track no further than these frames; without them in the whole video."""
        n_frames = len(self.learner.frames)
        chosen = (0 if first is None else first, n_frames - 1 if last is None else last)
        check_range(*chosen, n_frames)
        self.session.checkpoint_beside()
        self.range = None if first is None and last is None else chosen
        self.publish()

    def learn(self, activity: Activity, item: VideoItem) -> None:
        """Train on the correction that stands on this frame, then track on from it."""
        self.check_free(item)
        if item not in self.pending:
            raise AnnotationError(
                f"there is no correction of object {item.object} on frame {item.frame} to learn from; click it first"
            )
        commit_all(self, activity)
        self._track_on(activity, item)

    def flag(self, activity: Activity, item: VideoItem) -> None:
        """Say that the mask is wrong, and show what is proposed instead, if anything is."""
        self.check_free(item)
        record = self.learner.bank(item.object).records.get(item.frame)
        if record is None:
            raise AnnotationError(f"object {item.object} has no mask on frame {item.frame} yet; track to it first")
        if record.status == "prompted" and record.conditioning:
            raise AnnotationError(f"frame {item.frame} holds your own prompt; click it again to change its mask")
        if not self.learning:
            activity.note = "Learning is off, so nothing is proposed: correct the frame, or turn it on"
            return
        prediction = self.learner.put_aside(self.learner.predict_one(item))
        proposals = self.session.propose(prediction)
        if not proposals:
            activity.note = "Nothing to propose for this object yet: correct the frame with a click, then learn it"
            return
        self.proposal = OpenProposal(Prediction(item, record.output, prediction.evidence), proposals)
        self.show_proposal()

    def accept(self, activity: Activity, candidate: int = 0) -> None:
        """Take one of the proposed masks and track on from it."""
        opened = self._opened_proposal()
        self.check_free(opened.item)
        if not 0 <= candidate < len(opened.proposals):
            raise AnnotationError(f"there is no candidate {candidate}; candidates are 0 to {len(opened.proposals) - 1}")
        chosen = opened.proposals[candidate]
        learn_with_progress(self, activity, lambda: self.session.accept(opened.prediction, chosen).update, opened.item)
        self._accepted[opened.item] = opened
        self.pending.pop(opened.item, None)
        # Nobody is told of a verdict that a crash could still take back.
        self.save()
        self._close_proposal()
        self.feed.show_changed([opened.item])
        self.publish()
        self._track_on(activity, opened.item)

    def reject(self) -> None:
        """Dismiss what is proposed."""
        self.session.reject(self._opened_proposal().proposals)
        self._close_proposal()
        self.publish()

    def undo(self, activity: Activity) -> None:
        """Take back the last step, whatever it was: prompts, memory, weights, objects, the range."""
        if not self.session.history.can_undo:
            raise AnnotationError("there is nothing to undo")
        self._travel(activity, self.session.undo, "Taken back")

    def redo(self, activity: Activity) -> None:
        """Take the last undo back."""
        if not self.session.history.can_redo:
            raise AnnotationError("there is nothing to redo")
        self._travel(activity, self.session.redo, "Done again")

    def forget(self, activity: Activity, item: VideoItem) -> None:
        """Rebuild the adapters as if the correction on this frame had never been learned; its mask stays."""
        self.check(item)
        try:
            learn_with_progress(self, activity, lambda: next(reversed(self.session.forget(item)), None), item)
        except KeyError:
            known = [lesson.verdict.item.frame for lesson in self.session.lessons]
            raise AnnotationError(f"nothing was learned from frame {item.frame}, but from frames {known}") from None
        self.publish()

    @property
    def learning(self) -> bool:
        """Whether corrections are learned and anything is proposed."""
        return self.session.strategy is self._strategy

    def set_learning(self, on: bool) -> None:
        """Learn from corrections and propose, or leave the adapters as they are and ask them nothing."""
        self.session.strategy = self._strategy if on else Original()
        self.publish()

    def load_adapter(self, object_id: int, state: AdapterState) -> None:
        """Let an object's adapter begin with weights learned elsewhere; undo takes them away again."""
        strategy = self._strategy
        if type(strategy).learn is Strategy.learn:
            raise AnnotationError(f"the strategy {strategy.name} asks no adapter; open the widget with lit-lora")
        before = self.session.checkpoint()
        try:
            self.learner.adapters.get(object_id).restore(state)
        except ValueError:
            self.session.history.drop(before)
            raise AnnotationError(
                f"this adapter was saved with another model or strategy than {self.learner.model.name} and "
                f"{strategy.name}; open the widget with those that it was learned with"
            ) from None
        self.publish()

    # --- What the views see -------------------------------------------------------------------

    def mask_of(self, item: VideoItem) -> Bool[np.ndarray, "h w"] | None:
        """The present mask at video size, or `None` where there is none."""
        current = self._current(item)
        return None if current is None else self.learner.mask(current[0])

    def tell(self, message: ToView) -> None:
        """Send a message without pixels."""
        self._post(message, [])

    def show_proposal(self) -> None:
        """Send the open proposal, or that there is none."""
        self._post(*describe_proposal(self.learner, self.proposal))

    def publish(self) -> None:
        """Send everything but pixels, once it is safe in the session's file."""
        self.save()
        self.state = describe(self)
        self._post(self.state, [])
        strips = [self.confidence.strip(each) for each in self.names]
        if strips != self._strips:
            self._strips = strips
            self.show_confidence()

    def show_confidence(self) -> None:
        """Send how sure all masks are."""
        objects = list(self.names)
        self._post(ConfidenceStrips(objects), [self.confidence.strip(each) for each in objects])

    def check(self, item: VideoItem) -> None:
        """Refuse frames and objects that do not exist.

        Raises:
            AnnotationError: naming what exists.
        """
        check_frame(item.frame, len(self.learner.frames))
        self.objects[item.object]

    # --- Inside -------------------------------------------------------------------------------

    def check_free(self, item: VideoItem) -> None:
        """Refuse what does not exist or must not change.

        Raises:
            AnnotationError: saying what to do.
        """
        self.check(item)
        if self.objects[item.object].locked:
            raise AnnotationError(f"object {item.object} is locked; unlock it to change it")

    def _travel(self, activity: Activity, go: Callable[[], None], what: str) -> None:
        """Undo or redo, and show what changed and where."""
        before, prompted, objects, span = self.learner.records(), self.pending, self.objects, self.range
        lessons = set(self._learned())
        if self.proposal is not None:
            self._close_proposal()
        go()
        after = self.learner.records()
        differing = differences(before, after)
        stood = differences(prompted, self.pending)
        changed = sorted(differing | stood)
        learned = sorted(lessons ^ set(self._learned()))
        self.changes.clear()
        self.changes.add(item for item in differing if item in before and item in after)
        if changed or learned:
            at = (learned or sorted(stood) or changed)[0]
            name = self.names.get(at.object, "object")
            activity.note = f"{what}: {'what was learned from ' if learned else ''}frame {at.frame}, {name}"
        elif told := self.objects.difference(objects):
            activity.note = f"{what}: {told}"
        elif span != self.range:
            activity.note = f"{what}: the range to track"
        self.feed.show_changed(changed)
        self.publish()
        for item in differing & self._accepted.keys():
            if self._accepted[item].reopens(before.get(item), after.get(item)):
                self.proposal = self._accepted[item]
                self.show_proposal()

    def _learned(self) -> list[VideoItem]:
        """What adapters have learned from."""
        return [item for _, learned_from in self.learner.adapters.versions().values() for item in learned_from]

    def _track_on(self, activity: Activity, item: VideoItem) -> None:
        """Track from an item in the direction in which it was tracked."""
        reverse = self.learner.bank(item.object).records[item.frame].reverse
        start = item.frame + (-1 if reverse else 1)
        first, last = self.range or (0, len(self.learner.frames) - 1)
        if first <= start <= last and not activity.interrupted():
            self._follow(activity, start, reverse=reverse)

    def _opened_proposal(self) -> OpenProposal:
        if self.proposal is None:
            raise AnnotationError("there is no open proposal; mark a wrong frame to ask for one")
        return self.proposal

    def _close_proposal(self) -> None:
        self.proposal = None
        self.show_proposal()

    def _current(self, item: VideoItem) -> tuple[MaskOutput, FrameStatus] | None:
        if (pending := self.pending.get(item)) is not None:
            return pending.mask, "prompted"
        record = self.learner.bank(item.object).records.get(item.frame)
        return None if record is None else (record.output, record.status)

    def snapshot(self, *, whole: bool) -> Beside:
        """What undo goes back to beside masks and weights."""
        return self.objects, self.range, dict(self.pending) if whole else None

    def restore(self, state: Beside) -> None:
        """The objects, the range and the prompts that stood then."""
        objects, self.range, pending = state
        self.objects = self.objects.back_to(objects)
        self.pending = self.pending if pending is None else dict(pending)
        if self.active not in self.names:
            self.active = self.objects.neighbour(self.active)


def differences(before: Mapping[VideoItem, object], after: Mapping[VideoItem, object]) -> set[VideoItem]:
    """Where two books are not the same."""
    return {item for item in before.keys() | after.keys() if before.get(item) is not after.get(item)}
