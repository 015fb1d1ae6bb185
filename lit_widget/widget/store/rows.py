"""Rows of masks, prompts and adapters: made of what an annotation holds, and read back with every value checked."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, get_args

import torch

from lit_widget.core.types import AdapterState, Prediction, UpdateReport
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.memory import FrameRecord, FrameStatus, MaskOutput
from lit_widget.widget.codec import encode_mask
from lit_widget.widget.pending import Pending

from .contents import Contents, Key
from .file import SessionFileError
from .stored import StoredEvidence, StoredOutput, StoredRecord
from .values import check_pointer, from_json, number, pack_pointer, pack_points, unpack_points, whole

if TYPE_CHECKING:
    from lit_widget.video.learner import VideoLearner
    from lit_widget.widget.annotation import Annotation

_SURE = struct.Struct("<ff")
"""Before the pointer and the bits of a mask in one value: the estimate of its IoU, and how visible the object is."""

MOST_SLOTS = 100
"""Adapters of one object."""

_STATUSES = get_args(FrameStatus)

Row = tuple[Any, ...]


# --- Writing --------------------------------------------------------------------------------------


def row_of(annotation: Annotation, table: str, key: Key, value: Any, contents: Contents) -> Row:
    """A row of one of the tables, without its key.

    Args:
        annotation: that holds the value or held it.
        table: where it belongs.
        key: object and frame or slot.
        value: the record, prompts or adapter state.
        contents: what there was when it was held.
    """
    return _ROWS[table](annotation, key, value, contents)


def blobs(row: Row) -> int:
    """How large a row is, but for what all rows are."""
    return sum(len(each) for each in row if isinstance(each, bytes))


def _mask_row(annotation: Annotation, key: Key, record: FrameRecord, _: Contents) -> Row:
    output = record.output
    clicks = annotation.clicks.get(VideoItem(key[1], key[0]))
    settled = record.status, record.conditioning, record.reverse
    sure = float(output.iou), float(output.object_score)
    return *settled, *sure, clicks, pack_pointer(output.pointer), _bits(annotation.learner, output)


def _prompt_row(annotation: Annotation, _: Key, pending: Pending, __: Contents) -> Row:
    first, learner = pending.prediction is None, annotation.learner
    # What a correction refines is the frame's own mask unless it was painted.
    base = pending.base if first or pending.painted else None
    replaced = pending.replaced and pending.replaced.output
    kept = (each and _packed(learner, each) for each in (pending.output, base, replaced))
    return pack_points(pending.points), first, pending.painted, *kept


def _adapter_row(annotation: Annotation, key: Key, state: AdapterState, contents: Contents) -> Row:
    from safetensors.torch import save

    learned_from = json.dumps([[item.frame, item.object] for item in state.learned_from])
    total = sum(each.version for each in contents["adapter"][key[0]].values())
    report = annotation.reports.get((key[0], total))
    weights = save({name: tensor.cpu().contiguous() for name, tensor in state.tensors.items()})
    return state.version, learned_from, json.dumps(report and asdict(report)), weights


_ROWS: dict[str, Callable[[Annotation, Key, Any, Contents], Row]] = {
    "mask": _mask_row,
    "prompt": _prompt_row,
    "adapter": _adapter_row,
}


def _bits(learner: VideoLearner, output: MaskOutput) -> bytes:
    """A mask as a file has it; one that comes from a file goes back as it was."""
    return output.bits if isinstance(output, StoredOutput) else encode_mask(learner.mask(output))


def _packed(learner: VideoLearner, output: MaskOutput) -> bytes:
    sure = _SURE.pack(float(output.iou), float(output.object_score))
    return sure + pack_pointer(output.pointer) + _bits(learner, output)


# --- Reading --------------------------------------------------------------------------------------


def record_of(learner: VideoLearner, key: Key, row: Row) -> StoredRecord:
    """A mask's record from its row without the key.

    Raises:
        SessionFileError: if it is none.
    """
    (object_id, frame), (status, conditioning, reverse, iou, score, _, pointer, bits) = key, row
    known = 0 <= frame < len(learner.frames) and status in _STATUSES
    if not (known and isinstance(bits, bytes) and number(iou) and number(score)):
        raise SessionFileError(f"the mask of object {object_id} on frame {frame} is damaged")
    vector = check_pointer(pointer, learner.model.pointer_length)
    output = StoredOutput(learner, frame, bits, vector, score=score, iou=iou)
    return StoredRecord(learner, frame, output, status, conditioning=bool(conditioning), reverse=bool(reverse))


def pending_of(learner: VideoLearner, key: Key, row: Row, record: FrameRecord) -> Pending:
    """Prompts from their row without the key.

    Args:
        learner: that the record belongs to.
        key: object and frame.
        row: of a file of version 2.
        record: of the frame that they are on, at the same time.

    Raises:
        SessionFileError: if they are none.
    """
    item, (text, first, painted, *kept) = VideoItem(key[1], key[0]), row
    points = unpack_points(text, learner.size)
    output, base, replaced = (each if each is None else _unpacked(learner, item.frame, each) for each in kept)
    if output is None or (painted and base is None):
        raise SessionFileError(f"the prompts on frame {item.frame} are damaged")
    if not first:
        prediction = Prediction(item, record.output, StoredEvidence(learner, item))
        return Pending(points, output, prediction, base if painted else record.output, bool(painted))
    before = replaced and StoredRecord(learner, item.frame, replaced, "prompted", conditioning=True, reverse=False)
    return Pending(points, output, None, base, bool(painted), before)


def adapter_of(row: Row) -> tuple[AdapterState, UpdateReport | None]:
    """The state of an adapter, and how its last update went, from its row without the key.

    Raises:
        SessionFileError: if it is none.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    version, learned_from, report, weights = row
    try:
        tensors = {name: tensor.float() for name, tensor in load(weights).items()}
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise SessionFileError("its weights are damaged") from None
    finite = all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())
    if whole(version) < 1 or not finite:
        raise SessionFileError("its weights are damaged")
    items = tuple(VideoItem(whole(frame), whole(owner)) for frame, owner in _pairs(learned_from))
    return AdapterState(version, items, tensors), _report(report)


def _unpacked(learner: VideoLearner, frame: int, data: object) -> StoredOutput:
    length = learner.model.pointer_length
    start = _SURE.size + 2 * length
    if not isinstance(data, bytes) or len(data) < start:
        raise SessionFileError(f"the prompts on frame {frame} are damaged")
    iou, score = _SURE.unpack_from(data)
    if not (number(iou) and number(score)):
        raise SessionFileError(f"the prompts on frame {frame} are damaged")
    return StoredOutput(learner, frame, data[start:], data[_SURE.size : start], score=score, iou=iou)


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
