"""Every message from the kernel to the view; its mirror is the second half of `js/src/messages.ts`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

FrameStatus = Literal["prompted", "tracked", "corrected", "accepted"]
JobKind = Literal["predict", "track", "learn", "propose"]
JobStatus = Literal["running", "done", "cancelled", "interrupted", "failed"]


@dataclass(frozen=True)
class VideoInfo:
    """What the view must know about the video; `fps` is frames per second of playback."""

    name: str
    n_frames: int
    height: int
    width: int
    fps: float


@dataclass(frozen=True)
class Prompt:
    """A click that stands on a frame."""

    frame: int
    object: int
    x: float
    y: float
    positive: bool


@dataclass(frozen=True)
class Standing:
    """What stands on a frame until it is learned or taken back.

    `painted` says that the mask was painted and not clicked, `box` holds the corners x0, y0, x1, y1 or nothing, and
    `first` says that there was no tracked mask to correct.
    """

    frame: int
    object: int
    painted: bool
    box: list[float]
    first: bool


@dataclass(frozen=True)
class AdapterInfo:
    """State of one object's adapter.

    `version` counts updates (0: nothing learned), `learned_from` the corrected frames in order, `losses` the
    training loss per epoch and `update_s` the seconds of the last update.
    """

    object: int
    version: int = 0
    learned_from: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    update_s: float = 0.0


@dataclass(frozen=True)
class ObjectInfo:
    """An object and the runs of frames in each status: `[first, last, status]`, inclusive, sorted.

    The masks of a hidden object are not shown, those of a locked one do not change. `changed` holds runs of frames,
    `[first, last]`, whose masks the latest tracking, undo or redo made other than they were.
    """

    id: int
    name: str
    colour: str
    runs: list[tuple[int, int, FrameStatus]] = field(default_factory=list)
    hidden: bool = False
    locked: bool = False
    changed: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class MemoryInfo:
    """What encoded frames and masks take, in megabytes: in memory, of how many, and in the temporary file."""

    used: int
    most: int
    file: int


@dataclass(frozen=True)
class State:
    """Everything but pixels; sent on `hello` and whenever any of it changes.

    `proposes_untaught` says whether proposals can be had before anything was learned; `palette` holds names and
    values of the colours that an object can be given, `range` the first and last frame to track or nothing;
    `learning` says whether corrections are learned, `previews` whether the device is fast enough to show what a click
    would give. `proposes` is whether the strategy can propose at all, `panel` whether the view tells what was learned,
    and `saved` whether the work is in a session file.
    """

    protocol: int
    model: str
    video: VideoInfo
    objects: list[ObjectInfo]
    adapters: list[AdapterInfo]
    standing: list[Standing]
    prompts: list[Prompt]
    palette: list[tuple[str, str]]
    learning: bool
    range: list[int]
    active_object: int
    proposes: bool
    proposes_untaught: bool
    panel: bool
    saved: bool
    can_undo: bool
    can_redo: bool
    n_corrections: int
    n_accepted: int
    saved_s: float
    memory: MemoryInfo
    previews: bool = False


@dataclass(frozen=True)
class Frames:
    """Frames, one JPEG buffer each."""

    indices: list[int]


@dataclass(frozen=True)
class MaskInfo:
    """Which mask a buffer holds; a higher `version` replaces a lower one, an older one is dropped."""

    frame: int
    object: int
    version: int
    status: FrameStatus


@dataclass(frozen=True)
class Masks:
    """Masks, one buffer each. `forget` names masks that no longer exist."""

    items: list[MaskInfo]
    forget: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class PreviewMask:
    """The mask that a click would give, in one buffer; nothing was changed."""

    frame: int
    object: int
    x: float
    y: float
    positive: bool


@dataclass(frozen=True)
class ConfidenceStrips:
    """How sure the masks of these objects are, one buffer each: a byte per frame, percent or 255 without a mask."""

    objects: list[int]


@dataclass(frozen=True)
class Job:
    """State of the running or last job. `total` 0 means unknown; `left_s` is an estimate in seconds."""

    id: int
    kind: JobKind
    status: JobStatus
    done: int = 0
    total: int = 0
    left_s: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Candidate:
    """Where a proposed mask comes from: who proposes, how often the adapter was trained, and on which frames."""

    source: str
    adapter_version: int
    learned_from: list[int]


@dataclass(frozen=True)
class ProposalInfo:
    """The adapters' masks at a frame marked as wrong, one buffer each; `frame` -1 closes the open proposal."""

    frame: int
    object: int = 0
    candidates: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True)
class Error:
    """Something that the user should know: what was given, what was expected, what to do."""

    message: str


@dataclass(frozen=True)
class Batch:
    """Answer to `poll`: waiting messages in order, each with the number of buffers that are its own."""

    messages: list[dict[str, Any]]
    n_buffers: list[int]


ToView = State | Frames | Masks | PreviewMask | ConfidenceStrips | Job | ProposalInfo | Error | Batch
