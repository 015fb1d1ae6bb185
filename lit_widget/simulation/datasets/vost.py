"""VOST: objects that are cut, torn, moulded and mixed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .files import id_map_sequence, of_first_frame
from .layout import read_names
from .scores import scored, vost
from .sequence import Sequence

LAYOUT = (
    "VOST is ImageSets/{train,val,test}.txt, JPEGImages/<sequence>/frame00012.jpg and "
    "Annotations/<sequence>/frame00012.png"
)
FPS = 5.0


def open_vost(root: str | Path, split: str = "val") -> list[Sequence]:
    """Open VOST.

    Only objects on the first frame with a mask count, as in the official evaluation. Frames are 5 per second; those
    without a mask file are tracked but not annotated. Void (255) is kept, though the official score ignores it.

    Args:
        root: the folder with `JPEGImages`, `Annotations` and `ImageSets`.
        split: a list in `ImageSets`.

    Raises:
        DatasetError: if something is missing; the message says what, and what was expected.
    """
    folder = Path(root).expanduser()
    return [_open(folder, name) for name in read_names(folder / "ImageSets" / f"{split}.txt", LAYOUT)]


def _open(folder: Path, name: str) -> Sequence:
    sequence = id_map_sequence(name, folder / "JPEGImages" / name, folder / "Annotations" / name, LAYOUT, fps=FPS)
    return replace(of_first_frame(sequence), score=scored(vost))
