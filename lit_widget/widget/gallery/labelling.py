"""The labelling of a set of images: what every key and method does, without Jupyter.

Everything here runs on the worker thread, one call at a time; `state` and `book` may be read from others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from lit_widget.core.learner import Verdict as Settled
from lit_widget.core.session import LiveSession
from lit_widget.core.strategy import Original, Strategy
from lit_widget.core.types import Prediction, Proposal, UpdateReport
from lit_widget.images.learner import ImageItem, ImageLearner, Ranking, corrected
from lit_widget.widget.activity import Activity
from lit_widget.widget.limits import AnnotationError
from lit_widget.widget.to_view import Error

from .book import NO_LABEL, Book, Entry
from .classes import no_such_class
from .describe import cards_of, describe
from .groups import UNREADABLE, Groups
from .to_view import Verdict

PUBLISH_EVERY_S = 0.25
"""While images come in; what the user does is told at once."""


class GalleryLearner(ImageLearner):
    """The learner of a gallery, whose labels are in its book.

    A hundred checkpoints, each with a ranking of every labelled image, would not fit in memory.
    """

    def settle_one(self, item: ImageItem, output: Ranking, *, verdict: Settled = "kept", full: bool = False) -> None:
        """Nothing: the book has it."""


class Labelling:
    """Labels, groups and adapters of one set of images.

    Args:
        learner: the model on the images.
        strategy: who proposes and what is learned.
        classes: names of the classes.
        names: of the images.
        post: sends a message and its buffers to the views.
        title: what the set is called.
        model: what the model is called.
        top: how many first guesses count as having known the class.
    """

    def __init__(
        self,
        learner: GalleryLearner,
        strategy: Strategy,
        classes: Sequence[str],
        names: Sequence[str],
        post: Callable[[Any], None],
        *,
        title: str,
        model: str,
        top: int,
    ) -> None:
        self.learner, self.classes, self.names = learner, list(classes), names
        self.title, self.model, self.top = title, model, top
        self.post = post
        self.save: Callable[[], None] = lambda: None
        self.heard: Callable[[str, int, Entry], None] = lambda *_: None
        self.groups = Groups(len(names))
        self.book = Book(self.groups.heard)
        self.session = LiveSession(learner, strategy, beside=self)
        self.reports: dict[tuple[int, int], UpdateReport] = {}
        self.image = -1
        self._strategy = strategy
        self._numbers = {name: number for number, name in enumerate(self.classes)}
        self._published = 0.0
        self._waiting = True
        self._touched: list[int] = []
        self.state, self.cards = describe(self), cards_of(self)

    # --- What the model saw -------------------------------------------------------------------

    def came(self, images: Sequence[int]) -> None:
        """Put images that the model has looked at into their groups."""
        if images:
            features = torch.stack([self.learner.features[image] for image in images])
            with torch.no_grad():
                looks_like = self.learner.head(features).argmax(-1).tolist()
            for image, group in zip(images, looks_like, strict=True):
                self.groups.add(image, group, done=self.book[image].done)
        waited = self._waiting
        if self._waiting and images:
            self.image = next((each for each in images if not self.book[each].done), images[0])
            self._waiting = self.book[self.image].done
        if waited or time.monotonic() - self._published > PUBLISH_EVERY_S:
            self.publish()

    def unreadable(self, images: Sequence[int]) -> None:
        """Leave images out that cannot be read."""
        self.groups.of[list(images)] = UNREADABLE

    # --- What the user does -------------------------------------------------------------------

    def label(self, activity: Activity, image: int, label: int) -> None:
        """Say which class an image is; where the models did not know, the group's adapter learns it."""
        self.check(image)
        self.number(label)
        with self._step():
            if self.book[image].learned:
                # What was learned of the wrong label must not stay.
                self._forget(image)
            prediction, proposal = self.opinions(image)
            verdict, update = self._judge(activity, prediction, proposal, label)
            took = 0.0 if update is None else update.update_s
            self._write(image, "label", label=label, verdict=verdict, learned=update is not None, took_s=took)
        activity.note = f"Image {image} is {self.classes[label]}: {_outcome(verdict, update)}"
        self._go_on(image)

    def skip(self, image: int) -> None:
        """Leave an image without a label."""
        self.check(image)
        with self._step():
            if self.book[image].learned:
                self._forget(image)
            self._write(image, "skip", label=NO_LABEL, verdict="skipped", learned=False, took_s=0.0)
        self._go_on(image)

    def flag(self, image: int, *, on: bool) -> None:
        """Mark an image to be looked at again, or take the mark away."""
        self.check(image)
        if self.book[image].flagged == on:
            return
        with self._step():
            self._write(image, "flag", flagged=on)
        self.publish()

    def unlearn(self, activity: Activity, image: int) -> None:
        """Rebuild the adapters as if the correction of an image had never been learned; its label stays."""
        self.check(image)
        with self._step():
            self._forget(image)
            self._write(image, "unlearn", learned=False, took_s=0.0)
        activity.note = f"Unlearned image {image}; its label stays"
        self.publish()

    def show(self, image: int) -> None:
        """Go to an image."""
        self.check(image)
        self.image, self._waiting = image, False
        self.publish()

    def show_group(self, group: int) -> None:
        """Go to the first open image of a group."""
        if group not in self.groups.queues:
            name = self.classes[self.number(group)]
            raise AnnotationError(f"no image looks like {name!r} to the model, so that group is empty")
        self.show(self.groups.first_open(group, self.book))

    def undo(self, activity: Activity) -> None:
        """Take back the last thing that was said, and what was learned from it."""
        self._travel(activity, "undo", "Taken back")

    def redo(self, activity: Activity) -> None:
        """Say and learn again what was taken back last."""
        self._travel(activity, "redo", "Done again")

    @property
    def learning(self) -> bool:
        """Whether corrections are learned and the adapters are asked."""
        return self.session.strategy is self._strategy

    def set_learning(self, *, on: bool) -> None:
        """Learn from corrections and ask the adapters, or do neither."""
        self.session.strategy = self._strategy if on else Original()
        self.publish()

    # --- What can be asked --------------------------------------------------------------------

    def opinions(self, image: int) -> tuple[Prediction[Ranking], Proposal[Ranking] | None]:
        """What the base model says of an image, and what the adapter of its group says."""
        prediction = self.session.predict(ImageItem(image, int(self.groups.of[image])))
        return prediction, next(iter(self.session.propose(prediction)), None)

    def number(self, label: int | str) -> int:
        """A class by its name or its place in the list.

        Raises:
            AnnotationError: if there is none; near names are named.
        """
        if isinstance(label, str):
            if label.strip() not in self._numbers:
                raise AnnotationError(no_such_class(label, self.classes))
            return self._numbers[label.strip()]
        if not isinstance(label, (int, np.integer)) or isinstance(label, bool):
            raise AnnotationError(f"a class is given by its name or its place in the list, not by {label!r}")
        number = int(label)
        if not 0 <= number < len(self.classes):
            raise AnnotationError(f"there is no class {number}; classes are 0 to {len(self.classes) - 1}")
        return number

    def check(self, image: int) -> None:
        """Refuse images that cannot be labelled.

        Raises:
            AnnotationError: saying why.
        """
        if not isinstance(image, (int, np.integer)) or isinstance(image, bool):
            raise AnnotationError(f"an image is given by its number, not by {image!r}; `labels` lists all")
        if not 0 <= image < len(self.names):
            raise AnnotationError(f"there is no image {image}; images are 0 to {len(self.names) - 1}")
        if self.groups.of[image] == UNREADABLE:
            raise AnnotationError(f"image {image} ({self.names[image]}) cannot be read; `problems` says why")
        if self.groups.of[image] < 0:
            raise AnnotationError(f"the model has not looked at image {image} yet; `wait()` until it has")

    def publish(self) -> None:
        """Send everything but pixels, once it is safe in the session's file."""
        self.save()
        self._published = time.monotonic()
        self.state, self.cards = describe(self), cards_of(self)
        self.post(self.state)
        self.post(self.cards)

    def snapshot(self, *, whole: bool = True) -> int:
        """What undo goes back to beside the weights."""
        return self.book.snapshot()

    def restore(self, state: int) -> None:
        """The labels as they were then."""
        self._touched = self.book.restore(state)

    # --- Inside -------------------------------------------------------------------------------

    def _judge(
        self, activity: Activity, prediction: Prediction[Ranking], proposal: Proposal[Ranking] | None, label: int
    ) -> tuple[Verdict, UpdateReport | None]:
        """The paper's rule: a class that a model has among its first guesses was known and costs no correction."""
        if label in prediction.output.top(self.top):
            return "confirmed", None
        if proposal is not None and label in proposal.output.top(self.top):
            return "accepted", self.session.accept(prediction, proposal).update
        item = prediction.item
        activity.enter("learn", 0, f"Learning that image {item.image} is {self.classes[label]}")
        if proposal is not None:
            self.session.reject((proposal,))
        update = self.session.correct(prediction, corrected(item, label, len(self.classes))).update
        if update is not None:
            self.reports[item.group, update.version] = update
            if update.stopped == "non-finite":
                self.post(Error("The update gave a non-finite loss and was rolled back; the label stands."))
        return "corrected", update

    @contextmanager
    def _step(self) -> Iterator[None]:
        """Make what is done within one step for undo; none if it fails."""
        before = self.session.checkpoint()
        try:
            yield
        except BaseException:
            self.session.history.drop(before)
            raise
        self.session.history.join(before)

    def _write(self, image: int, what: str, **changes: Any) -> None:
        entry = replace(self.book[image], at=time.time(), **changes)
        self.book.write(image, entry)
        self.heard(what, image, entry)

    def _go_on(self, image: int) -> None:
        """Go to the next open image if the one in sight is done."""
        if image == self.image:
            following = self.groups.next_open(image, self.book)
            self._waiting = following is None
            self.image = image if following is None else following
        self.publish()

    def _forget(self, image: int) -> None:
        item = ImageItem(image, int(self.groups.of[image]))
        learned = {item.image for each in self.learner.adapters.of(item.group) for item in each.learned_from}
        if image not in learned:
            others = f", but from images {sorted(learned)}" if learned else ""
            raise AnnotationError(f"nothing was learned from image {image} in its group{others}")
        try:
            self.session.forget(item)
        except KeyError:
            self._relearn_without(item)

    def _relearn_without(self, item: ImageItem) -> None:
        """Forget what was learned before the session was reopened, of which the file has the images in order."""
        bank, strategy = self.learner.adapters, self.session.strategy
        images = [each.image for adapter in bank.of(item.group) for each in adapter.learned_from]
        bank.restore(_without(bank.snapshot(), item.group))
        others = (each for each in self.session.lessons if each.verdict.item.group != item.group)
        self.session.lessons = tuple(replace(each, before=_without(each.before, item.group)) for each in others)
        self.session.strategy = self._strategy
        try:
            for image in (each for each in images if each != item.image):
                again = ImageItem(image, item.group)
                verdict = corrected(again, self.book[image].label, len(self.classes))
                self.session.correct(self.session.predict(again), verdict)
        finally:
            self.session.strategy = strategy

    def _travel(self, activity: Activity, what: str, said: str) -> None:
        """Undo or redo, and go to the image of which that changed what was said."""
        history = self.session.history
        if not (history.can_undo if what == "undo" else history.can_redo):
            raise AnnotationError(f"there is nothing to {what}")
        (self.session.undo if what == "undo" else self.session.redo)()
        self.image, self._waiting = self._touched[0], False
        number, name = f"image {self.image}", self.names[self.image]
        activity.note = f"{said}: {number}" if name == number else f"{said}: {number}, {name}"
        self.heard(what, self.image, self.book[self.image])
        self.publish()


def _without(adapters: Mapping[tuple[Any, int], Any], group: int) -> dict[tuple[Any, int], Any]:
    """Adapters of all groups but one."""
    return {place: state for place, state in adapters.items() if place[0] != group}


def _outcome(verdict: Verdict, update: UpdateReport | None) -> str:
    """What a label meant for the models."""
    if verdict == "corrected":
        return "a correction" if update is None else f"a correction, learned in {update.update_s:.2f} s"
    return "the model knew it" if verdict == "confirmed" else "the adapter knew it, one correction saved"
