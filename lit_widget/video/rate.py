"""A video at a lower frame rate: every n-th frame, under its own number."""

from __future__ import annotations

import math

from .frames import Frames, Rgb, VideoError


class Thinned(Frames):
    """Every `step`-th frame of a video.

    Frames are named by their place in the whole video where they have no names of their own, so that masks in files
    belong to the right frames.

    Args:
        whole: the video.
        step: from one frame to the next; 1 or more.
    """

    def __init__(self, whole: Frames, step: int) -> None:
        self.whole, self.step = whole, step
        self.name, self.height, self.width = whole.name, whole.height, whole.width
        self.fps, self.sources = whole.fps / step, whole.sources
        names = whole.frame_names or tuple(f"{index:05d}" for index in range(len(whole)))
        self.frame_names = names[::step]

    def __len__(self) -> int:
        return math.ceil(len(self.whole) / self.step)

    def _read(self, index: int) -> Rgb:
        return self.whole[index * self.step]

    def close(self) -> None:
        """Release the video."""
        self.whole.close()


def at_rate(frames: Frames, fps: float | None) -> Frames:
    """A video at no more than about `fps` frames per second; the whole of it if that is `None`.

    Raises:
        VideoError: if the rate is not above 0, or above the video's own.
    """
    if fps is None:
        return frames
    if not isinstance(fps, int | float) or isinstance(fps, bool) or not 0 < fps < math.inf:
        raise VideoError(f"fps is a float or int above 0, of frames per second, got {fps!r}")
    if fps > frames.fps * 1.01:
        raise VideoError(f"{frames.name!r} has {frames.fps:g} frames per second; give fps up to that, got {fps:g}")
    step = max(1, round(frames.fps / fps))
    return frames if step == 1 else Thinned(frames, step)
