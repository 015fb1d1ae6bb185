"""The gallery: images in a notebook cell, labelled by key or by method, learning while labels are corrected."""

from __future__ import annotations

import os
import pathlib
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from lit_widget.core.heap import give_back_freed_memory
from lit_widget.core.options import require
from lit_widget.core.strategy import LitLora, Original, Strategy, find_strategy
from lit_widget.images.clip import POCKET, Clip
from lit_widget.images.features import FeatureStore
from lit_widget.images.head import PLACEMENTS
from lit_widget.images.learner import TOP
from lit_widget.images.sources import ImageError
from lit_widget.widget.activity import Activity
from lit_widget.widget.codec import encode_jpeg
from lit_widget.widget.journal import by
from lit_widget.widget.limits import AnnotationError
from lit_widget.widget.outbox import Outbox
from lit_widget.widget.store.file import SessionFile
from lit_widget.widget.to_view import Error, JobKind
from lit_widget.widget.warm_up import warm_up
from lit_widget.widget.wire import MessageError
from lit_widget.widget.worker import Job, Worker
from lit_widget.widget.working import WorkingWidget, best_transport

from .answers import Answers
from .book import Entry
from .dispatch import dispatch
from .keeping import restore
from .labelling import GalleryLearner, Labelling
from .listeners import NAMES, Said, tell
from .looking import Look, Model
from .messages import decode
from .pictures import open_pictures
from .readings import Readings
from .saving import Saving
from .still import still

if TYPE_CHECKING:
    from lit_widget.core.update import UpdateConfig
    from lit_widget.images.losses import LossConfig

_STATIC = pathlib.Path(__file__).parent.parent / "static"

STRATEGIES: dict[str, Strategy] = {each.name: each for each in (LitLora(), Original())}
"""What can be done with corrections."""


