"""The widget: a video in a notebook cell, annotated by mouse or by method, learning while it is corrected."""

from __future__ import annotations

import pathlib
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import traitlets

from lit_widget.core.heap import give_back_freed_memory
from lit_widget.core.strategy import Strategy, find_strategy
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.feature_cache import FeatureCache
from lit_widget.video.frames import open_frames
from lit_widget.video.models import load_model
from lit_widget.video.overlay import overlay
from lit_widget.video.rate import at_rate
from lit_widget.video.sam2 import Sam2
from lit_widget.video.strategies import STRATEGIES, learner_for
from lit_widget.video.trackers import Tracker, find_tracker

from .activity import Activity
from .annotation import Annotation
from .answers import Answers
from .codec import PREVIEW_WIDTH, encode_jpeg
from .dispatch import Buffer, dispatch
from .export import Export
from .journal import Journal, action, by, doing
from .journal_methods import Logged
from .limits import AnnotationError, memory_bytes, whole_number
from .look_ahead import LookAhead
from .messages import MessageError, decode
from .object_methods import ObjectMethods
from .outbox import Outbox
from .prompt_methods import PromptMethods
from .readings import Readings
from .saving import Saving
from .store import shown
from .to_view import Error, JobKind
from .warm_up import warm_up
from .watching import Watching, stop
from .worker import Job, Worker
from .working import WorkingWidget, best_transport

if TYPE_CHECKING:
    from peft import PeftConfig

    from lit_widget.core.update import UpdateConfig
    from lit_widget.simulation.runner import SimulationResult
    from lit_widget.video.quirks import Quirks

_STATIC = pathlib.Path(__file__).parent / "static"


