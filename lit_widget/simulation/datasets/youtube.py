"""YouTube-VOS 2018 and 2019: many categories, objects that come late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from .files import frame_numbers, id_map_sequence
from .layout import read_videos, require_folder, split_folder
from .sequence import DatasetError, Sequence

LAYOUT = (
    "YouTube-VOS is {train,valid}/ with meta.json, JPEGImages/<video>/00000.jpg and Annotations/<video>/00000.png, and "
    "for all frames <split>_all_frames/JPEGImages/<video>/"
)


def open_youtube_vos(root: str | Path, split: str = "train", *, all_frames: bool = False) -> list[Sequence]:
    """Open YouTube-VOS.

    Args:
        root: the folder of the splits, or of this split.
        split: "train", or "valid", which shows each object on its first frame only: enough to prompt, not to judge.
        all_frames: take the frames from `<split>_all_frames` (30 per second), of which every fifth is annotated.

    Raises:
        DatasetError: if something is missing; the message says what, and what was expected.
    """
    folder = split_folder(Path(root).expanduser(), split, LAYOUT)
    images = folder.parent / f"{split}_all_frames" if all_frames else folder
    require_folder(images / "JPEGImages", LAYOUT)
    meta = folder / "meta.json"
    try:
        shown = {
            video: {int(i): list(each["frames"]) for i, each in about["objects"].items()}
            for video, about in read_videos(meta, LAYOUT).items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{meta} says nothing of {error} for some object; {LAYOUT}") from None
    return [
        _open(images / "JPEGImages" / name, folder / "Annotations" / name, shown[name], first_only=split != "train")
        for name in sorted(shown)
    ]


def _open(images: Path, annotations: Path, shown: Mapping[int, list[str]], *, first_only: bool) -> Sequence:
    sequence = id_map_sequence(images.name, images, annotations, LAYOUT)
    numbers = frame_numbers(images)
    appears = {}
    for object_id, names in shown.items():
        if not names or names[0] not in numbers:
            where = images / f"{names[0]}.jpg" if names else "no frame"
            raise DatasetError(f"object {object_id} of {images.name!r} begins at {where}, which is missing; {LAYOUT}")
        appears[object_id] = numbers[names[0]]
    known = {object_id: (first,) for object_id, first in appears.items()} if first_only else None
    return replace(sequence, appears=appears, known=known)
