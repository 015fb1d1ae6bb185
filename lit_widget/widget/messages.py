"""Every message between the kernel and the view, validated at the border.

The TypeScript side is `js/src/messages.ts`; `tests/test_messages.py` and `js/test/contract.test.ts` read the
same samples, so that neither side can drift alone. Buffers travel beside a message, in the order named in
its docstring. Frames are JPEG. A mask is one bit per pixel, rows concatenated without padding between
them, most significant bit first (`numpy.packbits`), compressed with zlib.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args, get_type_hints

from .values import fits

PROTOCOL = 4
"""Version of the protocol; the view says which one it speaks in `hello`."""


class MessageError(ValueError):
    """A message from the view that is not one of ours."""


# --- View to kernel -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hello:
    """A view has opened (or reopened) and wants the whole state."""

    protocol: int


@dataclass(frozen=True)
class Poll:
    """The view asks for whatever is waiting; used by hosts that drop messages sent from threads."""


@dataclass(frozen=True)
class RequestFrames:
    """Send these frames; answered by `Frames`."""

    indices: list[int]


@dataclass(frozen=True)
class RequestMasks:
    """Send the present masks of all objects on these frames; answered by `Masks`."""

    indices: list[int]


@dataclass(frozen=True)
class Click:
    """A point prompt in video pixels, x to the right and y down."""

    frame: int
    object: int
    x: float
    y: float
    positive: bool


@dataclass(frozen=True)
class Box:
    """A box prompt in video pixels; it replaces the prompts of the object on this frame."""

    frame: int
    object: int
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class GiveMask:
    """The whole mask of an object on a frame, painted by hand; one buffer, in the form of all masks."""

    frame: int
    object: int


@dataclass(frozen=True)
class RemovePrompt:
    """Take back one click of an object on a frame, counted from 0 in the order of `State.prompts`."""

    frame: int
    object: int
    index: int


@dataclass(frozen=True)
class ClearPrompts:
    """Take back the prompts of an object on a frame that have not been learned yet."""

    frame: int
    object: int


@dataclass(frozen=True)
class AddObject:
    """Start a new object; it becomes the active one."""


@dataclass(frozen=True)
class Choose:
    """Make an object the active one."""

    object: int


@dataclass(frozen=True)
class EditObject:
    """Change what is given: the name, the colour `#rrggbb`, whether its masks are hidden, whether it is locked."""

    object: int
    name: str | None = None
    colour: str | None = None
    hidden: bool | None = None
    locked: bool | None = None


@dataclass(frozen=True)
class DeleteObject:
    """Remove an object with its masks and adapters; undo brings it back."""

    object: int


@dataclass(frozen=True)
class Track:
    """Propagate all objects from a frame, forward or backward, to the end of the video or `stop` (included)."""

    start: int
    reverse: bool = False
    stop: int | None = None


@dataclass(frozen=True)
class SetRange:
    """Track no further than from `first` to `last`; `null` is the end of the video, and both lift the limit."""

    first: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class SetLearning:
    """Learn from corrections and propose, or do neither."""

    on: bool


@dataclass(frozen=True)
class Learn:
    """The prompts on this frame are a finished correction: train the adapter, then track on from here."""

    frame: int
    object: int


@dataclass(frozen=True)
class Flag:
    """The mask of this object is wrong on this frame: ask for a proposal."""

    frame: int
    object: int


@dataclass(frozen=True)
class Accept:
    """Take the open proposal: it becomes the mask, the frame is locked, tracking goes on from it.

    `candidate` says which one where several adapters propose.
    """

    candidate: int = 0


@dataclass(frozen=True)
class Reject:
    """Dismiss the open proposal; the mask stays as it was, ready for a correction."""


@dataclass(frozen=True)
class Cancel:
    """Stop the running job after the frame or step in hand and drop those behind it; what is done stays."""


@dataclass(frozen=True)
class Interrupt:
    """Stop tracking, and let what waits not track either; what is to be learned is learned."""


@dataclass(frozen=True)
class Undo:
    """Take back the last correction or accepted proposal, masks and weights alike."""


@dataclass(frozen=True)
class Redo:
    """Take the last undo back."""


@dataclass(frozen=True)
class Forget:
    """Rebuild the adapters as if the correction on this frame had never been learned; its mask stays."""

    frame: int
    object: int


ToKernel = (
    Hello
    | Poll
    | RequestFrames
    | RequestMasks
    | Click
    | Box
    | GiveMask
    | RemovePrompt
    | ClearPrompts
    | AddObject
    | Choose
    | EditObject
    | DeleteObject
    | Track
    | SetRange
    | SetLearning
    | Learn
    | Flag
    | Accept
    | Reject
    | Cancel
    | Interrupt
    | Undo
    | Redo
    | Forget
)

# --- Kernel to view -------------------------------------------------------------------------------

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

    The masks of a hidden object are not shown, those of a locked one do not change.
    """

    id: int
    name: str
    colour: str
    runs: list[tuple[int, int, FrameStatus]] = field(default_factory=list)
    hidden: bool = False
    locked: bool = False


@dataclass(frozen=True)
class State:
    """Everything but pixels; sent on `hello` and whenever any of it changes.

    `proposes_untaught` says whether proposals can be had before anything was learned; `palette` holds names and
    values of the colours that an object can be given, `range` the first and last frame to track or nothing;
    `learning` says whether corrections are learned.
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
    proposes_untaught: bool
    can_undo: bool
    can_redo: bool
    n_corrections: int
    n_accepted: int
    saved_s: float


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


ToView = State | Frames | Masks | ConfidenceStrips | Job | ProposalInfo | Error | Batch

_NAMES: dict[str, type] = {
    cls.__name__[0].lower() + cls.__name__[1:]: cls for union in (ToKernel, ToView) for cls in get_args(union)
}
_NAME_OF = {cls: name for name, cls in _NAMES.items()}
_FROM_VIEW = frozenset(get_args(ToKernel))


def encode(message: ToKernel | ToView) -> dict[str, Any]:
    """The JSON form: the fields and a `type` (`requestFrames` for `RequestFrames`)."""
    return {"type": _NAME_OF[type(message)], **asdict(message)}


def decode(content: object) -> ToKernel:
    """Read a message from the view.

    Raises:
        MessageError: if the type is unknown, a field is missing, unknown, of the wrong type or not finite.
    """
    if not isinstance(content, dict):
        raise MessageError(f"expected a message object, got {type(content).__name__}")
    kind = content.get("type")
    cls = _NAMES.get(kind) if isinstance(kind, str) else None
    if cls is None or cls not in _FROM_VIEW:
        raise MessageError(f"unknown message type {str(kind)[:40]!r}")
    given = {key: value for key, value in content.items() if key != "type"}
    known = {item.name for item in fields(cls)}
    if unknown := [str(key)[:40] for key in given if key not in known]:
        raise MessageError(f"message {kind!r} has unknown fields {unknown[:5]}")
    hints = get_type_hints(cls)
    # JSON writes whole numbers without a point.
    given |= {name: float(value) for name, value in given.items() if hints[name] is float and fits(value, int)}
    for name, value in given.items():
        if not fits(value, hints[name]):
            raise MessageError(f"message {kind!r}: field {name!r} has the wrong type or value")
    try:
        return cls(**given)
    except TypeError:
        raise MessageError(f"message {kind!r} lacks a field; expected {sorted(known)}") from None
