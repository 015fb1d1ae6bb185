"""Which frame a file belongs to, by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .limits import MAX_FRAMES, file_name
from .mask_set import FormatError, MaskSet


@dataclass(frozen=True)
class Naming:
    """How a layout calls the files of frames that have no names of their own.

    Attributes:
        prefix: before the number.
        digits: of the number.
        first: the number of frame 0.
    """

    prefix: str = ""
    digits: int = 5
    first: int = 0

    def stem(self, frame: int) -> str:
        """The name of a frame's files, without suffix."""
        return f"{self.prefix}{frame + self.first:0{self.digits}d}"

    def stems(self, masks: MaskSet) -> list[str]:
        """The names of all frames: their own, if they are fit for files."""
        own = [file_name(each) for each in masks.frame_names]
        fit = len(own) == masks.n_frames == len(set(own))
        return own if fit else [self.stem(frame) for frame in range(masks.n_frames)]


def renumbered(masks: MaskSet, naming: Naming) -> list[str]:
    """What becomes of the numbers of frames whose files have names of their own, in a sentence; empty if they stay."""
    frames, stems = masks.annotated(), naming.stems(masks)
    read = numbered([stems[each] for each in frames], naming)[0] if frames else []
    if read == frames:
        return []
    return [f"the numbers of frames, which are read from their names: frame {frames[0]} as {read[0]}"]


def numbered(stems: list[str], naming: Naming) -> tuple[list[int], tuple[str, ...]]:
    """The frame of each file, and the names of all frames; without numbers, the files are all frames there are.

    Raises:
        FormatError: if the numbers are out of range.
    """
    parts = [re.fullmatch(r"(.*?)([0-9]{1,9})", stem) for stem in stems]
    if not all(parts) or len({part[1] for part in parts if part}) != 1:
        return list(range(len(stems))), tuple(stems)
    numbers = [int(part[2]) for part in parts if part]
    # Frames with names of their own may be counted from 0 in any layout.
    first = min(naming.first, *numbers)
    frames = [number - first for number in numbers]
    if max(frames) >= MAX_FRAMES:
        raise FormatError(f"files are numbered {stems[0]} to {stems[-1]}; expected less than {MAX_FRAMES}")
    if len(set(frames)) < len(frames):
        raise FormatError(f"several of the files from {stems[0]} to {stems[-1]} have the same number; rename them")
    part = parts[0]
    assert part
    own = Naming(part[1], len(part[2]), first)
    names = dict(zip(frames, stems, strict=True))
    return frames, tuple(names.get(frame, own.stem(frame)) for frame in range(max(frames) + 1))
