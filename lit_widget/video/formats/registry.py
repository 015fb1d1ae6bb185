"""All formats by name, and the two things that are done with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lit_widget.core.paths import path_of
from lit_widget.video.frames import Frames

from .coco import COCO
from .cvat import CVAT
from .davis import DAVIS
from .events import EVENTS
from .format import ExportReport, Format
from .lvos import LVOS
from .mask_set import FormatError, MaskSet, Step, unwatched
from .matching import MovedMasks, video_frames
from .mose import MOSE
from .moving import GIF, MATTE, MP4
from .npz import NPZ
from .sav import SA_V
from .staging import check_apart, check_target, staged
from .vost import VOST
from .yolo import YOLO_SEG
from .youtube_vos import YOUTUBE_VOS

_ALL = (COCO, SA_V, CVAT, NPZ, MOSE, YOUTUBE_VOS, LVOS, VOST, DAVIS, YOLO_SEG, MP4, GIF, MATTE, EVENTS)

FORMATS: dict[str, Format] = {each.name: each for each in _ALL}
"""In the order in which a path of unknown format is tried."""


def formats() -> dict[str, Format]:
    """The formats by name; each says in one line what it is, whether it is read, too, and what it loses.

    Example:
        ```python
        print(formats()["coco"])
        ```
    """
    return dict(FORMATS)


def find_format(name: str) -> Format:
    """A format by name.

    Raises:
        FormatError: naming those that exist.
    """
    if name not in FORMATS:
        raise FormatError(f"there is no format {name!r}; choose one of {', '.join(FORMATS)}")
    return FORMATS[name]


def check_export(path: str | Path, name: str, *, overwrite: bool = False, frames: Frames | None = None) -> None:
    """Refuse early what `export_masks` would refuse later.

    Args:
        path: the file or folder to appear.
        name: a format, one of `FORMATS`.
        overwrite: whether to replace what is there.
        frames: the video, which is never overwritten.

    Raises:
        FormatError: if the format is unknown or the path must not be written.
    """
    chosen, target = find_format(name), path_of(path)
    if frames is not None:
        check_apart(target, frames.sources)
    _check_suffix(target, chosen)
    check_target(target, overwrite=overwrite, holds=chosen.holds)


def export_masks(
    masks: MaskSet, path: str | Path, name: str, *, overwrite: bool = False, step: Step = unwatched
) -> ExportReport:
    """Write masks to a file or folder, all or nothing.

    Args:
        masks: of one video.
        path: the file or folder to appear.
        name: a format, one of `FORMATS`.
        overwrite: whether to replace a file, or a folder that holds nothing but such an export.
        step: told how many of how many frames are done; whatever it raises stops the work and leaves nothing.

    Returns:
        What was written, and what of the masks is not in it.

    Raises:
        FormatError: if the format is unknown or cannot hold these masks, or the path must not be written.
    """
    chosen, target = find_format(name), path_of(path)
    if chosen.needs_video and masks.frames is None:
        raise FormatError(f"{name} shows the video, which is not here; give it (--video), or use coco or davis")
    if masks.frames is not None:
        check_apart(target, masks.frames.sources)
    _check_suffix(target, chosen)
    with staged(target, overwrite=overwrite, holds=chosen.holds) as fresh:
        lost = chosen.write(masks, fresh, step)
    lost = tuple(_unique([*chosen.lost(masks), *lost]))
    n_events = len(masks.events) if chosen is EVENTS else None
    return ExportReport(target, name, len(masks.annotated()), len(masks.masks), lost, n_events)


def check_source(path: str | Path, name: str | None = None) -> None:
    """Refuse early what `read_masks` would refuse later, without reading anything.

    Raises:
        FormatError: if there is nothing at the path, or the format is unknown or only written.
    """
    if name is not None and find_format(name).read is None:
        raise FormatError(f"{name} is only written, not read; formats that are read: {', '.join(readable())}")
    if not path_of(path).exists():
        raise FormatError(f"there is no file or folder {path}; give the path of masks")


def read_masks(path: str | Path, name: str | None = None, *, step: Step = unwatched) -> MaskSet:
    """Read the masks of one video.

    Args:
        path: a file or folder.
        name: a format, one of `FORMATS`; without it, the format that the path looks like.
        step: told how many of how many frames or masks are done; whatever it raises stops the work.

    Raises:
        FormatError: if there are no such masks.
    """
    check_source(path, name)
    source = path_of(path)
    chosen = _recognised(source) if name is None else find_format(name)
    assert chosen.read
    return chosen.read(source, step)


def with_video(masks: MaskSet, frames: Frames) -> MaskSet:
    """The same masks with their video, all of whose frames are then there.

    Raises:
        FormatError: if they are of another video.
    """
    moved = MovedMasks(masks.masks, video_frames(masks, frames))
    return replace(
        masks, masks=moved, frames=frames, fps=frames.fps, n_frames=len(frames), frame_names=frames.frame_names
    )


def readable() -> list[str]:
    """Names of the formats that are read."""
    return [each.name for each in FORMATS.values() if each.read]


def _recognised(source: Path) -> Format:
    found = next((each for each in FORMATS.values() if each.read and each.fits(source)), None)
    if found is None and _is_session(source):
        raise FormatError(
            f"{source} is a session, not masks in a file; export its masks with "
            f"LITWidget.open({str(source)!r}).export(..., format=...)"
        )
    if found is None:
        raise FormatError(f"{source} looks like none of {', '.join(readable())}; give its format")
    return found


def _is_session(source: Path) -> bool:
    """Whether a file is of the kind that the widget keeps its sessions in."""
    if not source.is_file():
        return False
    with source.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _check_suffix(target: Path, chosen: Format) -> None:
    """Refuse a name by which no program, and not we, would know the format again.

    Raises:
        FormatError: naming the right one.
    """
    given, files = target.suffix.lower(), {each.suffix for each in FORMATS.values() if each.suffix}
    if chosen.suffix and given != chosen.suffix:
        advice = target.with_suffix(chosen.suffix) if target.name else f"a name with {chosen.suffix}"
        raise FormatError(f"{target} does not end in {chosen.suffix}, as {chosen.name} does; give {advice}")
    if not chosen.suffix and given in files:
        raise FormatError(f"{target} ends as a file, but {chosen.name} is a folder; give {target.with_suffix('')}")


def _unique(sentences: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(sentences))
