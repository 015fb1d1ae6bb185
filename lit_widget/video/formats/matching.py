"""Which frame of a video each mask of a file belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lit_widget.video.frames import Frames

from .limits import file_name
from .mask_set import FormatError, Key, Mask, MaskSet


def video_frames(masks: MaskSet, frames: Frames) -> dict[int, int]:
    """The frame of the video for each annotated frame: by name if all names are the video's, else by number.

    Raises:
        FormatError: if the masks are of another video.
    """
    size = frames.height, frames.width
    if masks.size != size:
        raise FormatError(
            f"the masks are of {masks.size[1]} × {masks.size[0]} pixels, but the video has {size[1]} × {size[0]}; "
            "give the video that they belong to"
        )
    numbers = {file_name(name): frame for frame, name in enumerate(frames.frame_names)}
    annotated = masks.annotated()
    names = {frame: file_name(masks.frame_names[frame]) for frame in annotated} if masks.frame_names else {}
    if names and all(name in numbers for name in names.values()):
        return {frame: numbers[name] for frame, name in names.items()}
    if annotated and annotated[-1] >= len(frames):
        raise FormatError(f"there is a mask for frame {annotated[-1]}, but the video has {len(frames)} frames")
    return {frame: frame for frame in annotated}


class MovedMasks(Mapping[Key, Mask]):
    """The same masks on other frames, decoded when asked for.

    Args:
        masks: by frame and object id.
        places: the new frame of each.
    """

    def __init__(self, masks: Mapping[Key, Mask], places: Mapping[int, int]) -> None:
        self._masks = masks
        self._keys = {(places[frame], each): (frame, each) for frame, each in masks}

    def __getitem__(self, key: Key) -> Mask:
        return self._masks[self._keys[key]]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
