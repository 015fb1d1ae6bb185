"""Every message between the kernel and the view, validated at the border.

Those from the kernel are in `to_view.py`, the TypeScript side is `js/src/messages.ts`. `tests/test_messages.py` and
`js/test/contract.test.ts` read the same samples, so that neither side can drift alone. Buffers travel beside a
message, in the order named in its docstring. Frames are JPEG. A mask is one bit per pixel, rows concatenated without
padding between them, most significant bit first (`numpy.packbits`), compressed with zlib.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, get_args, get_type_hints

from .to_view import ToView
from .values import fits

PROTOCOL = 5
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
class Preview:
    """What would a click here give? Answered by `PreviewMask` if the model is free, and not if a newer one comes."""

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
    """Take back the last step, masks and weights alike."""


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
    | Preview
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
