"""A study and one participant's way through it, by buttons in a notebook or by methods."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import ipywidgets
import numpy as np

from lit_widget.core.strategy import Strategy, find_strategy
from lit_widget.video.frames import Frames, open_frames
from lit_widget.video.strategies import STRATEGIES
from lit_widget.widget.warm_up import warm_up

from .log import ENDING, ParticipantFile
from .planning import StudyError, Task, plan
from .recording import StudyWidget
from .screens import COLOUR, TaskScreen, TruthScreen, html, title_of
from .timing import LogEvent
from .truth import mean_iou, target_of


class Study:
    """A comparison of the frozen tracker and LIT by people, as in the paper's user study.

    Args:
        folder: for the participants' files; made if it is not there.
        videos: videos by name, each as `LITWidget` takes it.
        ground_truth: the target of every video by name: (T, H, W) of one object, or a file or folder of masks.
        participants: how many, or their identifiers (up to two capital letters and a number); an even number.
        practice: the video that is not counted; `None` for the first.
        design: "both" lets everyone annotate each video under both conditions, as in the paper, "one" under one.
        strategy: of the condition "lit"; the baseline is the frozen tracker, which proposes nothing.
        seed: of the order.
        **options: further arguments of `LITWidget`, the same for both conditions (model, tracker, update, …).

    Attributes:
        plan: every participant's tasks in their order, by identifier.

    Raises:
        ValueError: if the study cannot be balanced, or videos and truths do not belong together.

    Example:
        ```python
        study = Study("study", videos=videos, ground_truth=truths, participants=6)
        study.next("P01")
        ```
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        videos: Mapping[str, Any],
        ground_truth: Mapping[str, Any],
        participants: int | Iterable[str],
        practice: str | None = None,
        design: str = "both",
        strategy: str | Strategy = "lit-lora",
        seed: int = 0,
        **options: Any,
    ) -> None:
        if missing := sorted(set(videos) ^ set(ground_truth)):
            raise StudyError(f"videos and ground_truth have different names: {missing} is in one of them alone")
        if reserved := sorted({"session", "features"} & set(options)):
            raise StudyError(f"the study itself sets {reserved[0]}; leave it out")
        self.folder, self.design, self._options = Path(folder), design, options
        self._videos, self._truths = dict(videos), dict(ground_truth)
        self.plan = plan(list(videos), participants, practice=practice, design=design, seed=seed)
        self._strategies = {"baseline": STRATEGIES["original"], "lit": find_strategy(strategy, STRATEGIES)}
        self._sittings: dict[str, Sitting] = {}

    def sit(self, participant: str) -> Sitting:
        """A participant's way through the study, begun or gone on with where it was left.

        Args:
            participant: their identifier.

        Returns:
            The sitting that is open, else a new one.

        Raises:
            ValueError: if there is no such participant, their file is in use elsewhere, or the study was changed.
        """
        if participant not in self.plan:
            raise StudyError(f"there is no participant {participant!r}; there are {', '.join(self.plan)}")
        sitting = self._sittings.get(participant)
        if sitting is None or sitting.closed:
            self.folder.mkdir(parents=True, exist_ok=True)
            sitting = self._sittings[participant] = Sitting(self, participant)
        return sitting

    def next(self, participant: str) -> ipywidgets.VBox:
        """What a participant is to see in a notebook now: the target, the widget, or that it is over.

        Args:
            participant: their identifier.

        Returns:
            What the cell shows.
        """
        return self.sit(participant).next()

    def frames(self, video: str) -> Frames:
        """A video of the study, opened.

        Args:
            video: its name.

        Returns:
            Its frames, decoded when they are needed.
        """
        return open_frames(self._videos[video])

    def target(self, frames: Frames, video: str) -> np.ndarray:
        """What is to be masked in a video.

        Args:
            frames: of the video, as `frames` opened them.
            video: its name.

        Returns:
            (T, H, W) of bool.
        """
        return target_of(frames, self._truths[video], video)

    def widget(self, frames: Frames, task: Task, session: Path) -> StudyWidget:
        """The widget for a task, as it was left if it was begun.

        Args:
            frames: of the video.
            task: which video, under which condition.
            session: the session file; gone on with if it is there.

        Returns:
            The widget, with one object, the target.
        """
        options = {"strategy": self._strategies[task.condition], **self._options}
        if session.is_file():
            return StudyWidget.open(session, frames, **options)
        session.parent.mkdir(exist_ok=True)
        widget = StudyWidget(frames, session=session, **options)
        widget.edit_object(1, name="target", colour=COLOUR)
        return widget


