"""The embedded data set: procedural clips, made when they are read."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, UInt8

from lit_widget.video.frames import IMAGE_FPS, Frames, Rgb

from .sequence import DatasetError, Sequence, truth_from_ids

_EMBEDDED_FRAMES = 48

GROUPS = {"hard": "every kind but easy", "all": "every kind"}
"""Names for several kinds of clips, each with one line of explanation."""


def open_embedded(spec: str) -> list[Sequence]:
    """Open the embedded clips that `embedded:KIND:FIRST-LAST` names.

    Raises:
        DatasetError: if there are none.
    """
    from lit_widget.video.pocket.clips import KINDS  # loads torch, which folders and arrays do not need

    match = re.fullmatch(r"embedded:([^:]*):(\d+)(?:-(\d+))?", spec)
    if match is None:
        raise DatasetError(f"{spec!r} is not a source; write embedded:KIND:FIRST-LAST, for example embedded:easy:0-4")
    kind, first, last = match[1], int(match[2]), int(match[3] or match[2])
    groups = {"hard": [each for each in KINDS if each != "easy"], "all": list(KINDS)}
    if kind not in GROUPS and kind not in KINDS:
        raise DatasetError(f"unknown kind {kind!r} in {spec!r}; choose one of {', '.join([*GROUPS, *KINDS])}")
    if first > last:
        raise DatasetError(f"the seeds of {spec!r} run backwards; write the smaller one first")
    kinds = groups.get(kind, [kind])
    return [_embedded(kind, seed) for kind in kinds for seed in range(first, last + 1)]


def _embedded(kind: str, seed: int) -> Sequence:
    frames = _EmbeddedFrames(kind, seed)
    return Sequence(
        frames.name, frames, tuple(range(len(frames))), lambda t: truth_from_ids(_clip(kind, seed)[1][t]), {1: 0}
    )


class _EmbeddedFrames(Frames):
    """Frames of an embedded clip, made when the first one is read."""

    fps = IMAGE_FPS

    def __init__(self, kind: str, seed: int) -> None:
        from lit_widget.video.pocket.clips import SIZE

        self.name = f"{kind}-{seed}"
        self.height, self.width = SIZE
        self._kind, self._seed = kind, seed

    def __len__(self) -> int:
        return _EMBEDDED_FRAMES

    def _read(self, index: int) -> Rgb:
        return _clip(self._kind, self._seed)[0][index].copy()


@lru_cache(maxsize=4)  # a clip takes about a second to make and 10 MB to keep
def _clip(kind: str, seed: int) -> tuple[UInt8[np.ndarray, "t h w 3"], Bool[np.ndarray, "t h w"]]:
    """The frames and the target of an embedded clip, which is visible on its first frame."""
    from lit_widget.video.pocket.clips import embedded_clip

    clip = embedded_clip(kind, seed, frames=_EMBEDDED_FRAMES)
    return clip.frames, clip.target
