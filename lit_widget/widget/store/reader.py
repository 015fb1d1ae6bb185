"""Reading a session back: everything is checked before it is believed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lit_widget.core.types import AdapterState, UpdateReport
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.memory import MemoryBank
from lit_widget.video.sam2 import Points
from lit_widget.widget.codec import decode_mask
from lit_widget.widget.journal import Action
from lit_widget.widget.messages import MessageError
from lit_widget.widget.objects import Objects
from lit_widget.widget.pending import Pending

from .actions import read_actions
from .beside import objects_of, range_of
from .file import SessionFile, SessionFileError
from .read_steps import read_steps
from .rows import MOST_SLOTS, adapter_of, pending_of, record_of
from .statements import STATEMENTS
from .steps import Step
from .stored import StoredRecord
from .tables import COLUMNS
from .values import from_json, number, unpack_points, whole

if TYPE_CHECKING:
    from lit_widget.video.learner import VideoLearner
    from lit_widget.widget.annotation import Annotation

Standing = tuple[VideoItem, Points, bytes | None]
"""Prompts of a correction, and the mask that was painted before them."""

MOST_FRAMES, MOST_PIXELS = 10_000_000, 2**28
"""Of a video that a file may claim."""


@dataclass(frozen=True)
class Stored:
    """What a file says of a session beside its masks.

    Attributes:
        name: of the video.
        path: where the video was, `None` for an array or a list.
        n_frames: of the video.
        size: (height, width) of the video.
        fps: frames per second.
        digest: of the first frame's pixels.
        model: name of the model.
        strategy: name of the strategy.
        tracker: name of the tracker.
        quality: of the confidence strip.
        seed: of the adapters.
        begun: seconds since 1970.
        making: arguments of the widget, as JSON; `None` in a session that a version without a journal of actions began.
    """

    name: str
    path: str | None
    n_frames: int
    size: tuple[int, int]
    fps: float
    digest: str
    model: str
    strategy: str
    tracker: str
    quality: str
    seed: int
    begun: float
    making: str | None


def read(file: SessionFile) -> Stored:
    """What a session is about.

    Raises:
        SessionFileError: if the file is damaged.
    """
    meta = {key: value for key, value in file.rows("SELECT key, value FROM meta") if isinstance(key, str)}
    video = from_json(meta.get("video"), dict)
    texts = {key: from_json(meta.get(key), str) for key in ("model", "strategy", "tracker", "quality")}
    seed = from_json(meta.get("seed"), int)
    height, width, n_frames = (whole(video.get(key)) for key in ("height", "width", "n_frames"))
    fps, path = video.get("fps"), video.get("path")
    fine = 0 < n_frames <= MOST_FRAMES and height > 0 and width > 0 and height * width <= MOST_PIXELS
    if not (fine and number(fps) and fps > 0 and (path is None or isinstance(path, str))):
        raise SessionFileError(f"{file.path} says of its video what no video has; it is damaged")
    name, digest = str(video.get("name", "")), str(video.get("digest", ""))
    begun = from_json(meta.get("begun", "0.0"), float)
    about = {"seed": seed, "begun": begun if math.isfinite(begun) else 0.0, "making": meta.get("making")}
    return Stored(name, path, n_frames, (height, width), float(fps), digest, **about, **texts)


@dataclass(frozen=True)
class Restored:
    """What comes back beside the annotation itself.

    Attributes:
        steps: of undo and redo, for whoever goes on writing the file.
        standing: corrections that a file of version 1 has the prompts of and not the masks.
        actions: what was done.
        complete: whether that is all.
    """

    steps: list[Step]
    standing: list[Standing]
    actions: list[Action]
    complete: bool


def restore(file: SessionFile, annotation: Annotation) -> Restored:
    """Bring an annotation of the same video to what the file holds.

    Raises:
        SessionFileError: if the file is damaged, or was written with another model or strategy.
    """
    with file.explained():
        return _restored(file, annotation)


def _restored(file: SessionFile, annotation: Annotation) -> Restored:
    learner = annotation.learner
    state = from_json(dict(file.rows("SELECT key, value FROM meta")).get("state"), dict)
    try:
        query = "SELECT id, name, colour, hidden, locked FROM object ORDER BY id"
        objects = objects_of(file.rows(query), state.get("next_id", 0))
        span = range_of(state.get("range"), len(learner.frames))
        banks: dict[int, MemoryBank] = {}
        for item, record, clicks in _masks(file, learner, objects):
            banks.setdefault(item.object, MemoryBank()).records[item.frame] = record
            if clicks is not None:
                annotation.clicks[item] = clicks
        learner.banks = banks
        _adapters(file, annotation, objects)
    except SessionFileError as error:
        raise SessionFileError(f"{file.path} cannot be opened: {error}") from None
    active = state.get("active")
    annotation.objects, annotation.range = objects, span
    annotation.active = active if active in objects.things else max(objects.things)
    standing = list(_prompts(file, annotation))
    return Restored(read_steps(file, annotation), standing, *read_actions(file))


def _masks(
    file: SessionFile, learner: VideoLearner, objects: Objects
) -> Iterator[tuple[VideoItem, StoredRecord, int | None]]:
    for object_id, frame, *row in file.rows(STATEMENTS["mask"].read):
        if object_id not in objects.things:
            raise SessionFileError(f"the mask of object {object_id} on frame {frame} is damaged")
        clicks = row[COLUMNS["mask"].index("clicks") - 2]
        yield VideoItem(frame, object_id), record_of(learner, (object_id, frame), tuple(row)), clicks


def _adapters(file: SessionFile, annotation: Annotation, objects: Objects) -> None:
    states: dict[Any, AdapterState] = {}
    reports: dict[int, UpdateReport] = {}
    for object_id, slot, *row in file.rows(STATEMENTS["adapter"].read):
        try:
            states[object_id, slot], told = adapter_of(tuple(row))
        except SessionFileError as error:
            raise SessionFileError(f"the adapter of object {object_id} is damaged: {error}") from None
        if object_id not in objects.things or not 0 <= slot < MOST_SLOTS:
            raise SessionFileError(f"the adapter of object {object_id} is damaged")
        if told is not None:
            reports[object_id] = told
    try:
        annotation.learner.adapters.restore(states)
    except ValueError:
        raise SessionFileError(
            "its adapters are of another strategy or model; open it with those that wrote it"
        ) from None
    for object_id, told in reports.items():
        total = sum(state.version for (owner, _), state in states.items() if owner == object_id)
        annotation.reports[object_id, total] = told


def _prompts(file: SessionFile, annotation: Annotation) -> Iterator[Standing]:
    learner = annotation.learner
    for object_id, frame, *row in file.rows(STATEMENTS["prompt"].read):
        item, (text, first, painted, output, base, _) = VideoItem(whole(frame), whole(object_id)), row
        record = learner.bank(item.object).records.get(item.frame)
        if item.object not in annotation.objects.things or record is None:
            raise SessionFileError(f"the prompts on frame {frame} in {file.path} are damaged")
        if output is not None:
            annotation.pending[item] = pending_of(learner, (item.object, item.frame), tuple(row), record)
            continue
        # From a file of version 1: what a first prompt gave is memory already.
        points = unpack_points(text, learner.size)
        if first:
            annotation.pending[item] = Pending(
                points, record.output, None, record.output if painted else None, bool(painted)
            )
        elif isinstance(base, bytes | None):
            yield item, points, base


def prompt_again(annotation: Annotation, standing: list[Standing]) -> None:
    """Do once more what the user had done to frames and not learned yet."""
    for item, points, painted in standing:
        if painted is not None:
            try:
                mask = decode_mask(painted, annotation.learner.size)
            except MessageError:
                raise SessionFileError(f"the painted mask on frame {item.frame} is damaged; paint it again") from None
            annotation.give_mask(item, mask)
        if points.box is not None:
            annotation.box(item, points.box)
        for (x, y), label in zip(points.xy, points.labels, strict=True):
            annotation.click(item, x, y, positive=bool(label))
