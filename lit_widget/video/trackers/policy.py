"""What trackers over SAM 2 decide: which mask to choose, what to remember, what to recall.

A tracker has no state of its own. Whatever it needs from the past stands in the notes of earlier records, so that
undo, corrections and several objects need nothing from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from lit_widget.video.memory import FrameRecord, FrameStatus, MaskOutput, Note, Recall
from lit_widget.video.sam2 import Candidates

RECENT = 6
"""Recent frames whose memory features SAM 2 attends to, beside permanent ones."""

POINTERS = 16
"""Frames whose object pointers SAM 2 attends to, the present one included."""


class TrackerError(ValueError):
    """A tracker that does not exist, or something asked of it that it cannot do."""


@dataclass(frozen=True)
class TrackerInfo:
    """What users should know of a tracker; its text is one line.

    Attributes:
        name: what users write.
        help: one line.
        several_objects: whether it follows more than one object of a video.
        reverse: whether it tracks towards earlier frames.
    """

    name: str
    help: str
    several_objects: bool
    reverse: bool

    def __str__(self) -> str:
        objects = "several objects" if self.several_objects else "one object"
        return f"{self.help} ({objects}, {'both directions' if self.reverse else 'forward only'})"


@dataclass(frozen=True)
class Moment:
    """One object on one frame of a video, as a tracker comes to it.

    Attributes:
        records: what is settled of the object, by frame.
        frame: where it is.
        n_frames: length of the video.
        video_size: (height, width) of the video in pixels.
        input_size: side of the model's square input in pixels.
        model: name of the model.
        reverse: whether it is being tracked backwards.
    """

    records: Mapping[int, FrameRecord]
    frame: int
    n_frames: int
    video_size: tuple[int, int]
    input_size: int
    model: str
    reverse: bool = False

    @property
    def origin(self) -> int:
        """The frame on which the object starts, the present one while it has not."""
        return min((at for at, record in self.records.items() if record.conditioning), default=self.frame)

    def at(self, age: int) -> int:
        """The frame that was passed `age` frames ago.

        Args:
            age: frames ago, in the direction of tracking.

        Returns:
            Its number, which may lie outside the video.
        """
        return self.frame + age if self.reverse else self.frame - age

    def ahead(self, frame: int) -> bool:
        """Whether a frame has not been reached yet.

        Args:
            frame: its number.

        Returns:
            True for what tracking will come to.
        """
        return frame < self.frame if self.reverse else frame > self.frame

    def past(self, ages: range) -> Iterator[tuple[int, FrameRecord]]:
        """The frames passed so long ago that have a record.

        Args:
            ages: how many frames ago.

        Returns:
            Numbers and records, in the order of `ages`.
        """
        for age in ages:
            if (at := self.at(age)) in self.records:
                yield at, self.records[at]


@dataclass(frozen=True)
class Tracker:
    """SAM 2's own tracker (Ravi et al., 2024, arXiv 2408.00714); inherit it to change some of its decisions.

    Attributes:
        name: what users write.
        help: one line.
        several_objects: whether it follows more than one object of a video.
        reverse: whether it tracks towards earlier frames.
        visible_above: object score above which the object counts as visible.
        most_points: up to so many points, a box counting for two, the best of three masks is taken.
        clicked_is_permanent: whether a frame corrected by clicks becomes permanent memory, as a painted one does.
    """

    name: ClassVar[str] = "sam2"
    help: ClassVar[str] = "SAM 2's own: the best mask by estimated IoU, the six frames before"
    several_objects: ClassVar[bool] = True
    reverse: ClassVar[bool] = True
    visible_above: ClassVar[float] = 0.0
    most_points: ClassVar[int] = 1
    clicked_is_permanent: ClassVar[bool] = False

    @property
    def info(self) -> TrackerInfo:
        """What users should know of it."""
        return TrackerInfo(self.name, self.help, self.several_objects, self.reverse)

    def choose(self, candidates: Candidates, moment: Moment) -> tuple[int, Note | None]:
        """Which mask of a tracked frame to take, and what to note with it.

        Args:
            candidates: the decoder's masks, with estimated IoUs.
            moment: the object and frame.

        Returns:
            The place among the candidates, and a note or `None`.
        """
        return candidates.best, None

    def note(self, output: MaskOutput, status: FrameStatus, moment: Moment) -> Note | None:
        """What to note with a mask as it is settled; `output.note` is what `choose` noted, if it was asked.

        Args:
            output: the mask.
            status: how it came about.
            moment: the object and frame.

        Returns:
            The note or `None`.
        """
        return output.note

    def recall(self, moment: Moment) -> Recall:
        """What memory attention is to see.

        Args:
            moment: the object and frame.

        Returns:
            Records to attend to: permanent ones, recent ones, and object pointers.
        """
        permanent = self._permanent(moment)
        if not permanent:
            return Recall()
        reach = max(1, self._pointer_frames(moment) - 1)
        own = [(at, each) for at, each in permanent.items() if not moment.ahead(at)]
        recent = [
            (at, each)
            for at, each in moment.past(range(1, reach + 1))
            if at not in permanent and self._shows_object(each)
        ]
        pointers = tuple((abs(at - moment.frame), each) for at, each in own + recent)
        return Recall(tuple(permanent.values()), tuple(self._recent(moment, permanent)), pointers, reach)

    def _permanent(self, moment: Moment) -> dict[int, FrameRecord]:
        """Records to attend to whatever their age, in the order in which attention reads them."""
        return {at: each for at, each in sorted(moment.records.items()) if each.conditioning}

    def _recent(self, moment: Moment, permanent: Mapping[int, FrameRecord]) -> list[FrameRecord | None]:
        """Records to attend to with an age, the newest first."""
        frames = (moment.at(age) for age in range(1, RECENT + 1))
        return [None if at in permanent else moment.records.get(at) for at in frames]

    def _shows_object(self, record: FrameRecord) -> bool:
        """Whether the object pointer of a recent record is worth reading."""
        return True

    def _pointer_frames(self, moment: Moment) -> int:
        """Frames whose object pointers can be seen, the present one included."""
        return min(moment.n_frames, POINTERS)
