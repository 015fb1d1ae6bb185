"""What the gallery does with session files."""

from __future__ import annotations

import json
import os
import pathlib
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lit_widget.images.clip import POCKET
from lit_widget.images.sources import ImageSet
from lit_widget.widget.outbox import Outbox
from lit_widget.widget.saving import OfTheClass
from lit_widget.widget.store.file import SessionFile, SessionFileError

from .file import LABELS, Stored, digest_of, images_of, marked, open_labels
from .keeping import Keeper
from .labelling import Labelling
from .pictures import Pictures, open_pictures


class Saving:
    """The part of `LITClassifier` that writes its session down and opens it again."""

    _labelling: Labelling
    _outbox: Outbox
    _pictures: Pictures
    _placement: str
    _not_saved: Callable[[str], None]
    _keeper: Keeper | None = None

    @property
    def session(self) -> str | None:
        """The session's file, `None` if it is not saved."""
        return None if self._keeper is None else str(self._keeper.file.path)

    @OfTheClass
    def open(cls, path: str | os.PathLike, images: Any = None, **options: Any) -> Any:  # noqa: N805
        """Go on with a labelling where it was left, however its kernel ended.

        Labels, marks, adapters and the journal are as they were; what was learned can be unlearned. Undo begins anew.

        Args:
            path: the session file.
            images: the images, if they are not where they were or were given one by one.
            **options: as in `LITClassifier`; a model other than the bundled one and `update` and `loss` are not in the
                file and must be given again.

        Returns:
            The gallery.

        Raises:
            ValueError: if the file is missing, in use, damaged or no session, or the images are others.

        Example:
            ```python
            w = LITClassifier.open("labels.lit")
            ```
        """
        if "classes" in options:
            raise SessionFileError("the classes are in the session's file; leave them out")
        file, stored = open_labels(path)
        try:
            _require_model(stored, options)
            own = isinstance(images, ImageSet)
            found = (
                images_of(stored, file) if images is None else open_pictures(images, None if own else stored.classes)
            )
            known = {name: getattr(stored, name) for name in ("strategy", "placement", "top", "seed")}
            settings = {**known, **options, "session": file}
            return cls(_same(stored, found), None, **settings)  # pyright: ignore[reportCallIssue]
        except BaseException:
            file.close()
            raise

    def _begin(self, path: str | os.PathLike, seed: int) -> None:
        labelling = self._labelling
        about = {
            "place": [] if self._pictures.place is None else [_absolute(self._pictures.place)],
            "named": self._pictures.images.labels is not None,
            "n_images": len(self._pictures),
            "digest": digest_of(self._pictures.names),
            "images": marked(self._pictures),
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
        self._keeper = Keeper(file, self._labelling, self._not_saved)
        self._labelling.save = self._keeper.save


def _absolute(place: str) -> str:
    """A folder as it is found from anywhere; the name of a data set as it is."""
    folder = pathlib.Path(place).expanduser()
    return str(folder.absolute()) if folder.exists() else place


def _require_model(stored: Stored, options: Mapping[str, Any]) -> None:
    if stored.model != POCKET and "model" not in options:
        raise SessionFileError(
            f"the session was made with the model {stored.model!r}, and a file alone loads only the bundled one; give "
            f"it: LITClassifier.open(..., model={stored.model!r})"
        )


def _few(names: Iterable[str]) -> str:
    first, *more = sorted(names)
    return f"{first} and {len(more)} more" if more else first


def _same(stored: Stored, pictures: Pictures) -> Pictures:
    """The images, if they are those of the session."""
    if (len(pictures), digest_of(pictures.names)) != (stored.n_images, stored.digest):
        odd = {"missing": stored.images.keys() - set(pictures.names), "new": set(pictures.names) - stored.images.keys()}
        told = "".join(f"; {what}: {_few(names)}" for what, names in odd.items() if names and stored.images)
        raise SessionFileError(
            f"these are not the images of the session, which has {stored.n_images} with other names or in another "
            f"order; here are {len(pictures)}: give those that it was made with{told}"
        )
    now = marked(pictures)
    if changed := {name for name, mark in stored.images.items() if now.get(name) != mark}:
        warnings.warn(
            f"images are not what they were when the session was begun: {_few(changed)}; their labels are kept, look "
            f"at them again",
            stacklevel=4,
        )
    if list(pictures.images.class_names) != stored.classes:
        raise SessionFileError(
            f"the classes are others than those of the session, which are {', '.join(stored.classes)[:200]}"
        )
    return pictures