_SITTINGS: WeakValueDictionary[Path, Sitting] = WeakValueDictionary()
"""Those of this process by the participant's file."""


class Sitting:
    """One participant's way through a study. The buttons that `next` shows do what the methods do.

    Everything that happens is in the participant's file at once, and the masks in a session file, so that a closed
    notebook or a killed kernel loses nothing but the time until the next start.

    Args:
        study: the study.
        participant: their identifier.

    Attributes:
        closed: whether it was broken off.
        widget: what the participant annotates with, `None` between videos.
    """

    def __init__(self, study: Study, participant: str) -> None:
        self._study, self._participant = study, participant
        place = (study.folder / f"{participant}{ENDING}").resolve()
        # A study that is made anew, as by running a notebook again, goes on in the place of the one before.
        if (before := _SITTINGS.get(place)) is not None and not before.closed:
            before.close()
        self._file = ParticipantFile(place, study.plan[participant], study.design)
        _SITTINGS[place] = self
        self._box = ipywidgets.VBox()
        self._opened: tuple[Task, Frames, np.ndarray] | None = None
        self.closed = False
        self.widget: StudyWidget | None = None

    @property
    def task(self) -> Task | None:
        """What is to be done now; `None` after the last task."""
        return self._file.task

    def next(self) -> ipywidgets.VBox:
        """What the participant is to see now."""
        task = self.task
        if task is None:
            self.close()
            self._box.children = [html("That was the last video. Thank you!")]
        elif self.widget is not None:
            # Between the last event and now nobody may have been there.
            self._log(task, LogEvent(time.time(), "opened"))
            self._box.children = [TaskScreen(self._title(task), task, self.widget, self.done)]
        else:
            frames, target = self._video(task)
            warm_up()  # while the target is watched, so that no task is longer by it
            self._box.children = [TruthScreen(self._title(task), frames, target, self.begin)]
        return self._box

    def begin(self) -> None:
        """The participant has seen the target and annotates now; `widget` is what they annotate with.

        Raises:
            ValueError: if the video was begun already.
        """
        task = self._now()
        if self.widget is not None:
            raise StudyError("this video was begun; done() ends it")
        frames, _ = self._video(task)
        session = self._study.folder / self._participant / f"{task.number:02d}-{task.condition}.lit"
        self.widget = widget = self._study.widget(frames, task, session)

        widget.listen(functools.partial(self._log, task))
        self.next()

    def done(self) -> None:
        """The participant has masked the target as well as they could; go on to the next video.

        Raises:
            ValueError: if nothing was tracked, or a correction was not confirmed.
        """
        task, widget = self._now(), self.widget
        if widget is None:
            raise StudyError("this video was not begun; begin() does that")
        at = time.time()
        widget.interrupt()
        widget.wait()
        if left := widget.unconfirmed:
            raise StudyError(f"the correction on frame {left[0]} was not confirmed; press Enter there, or take it back")
        masks, (_, target) = widget.masks(), self._video(task)
        if not masks.any():
            raise StudyError("nothing was masked yet; click the target and press T")
        self._file.add(task, LogEvent(at, "done"))
        self._file.finish(task, mean_iou(masks, target))
        self._let_go()
        self.next()

    def close(self) -> None:
        """Break off; `Study.sit` goes on with it later."""
        self._let_go()
        self._file.close()
        self.closed = True

    # --- Inside -------------------------------------------------------------------------------

    def _log(self, task: Task, event: LogEvent) -> None:
        try:
            self._file.add(task, event)
        except StudyError as error:
            if self.widget is not None:
                self.widget.show_error(f"Not logged yet: {error}.")

    def _now(self) -> Task:
        if self.task is None:
            raise StudyError(f"{self._participant} has done every video")
        return self.task

    def _title(self, task: Task) -> str:
        return title_of(task, len(self._file.tasks))

    def _video(self, task: Task) -> tuple[Frames, np.ndarray]:
        """Frames and target of a task, opened once."""
        if self._opened is None or self._opened[0] != task:
            frames = self._study.frames(task.video)
            self._opened = task, frames, self._study.target(frames, task.video)
        return self._opened[1:]

    def _let_go(self) -> None:
        """Close the widget, and with it the video."""
        if self.widget is not None:
            self.widget.close()
        self.widget = self._opened = None
