"""What a format is, and what became of a set of masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .losses import Loss
from .mask_set import MaskSet, Step

Holds = Callable[[Path, str], bool]
"""Whether the file at a path, which lies at this place in a folder, is part of such an export."""


@dataclass(frozen=True)
class Format:
    """A way to keep masks in files.

    Attributes:
        name: what users write.
        line: one line of help.
        losses: what it cannot hold of a `MaskSet`; none where it reads back exactly.
        write: writes masks to a path and returns what was lost of these in particular, one sentence each.
        read: reads a path; `None` for formats that are only written.
        fits: whether a path looks like this format.
        suffix: of the file; empty for a folder.
        holds: whether a file, named by its path within the folder, is such as is written there; `None` for a file.
        needs_video: whether it shows the video.
    """

    name: str
    line: str
    losses: tuple[Loss, ...]
    write: Callable[[MaskSet, Path, Step], list[str]]
    read: Callable[[Path, Step], MaskSet] | None = None
    fits: Callable[[Path], bool] = lambda _: False
    suffix: str = ""
    holds: Holds | None = None
    needs_video: bool = False

    @property
    def loses(self) -> str:
        """What it cannot hold, in words."""
        return "; ".join(each.text for each in self.losses)

    def lost(self, masks: MaskSet) -> list[str]:
        """Which of its losses happen to these masks; what `write` counts is not among them."""
        return [each.text for each in self.losses if each.happens(masks)]

    def __str__(self) -> str:
        return f"{self.line} ({'out and in' if self.read else 'out'}; loses {self.loses or 'nothing'})"


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        path: of the file or folder.
        format: its name.
        n_frames: frames with masks.
        n_masks: masks.
        lost: what of these masks is not in the file, one sentence each; empty where it reads back exactly.
        n_events: lines of the table of events; `None` for masks.
    """

    path: Path
    format: str
    n_frames: int
    n_masks: int
    lost: tuple[str, ...]
    n_events: int | None = None

    def __str__(self) -> str:
        masks = f"{self.n_masks} masks on {self.n_frames} frames"
        what = masks if self.n_events is None else f"{self.n_events} events"
        text = f"{what} written to {self.path} as {self.format}"
        if self.n_events is None and not self.n_masks:
            text = f"no mask was there to write: {self.path} is {self.format} without any"
        return f"{text}; not in it: {'; '.join(self.lost)}" if self.lost else f"{text}, complete"
