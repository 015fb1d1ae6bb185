"""LVOS v2: minutes instead of seconds, objects that come late, ground truth on every fifth frame."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from lit_widget.simulation.metrics import lvos_frames, lvos_object

from .files import frame_numbers, id_map_sequence
from .layout import read_names, read_videos, split_folder
from .sequence import DatasetError, Judged, Sequence

LAYOUT = (
    "LVOS is {train,valid,test}/ with JPEGImages/<video>/00000001.jpg, Annotations/<video>/00000001.png and, in it or "
    "beside it, <split>_meta.json"
)


@dataclass(frozen=True)
class FrameRange:
    """Where the official script looks for an object.

    Attributes:
        start: name of the first frame, as a number.
        end: of the frame at which it stops.
        frame_nums: of frames with ground truth, by the meta file.
    """

    start: int
    end: int
    frame_nums: int


def open_lvos(root: str | Path, split: str = "valid") -> list[Sequence]:
    """Open LVOS v2.

    Scores tell seen from unseen categories if the `unseen_videos.txt` of the official evaluation is in the folder of
    the split or in that of the splits.

    Args:
        root: the folder of the splits, or of this split.
        split: "train", "valid" or "test".

    Raises:
        DatasetError: if something is missing; the message says what, and what was expected.
    """
    folder = split_folder(Path(root).expanduser(), split, LAYOUT)
    unseen = _unseen(folder)
    return [
        _open(folder, name, ranges, None if unseen is None else name in unseen)
        for name, ranges in sorted(lvos_ranges(root, split).items())
    ]


def lvos_ranges(root: str | Path, split: str = "valid") -> dict[str, dict[int, FrameRange]]:
    """The frame range of each object of each video, which scoring needs (`lvos_object`).

    Args:
        root: the folder of the splits, or of this split.
        split: "train", "valid" or "test".

    Raises:
        DatasetError: if the meta file is missing or says nothing of that.
    """
    folder = split_folder(Path(root).expanduser(), split, LAYOUT)
    inside, beside = (place / f"{split}_meta.json" for place in (folder, folder.parent))
    path = beside if beside.is_file() and not inside.is_file() else inside
    try:
        return {
            video: {int(object_id): _range(entry["frame_range"]) for object_id, entry in about["objects"].items()}
            for video, about in read_videos(path, LAYOUT).items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path} says nothing of {error} for some object; {LAYOUT}") from None


def _range(entry: Mapping[str, Any]) -> FrameRange:
    return FrameRange(int(entry["start"]), int(entry["end"]), int(entry["frame_nums"]))


def _unseen(folder: Path) -> set[str] | None:
    """Names of the videos of unseen categories, if they are known."""
    lists = [place / "unseen_videos.txt" for place in (folder, folder.parent)]
    return next((set(read_names(path, LAYOUT)) for path in lists if path.is_file()), None)


def _open(folder: Path, name: str, ranges: Mapping[int, FrameRange], unseen: bool | None) -> Sequence:
    images = folder / "JPEGImages" / name
    sequence = id_map_sequence(name, images, folder / "Annotations" / name, LAYOUT)
    numbers = frame_numbers(images)
    appears = {object_id: numbers.get(f"{each.start:08d}") for object_id, each in ranges.items()}
    missing = [object_id for object_id, number in appears.items() if number is None]
    if missing:
        path = images / f"{ranges[missing[0]].start:08d}.jpg"
        raise DatasetError(f"object {missing[0]} of {name!r} begins at {path}, which is missing; {LAYOUT}")
    return replace(
        sequence,
        appears={i: number for i, number in appears.items() if number is not None},
        score=partial(_score, ranges, numbers, unseen),
    )


def _score(
    ranges: Mapping[int, FrameRange],
    numbers: Mapping[str, int],
    unseen: bool | None,
    object_id: int,
    frames: Iterable[Judged],
) -> dict[str, float]:
    """J, F, their mean and V, each of the group that the video is in; the other's is not a number."""
    own = ranges[object_id]
    if own.frame_nums < 3:
        return {}
    visited = {numbers.get(f"{number:08d}") for number in lvos_frames(own.start, own.end)}
    pairs = ((predicted, true) for frame, predicted, true in frames if frame in visited)
    found = lvos_object(pairs, own.frame_nums, unseen=bool(unseen))
    values = {"J&F": found.scores.j_and_f, "J": found.scores.j, "F": found.scores.f, "V": found.v}
    if unseen is None:
        return values
    groups = {"seen": not unseen, "unseen": unseen}
    return {f"{name} {group}": v if own else math.nan for group, own in groups.items() for name, v in values.items()}
