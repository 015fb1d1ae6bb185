"""The gallery: images in a notebook cell, labelled by key or by method, learning while labels are corrected."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from lit_widget.core.strategy import LitLora, Original, Strategy, find_strategy
from lit_widget.images.head import PLACEMENTS
from lit_widget.widget.activity import Activity
from lit_widget.widget.codec import PREVIEW_WIDTH, encode_jpeg
from lit_widget.widget.limits import AnnotationError
from lit_widget.widget.outbox import Outbox
from lit_widget.widget.saving import OfTheClass
from lit_widget.widget.store.file import SessionFile, SessionFileError
from lit_widget.widget.to_view import Error, JobKind
from lit_widget.widget.warm_up import warm_up
from lit_widget.widget.wire import MessageError
from lit_widget.widget.worker import Job, Worker
from lit_widget.widget.working import WorkingWidget, best_transport

from . import keeping
from .answers import Answers
from .book import Entry
from .classes import checked_classes
from .dispatch import dispatch
from .file import LABELS, Stored, digest_of, folder_of, open_labels
from .labelling import GalleryLearner, Labelling
from .listeners import NAMES, Said, tell
from .looking import Encoder, Look, Seen
from .messages import decode
from .pictures import PictureError, Pictures, open_pictures
from .simulate import simulate
from .table import table_of, write_table

if TYPE_CHECKING:
    import pandas as pd

    from lit_widget.core.update import UpdateConfig
    from lit_widget.images.losses import LossConfig
    from lit_widget.simulation.classification import ClassificationResult

_STATIC = pathlib.Path(__file__).parent.parent / "static"

STRATEGIES: dict[str, Strategy] = {each.name: each for each in (LitLora(), Original())}
"""What can be done with corrections."""

_asked_by_view: ContextVar[bool] = ContextVar("asked_by_view", default=False)
"""Whether a view's message is being handled; its errors belong in the view and not in a later cell."""


