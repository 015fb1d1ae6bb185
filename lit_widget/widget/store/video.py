"""The video of a session: found again, or stood in for while it is away."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from lit_widget.video.frames import Frames, open_frames
from lit_widget.video.rate import at_rate
from lit_widget.video.sam2 import FeatureCache, FrameFeatures
from lit_widget.widget.limits import AnnotationError

from .file import SessionFileError
from .reader import Stored

GREY = 96


class MissingFrames(Frames):
    """Grey frames in the place of a video that was not found.

    Attributes:
        why: where it was looked for.
    """

    def __init__(self, stored: Stored, why: str) -> None:
        self.name, self.fps, self.why = stored.name, stored.fps, why
        self.height, self.width = stored.size
        self._n_frames = stored.n_frames

    def __len__(self) -> int:
        return self._n_frames

    def _read(self, index: int) -> UInt8[np.ndarray, "h w 3"]:
        return np.full((self.height, self.width, 3), GREY, np.uint8)

    def features(self) -> FeatureCache:
        """In the place of encoded frames: a refusal of whatever takes the pixels."""

        def refuse(_: int) -> FrameFeatures:
            raise AnnotationError(f"this takes the video, which is not there: {self.why}")

        return FeatureCache(refuse)


def describe_video(source: Any, frames: Frames) -> dict[str, Any]:
    """What a file says of its video."""
    path = str(Path(source).expanduser().absolute()) if isinstance(source, str | os.PathLike) else None
    return {
        "name": frames.name,
        "path": path,
        "n_frames": len(frames),
        "height": frames.height,
        "width": frames.width,
        "fps": float(frames.fps),
        "digest": digest(frames),
    }


def digest(frames: Frames) -> str:
    """By which a video is known again: its first frame."""
    return hashlib.sha256(frames[0].tobytes()).hexdigest()


def find_video(stored: Stored, folder: Path, given: Any = None) -> Frames:
    """The video of a session.

    Args:
        stored: what the file says of it.
        folder: of the file; a video of the same name beside it is taken, too.
        given: the video, if the user says which it is.

    Raises:
        SessionFileError: if what was given is another video.
    """
    if given is not None:
        whole = open_frames(given)
        frames = at_rate(whole, min(stored.fps, whole.fps))
        shape = (len(frames), frames.height, frames.width)
        if shape != (stored.n_frames, *stored.size) or digest(frames) != stored.digest:
            raise SessionFileError(
                f"the session is of another video than {frames.name!r}: of {stored.name!r} with {stored.n_frames} "
                f"frames of {stored.size[1]} x {stored.size[0]} pixels"
            )
        return frames
    if stored.path is None:
        return MissingFrames(stored, "it was an array or a list; give it to LITWidget.open(..., video=...)")
    places = [Path(stored.path), folder / Path(stored.path).name]
    for place in places:
        try:
            return find_video(stored, folder, place)
        except ValueError:
            continue
    looked = " and ".join(str(place) for place in dict.fromkeys(places))
    return MissingFrames(stored, f"it was looked for at {looked}; give it to LITWidget.open(..., video=...)")
