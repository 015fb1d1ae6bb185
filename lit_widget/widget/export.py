"""Masks out of the widget to files, and in from files."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from functools import partial

from lit_widget.video.formats.format import ExportReport
from lit_widget.video.formats.mask_set import Mask
from lit_widget.video.formats.registry import check_export, check_source, export_masks, find_format, read_masks

from .activity import Activity
from .annotation import Annotation
from .journal import action
from .limits import AnnotationError
from .store import check_there
from .to_view import Error
from .transfer import ObjectMasks, Stopped, give_prompts, mask_set_of, on_frames, watched


class Export:
    """The methods of `LITWidget` that write masks to files and read them."""

    _annotation: Annotation
    _submit: Callable[..., None]
    _exported: ExportReport | None = None
    _truth: Mapping[int, Mapping[int, Mask]] | None = None

    @property
    def exported(self) -> ExportReport | None:
        """What the latest export wrote and what it lost; `None` before its end, and if it was cancelled."""
        return self._exported

    def export(self, path: str | pathlib.Path, *, format: str, overwrite: bool = False) -> None:  # noqa: A002
        """Write the masks of all objects to a file or folder, all or nothing; `exported` then says what was lost.

        Args:
            path: the file or folder to appear.
            format: a name from `lit_widget.formats()`.
            overwrite: whether to replace a file, or a folder that holds nothing but such an export.

        Raises:
            ValueError: if the format is unknown or shows the video, which is not there, or the path must not be
                written.

        Example:
            ```python
            w.export("masks.json", format="coco")
            w.wait()
            print(w.exported)  # where, and what of the masks is not in it
            ```
        """
        frames = self._annotation.learner.frames
        check_export(path, format, overwrite=overwrite, frames=frames)
        if find_format(format).needs_video:
            check_there(frames)
        self._exported = None
        work = partial(self._export, path=path, name=format, overwrite=overwrite)
        self._submit("predict", work, lambda: self._tell_cancelled(path))

    @action
    def load_masks(self, path: str | pathlib.Path, *, format: str | None = None, as_: str = "prompts") -> None:  # noqa: A002
        """Read masks from a file or folder.

        Args:
            path: the file or folder.
            format: a name from `lit_widget.formats()`; without it, the format that the path looks like.
            as_: "prompts" gives each mask to the object of its name, a new one if there is none, in one step that
                undo takes back; "ground_truth" keeps them for `run_simulation`.

        Raises:
            ValueError: if there is nothing at the path or the format is unknown, or, when the work is done, if the
                masks are damaged or do not fit the video.
        """
        check_source(path, format)
        if as_ not in ("prompts", "ground_truth"):
            raise AnnotationError(f"masks are loaded as_='prompts' or as_='ground_truth', not {as_!r}")
        self._submit("predict", lambda now: self._load_masks(now, path, format, as_))

    def _export(self, activity: Activity, path: str | pathlib.Path, name: str, *, overwrite: bool) -> None:
        step = partial(watched, activity, f"Writing {name}")
        try:
            self._exported = export_masks(mask_set_of(self._annotation), path, name, overwrite=overwrite, step=step)
        except Stopped:
            self._tell_cancelled(path)
            return
        activity.note = str(self._exported)

    def _tell_cancelled(self, path: str | pathlib.Path) -> None:
        self._annotation.tell(Error(f"Cancelled: nothing was written to {path}."))

    def _load_masks(self, activity: Activity, path: str | pathlib.Path, name: str | None, as_: str) -> None:
        try:
            masks = read_masks(path, name, step=partial(watched, activity, "Reading masks"))
            if as_ == "prompts":
                activity.note = f"{give_prompts(self._annotation, activity, masks)} masks loaded as prompts"
                return
        except Stopped:
            return
        places = on_frames(masks, self._annotation.learner.frames)
        self._truth = {each: ObjectMasks(masks.masks, keys) for each, keys in places.items() if keys}
        activity.note = f"{len(masks.masks)} masks loaded as ground truth"
        known, n_frames = len(masks.annotated()), len(self._annotation.learner.frames)
        if known < n_frames:
            some = f"{known} of {n_frames} frames have ground truth; the others are not measured"
            activity.note = f"{activity.note}: {some}"
            self._annotation.tell(Error(f"{some}."))