class LITClassifier(WorkingWidget):
    """Label images with CLIP and adapters that learn from every correction.

    Images are grouped by what the model takes them for, and each group has an adapter. A label that neither the model
    nor the adapter had among its first guesses is a correction: the adapter learns it. Every key has a method with the
    same effect. Methods return at once and work is done in the background; `wait` blocks until it is done.

    Args:
        images: a folder (searched with its subfolders), a list of paths or of uint8 arrays (H, W, 3), or an image set.
        classes: names of the classes; those of the image set if it has some.
        model: a name for `lit_widget.images.clip.Clip.load`, or a loaded model.
        strategy: "lit-lora" learns, "original" does not.
        placement: where the adapters are put, a name from `lit_widget.images.head.PLACEMENTS`.
        top: how many first guesses of a model count as having known the class; a label among them is no correction.
        update: how a correction is learned.
        loss: what is minimised.
        seed: of the adapters' initial weights and dropout.
        session: a new file that everything is written to as it happens; `LITClassifier.open` goes on with it later.
        view_height: height of the picture in CSS pixels.

    Raises:
        ValueError: if the images, classes, model or strategy cannot be used; the sentence says why.

    Example:
        w = LITClassifier("birds/", ["wren", "robin", "tit"])
        w.wait()
        w.label(0, "robin")
        w.labels
    """

    _esm = _STATIC / "gallery.js"
    _css = _STATIC / "gallery.css"

    def __init__(
        self,
        images: Any,
        classes: Sequence[str] | None = None,
        *,
        model: str | Encoder = "pocket",
        strategy: str | Strategy = "lit-lora",
        placement: str = "projection",
        top: int = 3,
        update: UpdateConfig | None = None,
        loss: LossConfig | None = None,
        seed: int = 123,
        session: str | os.PathLike | SessionFile | None = None,
        view_height: int = 420,
    ) -> None:
        names = checked_classes(_classes_of(images) if classes is None else classes)
        if not 1 <= top < len(names):
            raise ValueError(f"top is from 1 to {len(names) - 1}, one less than there are classes; got {top}")
        if placement not in PLACEMENTS:
            raise ValueError(f"adapters are placed at {' or '.join(PLACEMENTS)}, not at {placement!r}")
        chosen, pictures = find_strategy(strategy, STRATEGIES), open_pictures(images)
        encoder = _loaded(model)
        head = encoder.head(names)
        transport = best_transport()
        super().__init__(transport=transport, view_height=view_height)
        self.pictures, self._placement = pictures, placement
        seen = Seen(len(pictures), head.projection.in_features)
        options = {} if update is None else {"update": update}
        recipe = PLACEMENTS[placement].recipe()
        learner = GalleryLearner(head, seen, recipe=recipe, loss=loss, seed=seed, **options)
        title = pictures.folder.name if pictures.folder else f"{len(pictures)} images"
        self._outbox = Outbox(self.send, lambda: self._labelling.state)
        self._outbox.polling = transport == "poll"
        self._labelling = Labelling(
            learner, chosen, names, pictures.names, self._outbox.post, title=title, model=encoder.name, top=top
        )
        if isinstance(session, SessionFile):
            keeping.restore(session, self._labelling)
        self._errors: list[Exception] = []
        self._listeners: list[tuple[str | None, Callable[[Said], object]]] = []
        self._model_worker = Worker("model", self._failed)
        self._look_worker = Worker("look", self._failed)
        self._pixel_worker = Worker("pixels", self._failed)
        self._look = Look(encoder, pictures, seen, self._came, self._outbox.post)
        self._answers = Answers(self._labelling, self._look, pictures, self._outbox, self._pixel_worker)
        self._keeper: keeping.Keeper | None = None
        self._labelling.heard = self._heard
        if isinstance(session, SessionFile):
            self._keep(session)
        elif session is not None:
            self._begin(session, seed)
        self.on_msg(self._receive)
        self.look()

    # --- Labelling ----------------------------------------------------------------------------

    def label(self, image: int, label: str | int) -> None:
        """Say which class an image is, by its name or its place among the classes."""
        number = self._labelling.number(label)
        self._submit("predict", lambda now: self._labelling.label(now, image, number))

    def skip(self, image: int) -> None:
        """Leave an image without a label; a label that it had is taken away."""
        self._submit("predict", lambda _: self._labelling.skip(image))

    def flag(self, image: int, *, on: bool = True) -> None:
        """Mark an image to be looked at again, or take the mark away."""
        self._submit("predict", lambda _: self._labelling.flag(image, on=on))

    def show(self, image: int) -> None:
        """Go to an image."""
        self._submit("predict", lambda _: self._labelling.show(image))

    def show_group(self, group: str | int) -> None:
        """Go to the first open image of those that the model takes for a class."""
        number = self._labelling.number(group)
        self._submit("predict", lambda _: self._labelling.show_group(number))

    def undo(self) -> None:
        """Take back the last label, skip, mark or unlearning, and what was learned from it."""
        self._submit("predict", self._labelling.undo)

    def redo(self) -> None:
        """Take the last undo back."""
        self._submit("predict", self._labelling.redo)

    def unlearn(self, image: int) -> None:
        """Rebuild the adapters as if the correction of an image had never been learned; its label stays."""
        self._submit("learn", lambda now: self._labelling.unlearn(now, image))

    def set_learning(self, on: bool) -> None:
        """Learn from corrections and ask the adapters, or, with `False`, do neither; what was learned is kept."""
        self._submit("predict", lambda _: self._labelling.set_learning(on=on))

    def look(self) -> None:
        """Let the model look at the images that it has not seen, so that they can be labelled; begins by itself."""
        if not self._look_worker.busy:
            self._look_worker.submit(self._look_at_all)

    def cancel(self) -> None:
        """Stop looking at images, and drop work that waits; `look` goes on later."""
        self._look_worker.cancel()
        self._model_worker.cancel()

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
            stop = w.on("label", lambda said: print(said.name, said.label))
        """
        if name is not None and name not in NAMES:
            raise AnnotationError(f"nothing is called {name!r}; what is said is {', '.join(NAMES)}, or None for all")
        entry = (name, callback)
        self._listeners.append(entry)
        return lambda: self._listeners.remove(entry) if entry in self._listeners else None

    # --- Reading ------------------------------------------------------------------------------

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return list(self._labelling.classes)

    @property
    def labels(self) -> pd.DataFrame:
        """One row per image, also those without a label.

        Columns are `name`, `label` (`None` while there is none), `verdict` ("open", "confirmed" where the model knew,
        "accepted" where the adapter did, "corrected", "skipped" or "unreadable"), `flagged`, `looks_like` (the model's
        first guess), `learned` and `update_s` (seconds of the update).
        """
        return table_of(self._labelling)

    @property
    def image(self) -> int:
        """The image to label next, -1 while there is none."""
        return self._labelling.image

    @property
    def problems(self) -> dict[int, str]:
        """Images that cannot be read, and why."""
        return dict(self._look.problems)

    @property
    def counts(self) -> dict[str, int]:
        """How many labels were confirmed, accepted (each saved a correction) and corrected, and images skipped."""
        counts = self._labelling.book.counts
        return {verdict: counts[verdict] for verdict in ("confirmed", "accepted", "corrected", "skipped", "flagged")}

    @property
    def session(self) -> str | None:
        """The session's file, `None` if it is not saved."""
        return None if self._keeper is None else str(self._keeper.file.path)

    def export(self, path: str | os.PathLike, *, overwrite: bool = False) -> pathlib.Path:
        """Write `labels` to a `.csv` or `.json` file, all or nothing.

        Raises:
            ValueError: if the path ends in something else, lies in no folder, or is there already.
        """
        return write_table(self._labelling, path, overwrite=overwrite)

    def run_simulation(
        self, labels: Sequence[str | int] | Mapping[int, str | int] | None = None, **options: Any
    ) -> ClassificationResult:
        """Label these images with a simulated user, with and without learning, and count the corrections.

        Args:
            labels: the true class of each image, or of some by index; without it the labels given so far are the truth.
            **options: as in `lit_widget.simulate_classification`.

        Raises:
            ValueError: if there are no labels, or they do not fit.
        """
        return simulate(self._labelling, labels, options)

    def close(self) -> None:
        """Stop all work and let go of the session's file."""
        for name in ("_look_worker", "_model_worker", "_pixel_worker"):
            worker = getattr(self, name, None)
            if worker is not None:
                worker.close()
        if getattr(self, "_keeper", None) is not None:
            self._keeper.close()
        super().close()

    # --- The session's file -------------------------------------------------------------------

    @OfTheClass
    def open(cls, path: str | os.PathLike, images: Any = None, **options: Any) -> Any:  # noqa: N805
        """Go on with a labelling where it was left, however its kernel ended.

        Labels, marks, adapters and the journal are as they were. Undo begins anew, and what was learned before can be
        unlearned no more.

        Args:
            path: the session file.
            images: the images, if they are not where they were or were given one by one.
            **options: as in `LITClassifier`; a model other than the bundled one and `update` and `loss` are not in the
                file and must be given again.

        Raises:
            ValueError: if the file is missing, in use, damaged or no session, or the images are others.

        Example:
            w = LITClassifier.open("labels.lit")
        """
        file, stored = open_labels(path)
        try:
            _require_model(stored, options)
            pictures = _same(stored, open_pictures(folder_of(stored, file) if images is None else images))
            known = {name: getattr(stored, name) for name in ("strategy", "placement", "top", "seed")}
            settings = {**known, **options, "session": file}
            return cls(pictures, stored.classes, **settings)  # pyright: ignore[reportCallIssue]
        except BaseException:
            file.close()
            raise

    def _begin(self, path: str | os.PathLike, seed: int) -> None:
        import json

        labelling = self._labelling
        about = {
            "folder": [] if self.pictures.folder is None else [str(self.pictures.folder.absolute())],
            "n_images": len(self.pictures),
            "digest": digest_of(self.pictures.names),
            "classes": labelling.classes,
            "model": labelling.model,
            "strategy": labelling.session.strategy.name,
            "placement": self._placement,
            "top": labelling.top,
            "seed": seed,
        }

        def fill(file: SessionFile) -> None:
            rows = [(key, json.dumps(value)) for key, value in about.items()]
            file.connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)

        self._keep(SessionFile(path, new=True, fill=fill, kind=LABELS))

    def _keep(self, file: SessionFile) -> None:
        self._keeper = keeping.Keeper(file, self._labelling, lambda text: self._outbox.post(Error(text)))
        self._labelling.save = self._keeper.save

    # --- Inside -------------------------------------------------------------------------------

    def _awaited(self) -> Sequence[Worker]:
        return self._look_worker, self._model_worker

    def _look_at_all(self, job: Job) -> None:
        self._look.run(job)
        problems = self._look.problems.copy()
        self._model_worker.submit(lambda _: self._labelling.unreadable(list(problems)))
        self._model_worker.submit(lambda _: self._labelling.publish())
        if problems and self._look.status == "done":
            first = next(iter(problems.values()))
            more = f", and {len(problems) - 1} more; `problems` names them all" if len(problems) > 1 else ""
            raise PictureError(f"{len(problems)} of {len(self.pictures)} images are left out: {first}{more}")

    def _came(self, images: list[int]) -> None:
        self._model_worker.submit(lambda _: self._labelling.came(images))

    def _submit(self, kind: JobKind, work: Callable[[Activity], None]) -> None:
        by_view = _asked_by_view.get()
        warm_up()

        def run(job: Job) -> None:
            current = Activity(job, kind, self._outbox.post)
            try:
                work(current)
            except Exception as error:
                if not by_view:
                    self._errors.append(error)
                current.tell("failed")
                raise
            current.tell("done")
            self._pixel_worker.submit(lambda _: self._refresh_preview())

        self._model_worker.submit(run)

    def _receive(self, _: object, content: object, __: object) -> None:
        """Handle a message from a view; runs on whichever thread the kernel chose, so it only enqueues."""
        token = _asked_by_view.set(True)
        try:
            dispatch(self, self._answers, decode(content))
        except (MessageError, AnnotationError, RuntimeError) as error:
            self._outbox.post(Error(str(error)))
        finally:
            _asked_by_view.reset(token)

    def _heard(self, what: str, image: int, entry: Entry) -> None:
        if self._keeper is not None:
            self._keeper.heard(what, image, entry)
        label = self.classes[entry.label] if entry.label >= 0 else None
        said = Said(what, image, self.pictures.names[image], label, entry.verdict, entry.flagged)
        tell(self._listeners, said, self._failed)

    def _refresh_preview(self) -> None:
        if self.image >= 0:
            try:
                self.preview = encode_jpeg(np.asarray(self.pictures.image(self.image, at_most=PREVIEW_WIDTH)))
            except PictureError:
                return


def _classes_of(images: Any) -> Sequence[str]:
    names = getattr(images, "classes", None)
    if names is None:
        raise ValueError("the images say nothing of classes; give their names: LITClassifier(images, ['wren', ...])")
    return names


def _loaded(model: str | Encoder) -> Encoder:
    if not isinstance(model, str):
        return model
    from lit_widget.images.clip import Clip  # pyright: ignore[reportMissingImports]

    return Clip.load(model)


def _require_model(stored: Stored, options: Mapping[str, Any]) -> None:
    if stored.model != "pocket" and "model" not in options:
        raise SessionFileError(
            f"the session was made with the model {stored.model!r}, and a file alone loads only the bundled one; give "
            f"it: LITClassifier.open(..., model={stored.model!r})"
        )


def _same(stored: Stored, pictures: Pictures) -> Pictures:
    """The images, if they are those of the session."""
    if (len(pictures), digest_of(pictures.names)) != (stored.n_images, stored.digest):
        raise SessionFileError(
            f"these are not the images of the session, which has {stored.n_images} with other names or in another "
            f"order; here are {len(pictures)}: give those that it was made with"
        )
    return pictures
