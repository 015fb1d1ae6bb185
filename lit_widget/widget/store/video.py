"""The video of a session: found again, or stood in for while it is away."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from jaxtyping import UInt8

from lit_widget.video.feature_cache import FeatureCache
from lit_widget.video.frames import Frames, open_frames
from lit_widget.video.rate import at_rate
from lit_widget.widget.limits import AnnotationError

from .file import SessionFileError
from .reader import Stored

GREY = 96


class MissingFrames(Frames):
    """In the place of a video that was not found: all that is known of it but the pixels, which it refuses.

    Attributes:
        why: where it was looked for.
    """

    def __init__(self, stored: Stored, why: str, places: tuple[Path, ...] = ()) -> None:
        self.name, self.fps, self.why, self.sources = stored.name, stored.fps, why, places
        self.height, self.width = stored.size
        self._n_frames = stored.n_frames

    def __len__(self) -> int:
        return self._n_frames

    def _read(self, index: int) -> UInt8[np.ndarray, "h w 3"]:
        self.refuse(index)

    def refuse(self, _: int = 0) -> NoReturn:
        """Refuse whatever takes the pixels.

        Raises:
            AnnotationError: saying where the video was looked for.
        """
        raise AnnotationError(f"this takes the video, which is not there: {self.why}")

    def features(self) -> FeatureCache:
        """In the place of encoded frames: the same refusal."""
        return FeatureCache(self.refuse)


def shown(frames: Frames, index: int) -> UInt8[np.ndarray, "h w 3"]:
    """A frame as views show it: grey where the video is not there, so that its masks can be seen."""
    if isinstance(frames, MissingFrames):
        return np.full((frames.height, frames.width, 3), GREY, np.uint8)
    return frames[index]


def check_there(frames: Frames) -> None:
    """Refuse what takes the pixels of a video that was not found.

    Raises:
        AnnotationError: saying where it was looked for.
    """
    if isinstance(frames, MissingFrames):
        frames.refuse()


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
    why = f"it was looked for at {looked}; give it to LITWidget.open(..., video=...)"
    return MissingFrames(stored, why, tuple(places))
