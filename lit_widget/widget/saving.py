"""What the widget does with its own files: sessions and adapters."""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Callable
from types import MethodType
from typing import Any

from lit_widget.core.adapter_file import load_adapter, save_adapter
from lit_widget.core.peft_layout import is_peft_folder, load_peft, save_peft
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.frames import Frames
from lit_widget.video.models import POCKET

from .activity import Activity
from .annotation import Annotation
from .journal import Journal, action
from .limits import AnnotationError
from .outbox import Outbox
from .store import (
    MissingFrames,
    Recorder,
    Restored,
    SessionFile,
    SessionFileError,
    Stored,
    describe_video,
    find_video,
    pack_making,
    prompt_again,
    read,
    restore,
    unpack_making,
)
from .to_view import Error, JobKind


def _completed(options: dict[str, Any], stored: Stored, frames: Frames) -> dict[str, Any]:
    """What the user gave, with the rest as the file has it.

    Raises:
        SessionFileError: if the model must be given.
    """
    if stored.model != POCKET.name and "model" not in options:
        raise SessionFileError(
            f"the session was made with the model {stored.model!r}, and a file alone loads only the bundled one; "
            f"give it: LITWidget.open(..., model={stored.model!r})"
        )
    known = {name: getattr(stored, name) for name in ("strategy", "tracker", "quality", "seed")}
    missing = {"features": frames.features()} if isinstance(frames, MissingFrames) else {}
    return {**known, **missing, **options}


