"""Every message between the kernel and the view, validated at the border.

Those from the kernel are in `to_view.py`, the TypeScript side is `js/src/messages.ts`. `tests/test_messages.py` and
`js/test/contract.test.ts` read the same samples, so that neither side can drift alone. Buffers travel beside a
message, in the order named in its docstring. Frames are JPEG. A mask is one bit per pixel, rows concatenated without
padding between them, most significant bit first (`numpy.packbits`), compressed with zlib.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import wire

PROTOCOL = 6
"""Version of the protocol; the view says which one it speaks in `hello`."""


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

encode, decode, MessageError = wire.encode, wire.decoder(ToKernel), wire.MessageError