class LITWidget(PromptMethods, ObjectMethods, Export, Readings, Logged, Saving, WorkingWidget):
    """Annotate a video with SAM 2 and an adapter that learns from every correction.

    Every action of the mouse has a method with the same effect. Methods return at once and work is done in
    the background; `wait` blocks until it is done. Nothing needs a front end.

    Args:
        video: a video file, a folder of images, a list of images, a uint8 array (T, H, W, 3), or open frames.
        fps: frames per second to annotate, for videos in which neighbouring frames are much alike; others are left out.
        model: a name from `lit_widget.models()`, or a loaded model.
        strategy: a name from `lit_widget.strategies()`, or a strategy of your own.
        tracker: a name from `lit_widget.trackers()`, or a tracker.
        weights: a local checkpoint to use instead of the model's own.
        update: how a correction is learned; the model's own rate and threads where it gives none.
        peft_config: another method of peft in the place of the paper's LoRA.
        quirks: deviations of the authors' code from the method as published, none by default.
        quality: how sure masks are, in the strip under the time line: "predicted" by the model, or "learned" from
            corrections, which makes tracking half as slow again.
        seed: of the adapters' initial weights and dropout.
        session: a new file that everything is written to as it happens; `LITWidget.open` goes on with it later.
        view_height: height of the picture in CSS pixels.
        features: encoded frames to share with other widgets of the same model and video.
        memory_mb: megabytes of encoded frames and masks to keep in memory, 128 by default and 1,024 on a GPU; the rest
            is moved to a temporary file. Shared `features` bring their own.

    Raises:
        ValueError: if the video, model, tracker, checkpoint or strategy cannot be used; the sentence says why.

    Example:
        ```python
        w = LITWidget("clip.mp4")
        w.click(frame=0, x=120, y=80)
        w.track()
        w.wait()
        masks = w.masks()  # (T, H, W)
        ```
    """

    _esm = _STATIC / "widget.js"
    _css = _STATIC / "widget.css"

    frame_index = traitlets.Int(0, help="The frame that the view shows.").tag(sync=True)

    def __init__(
        self,
        video: Any,
        *,
        fps: float | None = None,
        model: str | Sam2 = "pocket",
        strategy: str | Strategy = "lit-lora",
        tracker: str | Tracker = "sam2",
        weights: str | pathlib.Path | None = None,
        update: UpdateConfig | None = None,
        peft_config: PeftConfig | None = None,
        quirks: Quirks | None = None,
        quality: str = "predicted",
        seed: int = 123,
        session: str | pathlib.Path | None = None,
        view_height: int = 420,
        features: FeatureCache | None = None,
        memory_mb: int | None = None,
    ) -> None:
        given = {"model": model, "strategy": strategy, "tracker": tracker, "weights": weights, "update": update}
        given |= {"peft_config": peft_config, "quirks": quirks, "quality": quality, "seed": seed}
        self._making = {"video": video, "fps": fps, **given}
        self._journal = Journal()
        chosen, follower = find_strategy(strategy, STRATEGIES), find_tracker(tracker)
        frames = at_rate(open_frames(video), fps)
        loaded = load_model(model, weights=weights) if isinstance(model, str) else model
        learner = learner_for(
            chosen,
            loaded,
            frames,
            update=update,
            peft_config=peft_config,
            quirks=quirks,
            seed=seed,
            tracker=follower,
            features=features,
            memory=memory_bytes(memory_mb),
        )
        transport = best_transport()
        super().__init__(transport=transport, view_height=view_height)
        self._outbox = Outbox(self.send, lambda: self._annotation.state, lambda: self.transport == "poll")
        self._annotation = Annotation(learner, chosen, self._outbox.post, quality=quality)
        self._owns_features = features is None
        self._errors: list[Exception] = []
        look_ahead = LookAhead(learner, lambda: self.frame_index if self._answers.looked_at else None)
        self._model_worker = Worker("model", self._failed, look_ahead)
        self._pixel_worker = Worker("pixels", self._failed)
        self._answers = Answers(self._annotation, self._outbox, self._pixel_worker, self._model_worker)
        if session is not None:
            self._begin(session, video, quality, seed)
        self.on_msg(self._receive)
        self._pixel_worker.submit(lambda _: self._refresh_preview())

    # --- Annotating ---------------------------------------------------------------------------

    @action
    def track(self, start: int | None = None, *, stop: int | None = None, reverse: bool = False) -> None:
        """Follow all objects through the video, first learning what is pending.

        Args:
            start: the frame to begin at; the one shown by default.
            stop: the last frame; by default the end of the range or video.
            reverse: whether to go towards earlier frames.

        Raises:
            ValueError: if the tracker goes forward only; from `wait`, if nothing was prompted.
        """
        if reverse:
            self._annotation.learner.require_reverse()
        first = self.frame_index if start is None else start
        self._submit("track", lambda now: self._annotation.track(now, first, reverse=reverse, stop=stop))

    @action
    def set_range(self, first: int | None = None, last: int | None = None) -> None:
        """Limit tracking to a part of the video; without arguments it is free again.

        Args:
            first: the first frame that it may reach; 0 by default.
            last: the last one; the end of the video by default.

        Raises:
            ValueError: if there are no such frames, or `last` comes before `first`.
        """
        self._annotation.set_range(first, last)

    @action
    def learn(self, frame: int, *, object_id: int | None = None) -> None:
        """Finish the correction on a frame, and those standing on others: train the adapter, then track on from it.

        Args:
            frame: which, from 0.
            object_id: whose; the active object's by default.

        Raises:
            ValueError: if there is no such frame or object; from `wait`, if no correction stands there.
        """
        item = self._item(frame, object_id)
        self._submit("learn", lambda now: self._annotation.learn(now, item))

    @action
    def flag(self, frame: int, *, object_id: int | None = None) -> None:
        """Mark the mask of a frame as wrong and ask for a proposal; see `proposal`.

        Args:
            frame: which, from 0.
            object_id: whose; the active object's by default.

        Raises:
            ValueError: if there is no such frame or object; from `wait`, if it has no mask there.
        """
        item = self._item(frame, object_id)
        self._submit("propose", lambda now: self._annotation.flag(now, item))

    @action
    def accept(self, candidate: int = 0) -> None:
        """Take the open proposal and track on from it.

        Args:
            candidate: which, from 0, where several adapters propose.

        Raises:
            ValueError: from `wait`, if no proposal is open, or there is no such candidate.
        """
        self._submit("track", lambda now: self._annotation.accept(now, candidate))

    @action
    def reject(self) -> None:
        """Dismiss the open proposal."""
        self._submit("predict", lambda _: self._annotation.reject())

    @action
    def undo(self) -> None:
        """Take back the last step, weights included: a prompt, a correction, an accepted proposal, a deleted object."""
        self._submit("predict", self._annotation.undo)

    @action
    def redo(self) -> None:
        """Take the last undo back, weights included."""
        self._submit("predict", self._annotation.redo)

    @action
    def forget(self, frame: int, *, object_id: int | None = None) -> None:
        """Rebuild the adapter as if the correction on this frame had never been learned; its mask stays.

        Args:
            frame: which, from 0.
            object_id: whose; the active object's by default.

        Raises:
            ValueError: if there is no such frame or object; from `wait`, if nothing was learned from it.
        """
        item = self._item(frame, object_id)
        self._submit("learn", lambda now: self._annotation.forget(now, item))

    @action
    def set_learning(self, on: bool) -> None:
        """Learn from corrections and propose, or, with `False`, do neither; what was learned is kept.

        Args:
            on: whether to learn and propose.
        """
        self._annotation.set_learning(on)

    def cancel(self) -> None:
        """Stop the running work after the frame or step in hand and drop what waits behind it; what is done stays."""
        self._model_worker.cancel()

    def interrupt(self) -> None:
        """Stop tracking, and let what waits not track either; what is to be learned is learned."""
        self._model_worker.interrupt()

    # --- Evaluating and ending ----------------------------------------------------------------

    def run_simulation(self, ground_truth: Any = None, *, watch: bool = False, **options: Any) -> SimulationResult:
        """Annotate this video with a simulated user and compare strategies (paper section 4).

        Args:
            ground_truth: (T, H, W) object ids or bool, a dictionary of such bool arrays by object; without it
                what `load_masks` read, else the masks that were prompted, corrected or accepted here, stand for the
                truth of their frames.
            watch: show the simulated user at work here; its masks stay, and one undo brings yours back.
            **options: as in `lit_widget.run_simulation`.

        Returns:
            What it took with each strategy.

        Raises:
            ValueError: if the ground truth does not fit the video, or nothing was annotated.

        Example:
            ```python
            result = w.run_simulation(w.masks(), strategies=["original"])
            result.summary
            ```
        """
        from .ground_truth import simulate

        if not watch:
            return simulate(self._annotation, ground_truth, options, self._truth)
        results: list[SimulationResult] = []

        def work(now: Activity) -> None:
            watched = {"on_frame": Watching(self._annotation, now), "progress": False, **options}
            results.append(simulate(self._annotation, ground_truth, watched, self._truth))

        self._submit("track", work)
        try:
            self.wait()
        except KeyboardInterrupt:
            self.cancel()
            self.wait()
        if not results:
            # It was cancelled while it waited; stopped at its first frame it tells as much.
            nothing = {"on_frame": stop, "progress": False, **options}
            results.append(simulate(self._annotation, ground_truth, nothing, self._truth))
        return results[0]

    def close(self) -> None:
        """Stop all work and free the video; a warning names methods whose work had not begun."""
        actions = self._journal.actions if hasattr(self, "_journal") else []
        waiting = [each for each in actions if (each.outcome, each.by) == ("waiting", "method")]
        for name in ("_model_worker", "_pixel_worker"):
            worker = getattr(self, name, None)
            if worker is not None:
                worker.close()
        try:
            if self._recorder is not None:
                self._recorder.close()
        finally:
            if hasattr(self, "_annotation"):
                self.frames.close()
                if self._owns_features:
                    self._annotation.learner.features.clear()
                self._annotation.learner.shelf.clear_memory()
            super().close()
            give_back_freed_memory()
            if names := ", ".join(each.name for each in waiting if each.outcome == "dropped"):
                warnings.warn(f"closed before this had begun: {names}; `wait()` before `close()`", stacklevel=2)

    @traitlets.validate("frame_index")
    def _within_the_video(self, proposal: Any) -> int:
        if not 0 <= proposal["value"] < len(self.frames):
            raise traitlets.TraitError(f"there is no frame {proposal['value']}; expected 0 to {len(self.frames) - 1}")
        return proposal["value"]

    # --- Inside -------------------------------------------------------------------------------

    def _item(self, frame: int, object_id: int | None) -> VideoItem:
        item = VideoItem(whole_number(frame), self._annotation.active if object_id is None else int(object_id))
        self._annotation.check(item)
        return item

    def _submit(
        self, kind: JobKind, work: Callable[[Activity], None], dropped: Callable[[], None] = lambda: None
    ) -> None:
        asked, entry = by.get(), doing()
        warm_up()

        def run(job: Job) -> None:
            current = Activity(job, kind, self._outbox.post)
            if entry is not None and entry.name in ("accept", "reject") and (opened := self._annotation.proposal):
                entry.frame, entry.object_id = opened.item
            try:
                with self._journal.followed(entry, current), current.announced():
                    work(current)
            except Exception as error:
                if asked == "method":
                    self._errors.append(error)
                raise
            if kind == "track":
                give_back_freed_memory()
            self._pixel_worker.submit(lambda _: self._refresh_preview())

        def drop() -> None:
            if entry:
                self._journal.end(entry, "dropped")
            dropped()

        self._model_worker.submit(run, drop)

    def _meant(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """What a method was given, with what it left to the widget."""
        left = {"object_id": self._annotation.active, "start": self.frame_index}
        return {name: left.get(name) if value is None else value for name, value in arguments.items()}

    @traitlets.observe("frame_index")
    def _looks_elsewhere(self, _: object) -> None:
        if self._answers.looked_at:
            self._model_worker.nudge()

    def _receive(self, _: object, content: object, buffers: Sequence[Buffer]) -> None:
        """Handle a message from a view; runs on whichever thread the kernel chose, so it only enqueues."""
        token = by.set("view")
        try:
            dispatch(self, self._answers, decode(content), buffers)
        except (MessageError, AnnotationError, RuntimeError) as error:
            self._outbox.post(Error(str(error)))
        finally:
            by.reset(token)

    def _refresh_preview(self) -> None:
        frame, masks = self.frame_index, []
        for object_id, thing in self._annotation.objects.things.items():
            mask = None if thing.hidden else self._annotation.mask_of(VideoItem(frame, object_id))
            if mask is not None:
                masks.append((thing.colour, mask))
        self.preview = encode_jpeg(overlay(shown(self.frames, frame), masks), max_width=PREVIEW_WIDTH)