class LITClassifier(Readings, Saving, WorkingWidget):
    """Label images with CLIP and adapters that learn from every correction.

    Images are grouped by what the model takes them for, and each group has an adapter. A label that neither the model
    nor the adapter had among its first guesses is a correction: the adapter learns it. Every key has a method with the
    same effect. Methods return at once and work is done in the background; `wait` blocks until it is done.

    Args:
        images: a folder (searched with its subfolders), a list of paths or of uint8 arrays (H, W, 3), an image set, or
            the name of a data set, as `lit_widget.images.datasets.open_images` takes it.
        classes: names of the classes; without them those of the set, or of the folder's own folders.
        model: "pocket", which is bundled, a CLIP on the Hugging Face hub, a folder with one, or a loaded one.
        strategy: "lit-lora" learns, "original" does not.
        placement: where the adapters are put, a name from `lit_widget.images.head.PLACEMENTS`.
        top: how many first guesses of a model count as having known the class; a label among them is no correction.
            Three by default, or one less than there are classes.
        update: how a correction is learned.
        loss: what is minimised.
        seed: of the adapters' initial weights and dropout.
        features: the folder to keep features in, so that the model looks at an image once; the user's cache by default.
        session: a new file that everything is written to as it happens; `LITClassifier.open` goes on with it later.
        view_height: height of the picture in CSS pixels.

    Raises:
        ValueError: if the images, classes, model or strategy cannot be used; the sentence says why.

    Example:
        ```python
        w = LITClassifier("birds/", ["wren", "robin", "tit", "owl"])
        w.wait()
        w.label(0, "robin")
        w.labels
        ```
    """

    _esm = _STATIC / "gallery.js"
    _css = _STATIC / "gallery.css"

    def __init__(
        self,
        images: Any,
        classes: Sequence[str] | None = None,
        *,
        model: str | Model = POCKET,
        strategy: str | Strategy = "lit-lora",
        placement: str = "projection",
        top: int | None = None,
        update: UpdateConfig | None = None,
        loss: LossConfig | None = None,
        seed: int = 123,
        features: str | os.PathLike | None = None,
        session: str | os.PathLike | SessionFile | None = None,
        view_height: int = 420,
    ) -> None:
        if placement not in PLACEMENTS:
            raise ValueError(f"adapters are placed at {' or '.join(PLACEMENTS)}, not at {placement!r}")
        chosen, pictures = find_strategy(strategy, STRATEGIES), open_pictures(images, classes)
        names = pictures.images.class_names
        top = min(TOP, len(names) - 1) if top is None else top
        require("top", top, int, "an int")
        if not 1 <= top < len(names):
            raise ValueError(f"top is from 1 to {len(names) - 1}, one less than there are classes; got {top}")
        clip: Any = Clip.load(model) if isinstance(model, str) else model
        head = clip.head(names)
        if alike := head.alike():
            warnings.warn(
                f"the model {clip.name!r} sees no difference between {names[alike[0]]!r} and other classes "
                f"({len(alike)} of {len(names)} such names): it does not know these words; give model= one that does",
                stacklevel=2,
            )
        store = FeatureStore(pictures.images, clip, None if features is None else pathlib.Path(features))
        transport = best_transport()
        super().__init__(transport=transport, view_height=view_height)
        self._pictures, self._placement = pictures, placement
        # With each label one image is new in the still picture; the others are not to be read again.
        self._shown = lru_cache(maxsize=32)(lambda image, side: pictures.shown(image, at_most=side))
        recipe, options = PLACEMENTS[placement].recipe(), {} if update is None else {"update": update}
        learner = GalleryLearner(head, store, recipe=recipe, loss=loss, seed=seed, **options)
        self._outbox = Outbox(self.send, lambda: self._labelling.state, lambda: self.transport == "poll")
        self._labelling = Labelling(
            learner,
            chosen,
            names,
            pictures.names,
            self._outbox.post,
            title=pictures.images.name,
            model=clip.name,
            top=top,
        )
        if isinstance(session, SessionFile):
            restore(session, self._labelling)
        self._errors: list[Exception] = []
        self._listeners: list[tuple[str | None, Callable[[Said], object]]] = []
        self._said: list[Said] = []
        self._model_worker = Worker("model", self._failed)
        self._look_worker = Worker("look", self._failed)
        self._pixel_worker = Worker("pixels", self._failed)
        self._look = Look(store, self._came, self._outbox.post)
        self._answers = Answers(self._labelling, self._look, pictures, self._outbox, self._pixel_worker)
        self._labelling.heard = self._heard
        if isinstance(session, SessionFile):
            self._keep(session)
        elif session is not None:
            self._begin(session, seed)
        self.on_msg(self._receive)
        self.look()

    # --- Labelling ----------------------------------------------------------------------------

    def label(self, image: int, label: str | int) -> None:
        """Say which class an image is.

        Args:
            image: its index.
            label: the class, by its name or its place among the classes.

        Raises:
            ValueError: if there is no such class; from `wait`, if there is no such image.
        """
        number = self._labelling.number(label)
        self._submit("predict", lambda now: self._labelling.label(now, image, number))

    def skip(self, image: int) -> None:
        """Leave an image without a label; a label that it had is taken away.

        Args:
            image: its index.
        """
        self._submit("predict", lambda _: self._labelling.skip(image))

    def flag(self, image: int, *, on: bool = True) -> None:
        """Mark an image to be looked at again, or take the mark away.

        Args:
            image: its index.
            on: whether it is marked.
        """
        self._submit("predict", lambda _: self._labelling.flag(image, on=on))

    def show(self, image: int) -> None:
        """Go to an image.

        Args:
            image: its index.
        """
        self._submit("predict", lambda _: self._labelling.show(image))

    def show_group(self, group: str | int) -> None:
        """Go to the first open image of those that the model takes for a class.

        Args:
            group: the class, by its name or its place among the classes.

        Raises:
            ValueError: if there is no such class.
        """
        number = self._labelling.number(group)
        self._submit("predict", lambda _: self._labelling.show_group(number))

    def undo(self) -> None:
        """Take back the last label, skip, mark or unlearning, and what was learned from it."""
        self._submit("predict", self._labelling.undo)

    def redo(self) -> None:
        """Take the last undo back."""
        self._submit("predict", self._labelling.redo)

    def unlearn(self, image: int) -> None:
        """Rebuild the adapters as if the correction of an image had never been learned; its label stays.

        Args:
            image: its index.

        Raises:
            ValueError: from `wait`, if nothing was learned from it.
        """
        self._submit("learn", lambda now: self._labelling.unlearn(now, image))

    def set_learning(self, on: bool) -> None:
        """Learn from corrections and ask the adapters, or, with `False`, do neither; what was learned is kept.

        Args:
            on: whether to learn and ask.
        """
        self._submit("predict", lambda _: self._labelling.set_learning(on=on))

    def look(self) -> None:
        """Let the model look at the images that it has not seen, so that they can be labelled; begins by itself."""
        if not self._look_worker.busy:
            self._look_worker.submit(self._look_at_all)

    def cancel(self) -> None:
        """Stop looking at images; `look` goes on later."""
        self._look_worker.cancel()

    def on(self, name: str | None, callback: Callable[[Said], object]) -> Callable[[], None]:
        """Have a function called whenever something was said of an image, by key or by method.

        Args:
            name: "label", "skip", "flag", "unlearn", "undo" or "redo"; `None` for all of them.
            callback: gets a `Said`. It is called on the thread that works; what it raises is shown like other errors.

        Returns:
            A function without arguments that ends it.

        Raises:
            ValueError: if nothing of this name is said.

        Example:
            ```python
            stop = w.on("label", lambda said: print(said.name, said.label))
            ```
        """
        if name is not None and name not in NAMES:
            raise AnnotationError(f"nothing is called {name!r}; what is said is {', '.join(NAMES)}, or None for all")
        entry = (name, callback)
        self._listeners.append(entry)
        return lambda: self._listeners.remove(entry) if entry in self._listeners else None

    # --- Ending -------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop looking, do what was said last, and let go of the session's file; what failed unheard is a warning."""
        # A widget that could not be made has none.
        if hasattr(self, "_look_worker"):
            self._look_worker.close()
            self._model_worker.finish()
            self._pixel_worker.close()
        try:
            if self._keeper is not None:
                self._keeper.close()
        finally:
            super().close()
            give_back_freed_memory()
            unheard, self._errors = getattr(self, "_errors", []), []
            for error in unheard:
                warnings.warn(f"not done: {error}", stacklevel=2)

    # --- Inside -------------------------------------------------------------------------------

    def _awaited(self) -> Sequence[Worker]:
        return self._look_worker, self._model_worker

    def _look_at_all(self, job: Job) -> None:
        self._look.run(job)
        problems, n_images = self.problems, len(self._pictures)
        self._model_worker.submit(self._show_all)
        if problems and self._look.status == "done":
            first = next(iter(problems.values()))
            more = f"; `problems` names {len(problems) - 1} more" if len(problems) > 1 else ""
            raise ImageError(f"{len(problems)} of {n_images} images are left out: {first}{more}")

    def _show_all(self, _: Job) -> None:
        self._labelling.publish()
        self._pixel_worker.submit(lambda _: self._refresh_preview())

    def _came(self, first: int, end: int) -> None:
        def work(_: Job) -> None:
            refused = self.problems
            self._labelling.unreadable([image for image in range(first, end) if image in refused])
            self._labelling.came([image for image in range(first, end) if image not in refused])

        self._model_worker.submit(work)

    def _submit(self, kind: JobKind, work: Callable[[Activity], None]) -> None:
        asked = by.get()
        warm_up()

        def run(job: Job) -> None:
            current = Activity(job, kind, self._outbox.post)
            try:
                work(current)
            except Exception as error:
                if asked == "method":
                    self._errors.append(error)
                current.tell("failed")
                raise
            finally:
                self._tell()
            current.tell("done")
            self._pixel_worker.submit(lambda _: self._refresh_preview())

        self._model_worker.submit(run)

    def _receive(self, _: object, content: object, __: object) -> None:
        """Handle a message from a view; runs on whichever thread the kernel chose, so it only enqueues."""
        token = by.set("view")
        try:
            dispatch(self, self._answers, decode(content))
        except (MessageError, AnnotationError, RuntimeError) as error:
            self._outbox.post(Error(str(error)))
        finally:
            by.reset(token)

    def _heard(self, what: str, image: int, entry: Entry) -> None:
        if self._keeper is not None:
            self._keeper.heard(what, image, entry)
        label = self.classes[entry.label] if entry.label >= 0 else None
        self._said.append(Said(what, image, self._pictures.names[image], label, entry.verdict, entry.flagged))

    def _tell(self) -> None:
        """Tell listeners of what work has done, which is in the session's file by now."""
        said, self._said = self._said, []
        for each in said:
            tell(self._listeners, each, self._failed)

    def _refresh_preview(self) -> None:
        self.preview = encode_jpeg(np.asarray(still(self._labelling, self._shown)))