class OfTheClass:
    """A method of a class alone; its instances keep what they inherit under that name.

    Every Jupyter widget has an `open` of its own, which makes its connection.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self.__doc__ = function, function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._name = owner, name

    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:
            return MethodType(self._function, owner)
        return getattr(super(self._owner, instance), self._name)


class Saving:
    """The part of `LITWidget` that writes its session down and opens it again."""

    _annotation: Annotation
    _journal: Journal
    _making: dict[str, Any]
    _outbox: Outbox
    _item: Callable[[int, int | None], VideoItem]
    _submit: Callable[[JobKind, Callable[[Activity], None]], None]
    _not_saved: Callable[[str], None]
    _recorder: Recorder | None = None

    @OfTheClass
    def open(cls, path: str | os.PathLike, video: Any = None, **options: Any) -> Any:  # noqa: N805
        """Go on with a session where it was left, however its kernel ended.

        Masks, objects, prompts, adapters, what was done and the steps that undo and redo go to are as they were. What
        tracking remembers of each frame is computed again from its mask when it is needed. What was learned before can
        be undone, but not forgotten one by one. Without its video a session shows its masks and journal and refuses to
        track and learn. A file that can only be read is opened all the same; then nothing is saved, and `session` is
        `None`.

        Args:
            path: the session file.
            video: the video, if it is not where it was or was never a file.
            **options: as in `LITWidget`; a model other than the bundled one, a strategy or a tracker of your own and
                `update`, `peft_config` and `quirks` are not in the file and must be given again.

        Returns:
            The widget.

        Raises:
            ValueError: if the file is missing, in use, damaged or no session, or the video is another one.

        Example:
            ```python
            w = LITWidget.open("clip.lit")
            ```
        """
        file = SessionFile(path, new=False)
        try:
            stored = read(file)
            frames = find_video(stored, file.path.parent, video)
            widget: Any = cls(frames, **_completed(options, stored, frames))  # pyright: ignore[reportCallIssue]
            widget._resume(file, stored, video)  # noqa: SLF001
        except BaseException:
            file.close()
            raise
        return widget

    def _begin(self, path: str | os.PathLike, source: Any, quality: str, seed: int) -> None:
        """Write this session to a new file from now on."""
        learner = self._annotation.learner
        about = {
            "video": describe_video(source, learner.frames),
            "model": learner.model.name,
            "strategy": self._annotation.session.strategy.name,
            "tracker": learner.tracker.name,
            "quality": quality,
            "seed": seed,
            "begun": time.time(),
            "making": pack_making(self._making),
        }

        def fill(file: SessionFile) -> None:
            recorder = self._record(file)
            recorder.describe(**about)
            recorder.save()

        SessionFile(path, new=True, fill=fill)

    def _resume(self, file: SessionFile, stored: Stored, video: Any) -> None:
        """Take over what a file holds, and write to it from now on."""
        annotation = self._annotation
        restored = restore(file, annotation)
        complete = restored.complete and stored.making is not None
        self._journal.resume(
            restored.actions, time.time() - stored.begun if stored.begun > 0 else 0.0, complete=complete
        )
        if stored.making is not None:
            made = unpack_making(stored.making, self._making)
            # What is in no file is what was given again.
            self._making |= {name: value for name, value in made.items() if value is not ...}
        elsewhere = stored.path if video is None else video
        self._making["video"] = self._making["video"] if elsewhere is None else elsewhere
        if file.writable:
            recorder = self._record(file, restored)
            if isinstance(video, str | os.PathLike):
                recorder.describe(video=describe_video(video, annotation.learner.frames))
        else:
            file.close()
        annotation.publish()
        if not file.writable:
            text = f"{file.path} can only be read: nothing that you do is saved. Export it, or open a copy elsewhere."
            self._outbox.post(Error(text))
        frames = annotation.learner.frames
        if isinstance(frames, MissingFrames):
            self._outbox.post(Error(f"The video is not there: {frames.why}. Masks can be seen, not changed."))
        elif restored.standing:
            self._submit("predict", lambda _: prompt_again(annotation, restored.standing))

    def _record(self, file: SessionFile, restored: Restored | None = None) -> Recorder:
        annotation, steps = self._annotation, None if restored is None else restored.steps
        actions = self._journal.actions
        recorder = Recorder(file, annotation, actions, self._not_saved, steps=steps)
        self._journal.listen(None, lambda _: recorder.save())
        self._recorder, annotation.save, annotation.heard = recorder, recorder.save, recorder.heard
        annotation.saved = True
        return recorder

    @property
    def session(self) -> str | None:
        """The session's file, `None` if it is not saved."""
        return None if self._recorder is None else str(self._recorder.path)

    def save_adapter(
        self,
        path: str | pathlib.Path,
        *,
        object_id: int | None = None,
        format: str = "file",  # noqa: A002
    ) -> pathlib.Path:
        """Write what an object's adapter has learned to a safetensors file, for the next video of the kind.

        Args:
            path: the file; an existing one is replaced.
            object_id: whose adapter.
            format: "file", or "peft" for a new folder that `peft.PeftModel.from_pretrained` reads beside the decoder.

        Returns:
            Where it was written.

        Raises:
            ValueError: if it has learned nothing, or is no LoRA and `format` is "peft".

        Example:
            <!-- not run: there is no next video -->
            ```python
            w.save_adapter("hats.safetensors")
            LITWidget("next.mp4").load_adapter("hats.safetensors")
            ```
        """
        if format not in ("file", "peft"):
            raise AnnotationError(f"an adapter is saved with format='file' or format='peft', not {format!r}")
        owner = self._item(0, object_id).object
        adapter = self._annotation.learner.adapters.trained(owner)
        if adapter is None:
            raise AnnotationError(f"the adapter of object {owner} has learned nothing yet; correct a frame first")
        return save_peft(adapter, path) if format == "peft" else save_adapter(adapter.snapshot(), path)

    @action
    def load_adapter(self, path: str | pathlib.Path, *, object_id: int | None = None) -> None:
        """Begin with what `save_adapter` or peft wrote, in a widget of the same model and strategy.

        Args:
            path: the file, or the folder of peft.
            object_id: whose; the active object's by default.

        Raises:
            ValueError: if the file holds no adapter, or, when the work is done, none that fits.
        """
        owner, state = self._item(0, object_id).object, load_peft(path) if is_peft_folder(path) else load_adapter(path)
        self._submit("predict", lambda _: self._annotation.load_adapter(owner, state))
