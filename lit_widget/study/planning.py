"""Who annotates which video how, and in which order: randomised from a seed, and balanced exactly."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Condition = Literal["baseline", "lit"]
CONDITIONS: tuple[Condition, Condition] = get_args(Condition)

DESIGNS = ("both", "one")
"""Whether a participant annotates each video under both conditions or under one of them."""

MOST_PARTICIPANTS = 9998

_IDENTIFIER = re.compile(r"[A-Z]{0,2}[0-9]{1,4}")


class StudyError(ValueError):
    """A study that cannot be planned, gone on with or summed up; the sentence says why and what to do."""


@dataclass(frozen=True)
class Task:
    """One video under one condition.

    Attributes:
        number: its place in the participant's order, from 1.
        video: name of the video.
        condition: "baseline", in which nothing is proposed, or "lit".
        counted: whether it counts; practice does not.
    """

    number: int
    video: str
    condition: Condition
    counted: bool


def identifiers(participants: int | Iterable[str]) -> tuple[str, ...]:
    """Identifiers of the participants: P01, P02, … for a number of them, else those given.

    Raises:
        StudyError: if one could be a name or address, two are the same, or their number is odd.
    """
    if isinstance(participants, int):
        given = [f"P{number:02d}" for number in range(1, min(participants, MOST_PARTICIPANTS) + 1)]
    else:
        given = [check_identifier(each) for each in participants]
    if not given or len(given) % 2:
        raise StudyError(
            f"{len(given)} participants cannot be balanced; plan for an even number, of 2 to {MOST_PARTICIPANTS}"
        )
    if len(set(given)) < len(given):
        raise StudyError("two participants have the same identifier; give each its own")
    return tuple(given)


def check_identifier(given: object) -> str:
    """An identifier that says nothing of a person.

    Raises:
        StudyError: if it is not up to two capital letters and a number.
    """
    if not isinstance(given, str) or not _IDENTIFIER.fullmatch(given):
        raise StudyError(
            "a participant is known by up to two capital letters and a number, like P07, so that no name or address "
            "gets into a file; keep the list of who is who elsewhere, if you need one"
        )
    return given


def plan(
    videos: Sequence[str],
    participants: int | Iterable[str],
    *,
    practice: str | None = None,
    design: str = "both",
    seed: int = 0,
) -> dict[str, tuple[Task, ...]]:
    """The tasks of every participant, the same for the same seed.

    Participants go in pairs that see the videos in the same random order, and wherever one of them has the baseline,
    the other has LIT. So every video, and every place in the order, has both conditions (in the design "both": each
    of them first) for exactly half of the participants. Practice comes first, under both conditions.

    Args:
        videos: names.
        participants: how many, or their identifiers; an even number.
        practice: the video that is not counted; `None` for the first.
        design: "both" lets everyone annotate each video twice, as in the paper, "one" once.
        seed: of all orders.

    Returns:
        Tasks in their order, by identifier.

    Raises:
        StudyError: if this cannot be balanced, or a name is wrong.
    """
    people = identifiers(participants)
    trial = "".join(videos[:1]) if practice is None else practice
    counted = [name for name in videos if name != trial]
    if len(set(videos)) < len(videos) or trial not in videos or not counted:
        raise StudyError(f"a study takes two videos or more, of which one is for practice; got {list(videos)}")
    if design not in DESIGNS:
        raise StudyError(f"the design {design!r} is unknown; it is 'both' or 'one'")
    draw, tasks = random.Random(seed), dict[str, tuple[Task, ...]]()
    for one, other in zip(people[::2], people[1::2], strict=True):
        order = draw.sample(counted, len(counted))
        baseline_first = draw.sample([index % 2 == 0 for index in range(len(order))], len(order))
        if draw.random() < 0.5:
            baseline_first = [not each for each in baseline_first]
        tasks[one] = _tasks([trial, *order], [True, *baseline_first], design)
        tasks[other] = _tasks([trial, *order], [False, *(not each for each in baseline_first)], design)
    return tasks


def _tasks(order: list[str], baseline_first: list[bool], design: str) -> tuple[Task, ...]:
    """Tasks in order; the first video is for practice."""
    places = []
    for index, (video, first) in enumerate(zip(order, baseline_first, strict=True)):
        conditions = CONDITIONS if first else CONDITIONS[::-1]
        counted = index > 0
        chosen = conditions[:1] if counted and design == "one" else conditions
        places += [(video, condition, counted) for condition in chosen]
    return tuple(Task(number, *place) for number, place in enumerate(places, start=1))
