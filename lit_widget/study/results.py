"""What came out of a study: tables and the paper's figure from a folder of participants' files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field, fields, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lit_widget.simulation.metrics.intervals import Interval, reduction_interval

from .log import ParticipantFile, StudyInUseError, participant_files
from .planning import CONDITIONS, StudyError
from .timing import ErrorTime, error_times, seconds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTS = {"pausing_s": "pausing", "locating_s": "locating", "correcting_s": "correcting"}
"""Stretches of the time of an error, as they are called."""

PER_TASK = ("corrections", "accepted", "total_s", "j_mean")


@dataclass(frozen=True)
class TaskResult:
    """How one counted task went.

    Attributes:
        participant: identifier.
        video: name.
        condition: "baseline" or "lit".
        place: in the participant's order, from 1.
        corrections: errors that were corrected.
        accepted: errors whose proposal was accepted.
        total_s: seconds from the first look at the widget to the end, interruptions left out.
        j_mean: IoU of the masks with the target, mean over frames.
    """

    participant: str
    video: str
    condition: str
    place: int
    corrections: int
    accepted: int
    total_s: float
    j_mean: float


@dataclass(frozen=True, repr=False)
class StudySummary:
    """A study's results; those of participants who finished.

    Attributes:
        tasks: one row per counted task, with the fields of `TaskResult`.
        errors: one row per error in them: participant, video, condition, and the fields of `ErrorTime`.
        unfinished: identifiers of participants who have not finished and are not counted.
    """

    tasks: pd.DataFrame
    errors: pd.DataFrame
    unfinished: tuple[str, ...] = field(default=())

    @property
    def table(self) -> pd.DataFrame:
        """Means by condition: per task corrections, accepted proposals, seconds and J, per error its seconds."""
        rows = []
        for condition in CONDITIONS:
            tasks = self.tasks[self.tasks["condition"] == condition]
            errors = self.errors[self.errors["condition"] == condition]
            means = {column: float(np.mean(tasks[column])) for column in PER_TASK}
            parts = {part: float(np.mean(errors[part])) if len(errors) else np.nan for part in PARTS}
            rows.append({"condition": condition, "tasks": len(tasks), **means, **parts})
        return pd.DataFrame(rows).set_index("condition")

    @property
    def participants(self) -> list[str]:
        """Who is counted."""
        return sorted(set(self.tasks["participant"]))

    def reduction(self, column: str) -> Interval:
        """By how many per cent LIT needed less of a column of `tasks`, with a 95 % interval over participants.

        Args:
            column: its name.

        Returns:
            The reduction in per cent.
        """
        means = self.per_participant(column)
        return reduction_interval(means["baseline"], means["lit"])

    def per_participant(self, column: str) -> pd.DataFrame:
        """Mean of a column of `tasks`, a row per participant, a column per condition.

        Args:
            column: its name.

        Returns:
            The table.
        """
        table = self.tasks.pivot_table(index="participant", columns="condition", values=column)
        return table.reindex(columns=list(CONDITIONS))

    def plot(self) -> Figure:
        """Corrections and minutes per video with each participant, and where the time of an error went."""
        from .figure import study_figure

        return study_figure(self)

    def save(self, folder: str | os.PathLike) -> Path:
        """Write summary.csv, tasks.csv, errors.csv and figure.png to a folder, which is made if it is not there.

        Args:
            folder: where.

        Returns:
            The folder.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        self.table.to_csv(target / "summary.csv")
        self.tasks.to_csv(target / "tasks.csv", index=False)
        self.errors.to_csv(target / "errors.csv", index=False)
        self.plot().savefig(target / "figure.png", dpi=130)
        return target

    @property
    def caption(self) -> str:
        """The reductions in words, and who is counted."""
        people = self.participants
        corrections, time = _saved(self.reduction("corrections")), _saved(self.reduction("total_s"))
        saved = (
            f"LIT saved {corrections} of the corrections and"
            if corrections
            else "The baseline has no corrections to compare with; LIT saved"
        )
        text = (
            f"Means over {len(people)} participant{'s' if len(people) > 1 else ''}. {saved} "
            f"{time} of the time (95 % bootstrap interval over participants; a minus means more). "
            "Seconds of pausing, locating and correcting are per error, the others per video."
        )
        return text + (f" Not finished, not counted: {', '.join(self.unfinished)}." if self.unfinished else "")

    def __repr__(self) -> str:
        return f"{self.table.to_string(float_format='%.2f', na_rep='–')}\n{self.caption}"

    def _repr_html_(self) -> str:
        table = self.table.to_html(float_format="%.2f", na_rep="–", border=0)
        return f"<div>{table}<p>{escape(self.caption)}</p></div>"


def summary(folder: str | os.PathLike) -> StudySummary:
    """Sum up the files of a study.

    Args:
        folder: of the study; every participant's file in it is read.

    Returns:
        What those who finished did.

    Raises:
        StudyError: if there are no files, one is damaged or a copy of another, or nobody has finished.

    Example:
        <!-- not run: nobody has finished -->
        ```python
        result = summary("study")
        result.reduction("corrections")
        ```
    """
    tasks, errors, unfinished = list[dict](), list[dict](), list[str]()
    known: dict[tuple[TaskResult, ...], Path] = {}
    for path in participant_files(folder):
        try:
            opened = ParticipantFile(path)
        except StudyInUseError:
            unfinished.append(f"{path.stem} (open)")
            continue
        with closing(opened) as file:
            if file.task is not None:
                unfinished.append(file.participant)
                continue
            try:
                results = list(_results(file))
            except (ValueError, OverflowError):
                raise StudyError(f"{path} is damaged: it holds times that are no numbers; take it out") from None
            same = known.setdefault(tuple(replace(result, participant="") for result, _ in results), path)
            if results and same != path:
                raise StudyError(f"{path} is a copy of {same}, to the millisecond; take one of them out")
            for result, own in results:
                tasks.append(asdict(result))
                where: dict[str, Any] = {key: getattr(result, key) for key in ("participant", "video", "condition")}
                errors += [{**where, **asdict(each)} for each in own]
    if not tasks:
        raise StudyError(f"nobody in {folder} has finished yet ({', '.join(unfinished)}); sum up later")
    columns = ["participant", "video", "condition", *(each.name for each in fields(ErrorTime))]
    return StudySummary(pd.DataFrame(tasks), pd.DataFrame(errors, columns=columns), tuple(unfinished))


def _results(file: ParticipantFile) -> Iterator[tuple[TaskResult, list[ErrorTime]]]:
    for task in (each for each in file.tasks if each.counted):
        events = file.events(task)
        kinds = [event.kind for event in events]
        yield (
            TaskResult(
                file.participant,
                task.video,
                task.condition,
                task.number,
                kinds.count("correct"),
                kinds.count("accept"),
                seconds(events),
                file.iou[task.number],
            ),
            error_times(events),
        )


def _saved(interval: Interval) -> str:
    if not np.isfinite(interval.estimate):
        return ""
    return f"{interval.estimate:.0f} % [{interval.low:.0f}, {interval.high:.0f}]"
