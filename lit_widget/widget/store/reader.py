"""Reading a session back: everything is checked before it is believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import torch

from lit_widget.core.types import AdapterState, UpdateReport
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.memory import FrameStatus, MemoryBank
from lit_widget.video.sam2 import Points
from lit_widget.widget.codec import decode_mask
from lit_widget.widget.limits import AnnotationError
from lit_widget.widget.messages import MessageError
from lit_widget.widget.objects import Objects, Thing
from lit_widget.widget.pending import Pending

from .file import SessionFile, SessionFileError
from .stored import StoredOutput, StoredRecord
from .values import from_json, number, unpack_pointer, unpack_points

if TYPE_CHECKING:
    from lit_widget.video.learner import VideoLearner
    from lit_widget.widget.annotation import Annotation

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


def read(file: SessionFile) -> Stored:
    """What a session is about.

    Raises:
        SessionFileError: if the file is damaged.
    """
    meta = {key: value for key, value in file.rows("SELECT key, value FROM meta") if isinstance(key, str)}
    video = from_json(meta.get("video"), dict)
    texts = {key: from_json(meta.get(key), str) for key in ("model", "strategy", "tracker", "quality")}
    seed = from_json(meta.get("seed"), int)
    height, width, n_frames = (_whole(video.get(key)) for key in ("height", "width", "n_frames"))
    fps, path = video.get("fps"), video.get("path")
    fine = 0 < n_frames <= MOST_FRAMES and height > 0 and width > 0 and height * width <= MOST_PIXELS
    if not (fine and number(fps) and fps > 0 and (path is None or isinstance(path, str))):
        raise SessionFileError(f"{file.path} says of its video what no video has; it is damaged")
    name, digest = str(video.get("name", "")), str(video.get("digest", ""))
    return Stored(name, path, n_frames, (height, width), float(fps), digest, seed=seed, **texts)


def restore(file: SessionFile, annotation: Annotation) -> list[tuple[VideoItem, Points, bytes | None]]:
    """Bring an annotation of the same video to what the file holds.

    Returns:
        Corrections that stand and were not learned: they are prompted again, which takes the video.

    Raises:
        SessionFileError: if the file is damaged, or was written with another model or strategy.
    """
    with file.explained():
        return _restored(file, annotation)


def _restored(file: SessionFile, annotation: Annotation) -> list[tuple[VideoItem, Points, bytes | None]]:
    learner = annotation.learner
    state = from_json(dict(file.rows("SELECT key, value FROM meta")).get("state"), dict)
    objects = _objects(file, state)
    banks: dict[int, MemoryBank] = {}
    for item, record, clicks in _masks(file, learner, objects):
        banks.setdefault(item.object, MemoryBank()).records[item.frame] = record
        if clicks is not None:
            annotation.clicks[item] = clicks
    learner.banks = banks
    _adapters(file, annotation, objects)
    annotation.objects = objects
    active, span = state.get("active"), state.get("range")
    annotation.active = active if active in objects.things else max(objects.things)
    if isinstance(span, list) and len(span) == 2:
        annotation.set_range(_whole(span[0]), _whole(span[1]))
    return list(_prompts(file, annotation))


def _objects(file: SessionFile, state: dict[str, Any]) -> Objects:
    things: dict[int, Thing] = {}
    objects = Objects(things, 1)
    for each, name, colour, hidden, locked in file.rows(
        "SELECT id, name, colour, hidden, locked FROM object ORDER BY id"
    ):
        things[_whole(each)] = Thing("", "")
        try:
            objects = objects.edit(each, name=name, colour=colour, hidden=bool(hidden), locked=bool(locked))
        except AnnotationError as error:
            raise SessionFileError(f"object {each} in {file.path} is damaged: {error}") from None
        things = objects.things
    if not things:
        raise SessionFileError(f"{file.path} holds no object; it is damaged")
    return Objects(dict(things), max(_whole(state.get("next_id", 0)), max(things) + 1))


def _masks(
    file: SessionFile, learner: VideoLearner, objects: Objects
) -> Iterator[tuple[VideoItem, StoredRecord, int | None]]:
    length, device = learner.model.pointer_length, learner.model.device
    query = "SELECT object, frame, status, conditioning, reverse, iou, score, clicks, pointer, bits FROM mask"
    for object_id, frame, status, conditioning, reverse, iou, score, clicks, pointer, bits in file.rows(query):
        known = object_id in objects.things and 0 <= frame < len(learner.frames)
        whole = known and isinstance(bits, bytes) and number(iou) and number(score)
        if not (whole and status in get_args(FrameStatus)):
            raise SessionFileError(f"the mask of object {object_id} on frame {frame} in {file.path} is damaged")
        vector = unpack_pointer(pointer, length, device)
        output = StoredOutput(learner, frame, bits, vector, score=score, iou=iou)
        record = StoredRecord(learner, frame, output, status, conditioning=bool(conditioning), reverse=bool(reverse))
        yield VideoItem(frame, object_id), record, clicks


def _adapters(file: SessionFile, annotation: Annotation, objects: Objects) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load

    states: dict[Any, AdapterState] = {}
    reports: dict[int, UpdateReport] = {}
    for object_id, slot, version, learned_from, report, weights in file.rows("SELECT * FROM adapter"):
        try:
            tensors = {name: tensor.float() for name, tensor in load(weights).items()}
        except (SafetensorError, ValueError, KeyError, TypeError):
            raise SessionFileError(f"the adapter of object {object_id} in {file.path} is damaged") from None
        finite = all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())
        if object_id not in objects.things or not 0 <= slot < 100 or version < 1 or not finite:
            raise SessionFileError(f"the adapter of object {object_id} in {file.path} is damaged")
        items = tuple(VideoItem(_whole(frame), _whole(owner)) for frame, owner in _pairs(learned_from))
        states[object_id, slot] = AdapterState(version, items, tensors)
        if (told := _report(report)) is not None:
            reports[object_id] = told
    try:
        annotation.learner.adapters.restore(states)
    except ValueError:
        raise SessionFileError(
            f"the adapters in {file.path} are of another strategy or model; open it with those that wrote it"
        ) from None
    for object_id, told in reports.items():
        total = sum(state.version for (owner, _), state in states.items() if owner == object_id)
        annotation.reports[object_id, total] = told


def _prompts(file: SessionFile, annotation: Annotation) -> Iterator[tuple[VideoItem, Points, bytes | None]]:
    learner = annotation.learner
    for object_id, frame, text, first, painted in file.rows("SELECT object, frame, points, first, painted FROM prompt"):
        item, points = VideoItem(_whole(frame), _whole(object_id)), unpack_points(text, learner.size)
        record = learner.bank(item.object).records.get(item.frame)
        if item.object not in annotation.objects.things or record is None or not isinstance(painted, bytes | None):
            raise SessionFileError(f"the prompts on frame {frame} in {file.path} are damaged")
        if first:
            # The mask that they gave is memory already.
            base = None if painted is None else record.output
            annotation.pending[item] = Pending(points, record.output, None, base, painted is not None)
        else:
            yield item, points, painted


def prompt_again(annotation: Annotation, standing: list[tuple[VideoItem, Points, bytes | None]]) -> None:
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


def _report(text: object) -> UpdateReport | None:
    if text == "null":
        return None
    value = from_json(text, dict)
    losses, scores, spent, version = (value.get(key) for key in ("losses", "scores", "update_s", "version"))
    lists = isinstance(losses, list) and isinstance(scores, list) and all(map(number, [*losses, *scores]))
    if not (lists and number(spent) and isinstance(version, int)):
        return None
    return UpdateReport(version, tuple(losses), tuple(scores), str(value.get("stopped")), float(spent))


def _pairs(text: object) -> list[tuple[object, object]]:
    value = from_json(text, list)
    if not all(isinstance(each, list) and len(each) == 2 for each in value):
        raise SessionFileError("what an adapter learned from is damaged in the file")
    return [(each[0], each[1]) for each in value]


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise SessionFileError(f"the file holds {value!r} where a whole number belongs; it is damaged")
    return value
