"""Every message from the gallery to the kernel; what it shares with the video's view is defined there."""

from __future__ import annotations

from dataclasses import dataclass

from lit_widget.widget.messages import Cancel, Hello, Poll, Redo, SetLearning, Undo
from lit_widget.widget.wire import decoder

PROTOCOL = 1
"""Version of the gallery's protocol; the view says which one it speaks in `hello`."""


@dataclass(frozen=True)
class RequestPictures:
    """Send these images; answered by `PictureBytes`."""

    images: list[int]
    large: bool


@dataclass(frozen=True)
class Label:
    """Say which class an image is."""

    image: int
    label: int


@dataclass(frozen=True)
class Skip:
    """Leave an image without a label."""

    image: int


@dataclass(frozen=True)
class SetFlag:
    """Mark an image to be looked at again, or take the mark away."""

    image: int
    on: bool


@dataclass(frozen=True)
class Show:
    """Go to an image."""

    image: int


@dataclass(frozen=True)
class ShowGroup:
    """Go to the first open image of a group."""

    group: int


@dataclass(frozen=True)
class Unlearn:
    """Rebuild the adapters as if the correction of this image had never been learned; its label stays."""

    image: int


@dataclass(frozen=True)
class Look:
    """Go on looking at the images after `cancel`."""


FromGallery = (
    Hello
    | Poll
    | RequestPictures
    | Label
    | Skip
    | SetFlag
    | Show
    | ShowGroup
    | Unlearn
    | Look
    | Cancel
    | Undo
    | Redo
    | SetLearning
)

decode = decoder(FromGallery)
