"""MOSEv2: crowds, occlusion, objects that leave and come back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .files import id_map_sequence
from .layout import read_names, split_folder, video_names
from .scores import mosev2, scored
from .sequence import DatasetError, Sequence

LAYOUT = "MOSEv2 is {train,valid}/ with JPEGImages/<video>/00000.jpg and Annotations/<video>/00000.png"
MOSEV1_LAYOUT = (
    "give the folder of MOSEv1, {train,valid,test}/JPEGImages/<video>/, or a text file with one of its videos a line"
)


def open_mosev2(root: str | Path, split: str = "train", *, without: str | Path | None = None) -> list[Sequence]:
    """Open MOSEv2. Masks of all frames are public for the training split only; "valid" has the first frame's.

    Args:
        root: the folder of the splits, or of this split.
        split: "train" or "valid".
        without: MOSEv1, whose videos are left out: many of MOSEv2's are among them, and models have been trained on
            those. Its folder, or a text file with one video a line.

    Raises:
        DatasetError: if something is missing, or no video is left; the message says what.
    """
    folder = split_folder(Path(root).expanduser(), split, LAYOUT)
    known = set() if without is None else mosev1_videos(without)
    names = [name for name in video_names(folder / "JPEGImages", LAYOUT) if name not in known]
    if not names:
        raise DatasetError(f"every video in {folder / 'JPEGImages'} is in MOSEv1 ({without}), too; {MOSEV1_LAYOUT}")
    return [
        replace(
            id_map_sequence(name, folder / "JPEGImages" / name, folder / "Annotations" / name, LAYOUT),
            score=scored(mosev2),
        )
        for name in names
    ]


def mosev1_videos(source: str | Path) -> set[str]:
    """The names of the videos of MOSEv1.

    Args:
        source: its folder, or a text file with one video a line.

    Raises:
        DatasetError: if there are none.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return set(read_names(path, MOSEV1_LAYOUT))
    splits = [path / split / "JPEGImages" for split in ("train", "valid", "test")]
    found = [folder for folder in splits if folder.is_dir()]
    if not found:
        raise DatasetError(f"there are no videos of MOSEv1 in {path}; {MOSEV1_LAYOUT}")
    return {name for folder in found for name in video_names(folder, MOSEV1_LAYOUT)}
