"""LVOS v2: minutes instead of seconds, objects that come late, ground truth on every fifth frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .files import frame_numbers, id_map_sequence
from .layout import read_videos, split_folder
from .sequence import DatasetError, Sequence

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

    Args:
        root: the folder of the splits, or of this split.
        split: "train", "valid" or "test".

    Raises:
        DatasetError: if something is missing; the message says what, and what was expected.
    """
    folder = split_folder(Path(root).expanduser(), split, LAYOUT)
    return [_open(folder, name, ranges) for name, ranges in sorted(lvos_ranges(root, split).items())]


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


def _open(folder: Path, name: str, ranges: Mapping[int, FrameRange]) -> Sequence:
    images = folder / "JPEGImages" / name
    sequence = id_map_sequence(name, images, folder / "Annotations" / name, LAYOUT)
    numbers = frame_numbers(images)
    appears = {object_id: numbers.get(f"{each.start:08d}") for object_id, each in ranges.items()}
    missing = [object_id for object_id, number in appears.items() if number is None]
    if missing:
        path = images / f"{ranges[missing[0]].start:08d}.jpg"
        raise DatasetError(f"object {missing[0]} of {name!r} begins at {path}, which is missing; {LAYOUT}")
    return replace(sequence, appears={i: number for i, number in appears.items() if number is not None})
