"""Every message from the kernel to the gallery; its mirror is the second half of `js/src/gallery/messages.ts`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from lit_widget.widget.to_view import Batch, Error, Job

Verdict = Literal["open", "confirmed", "accepted", "corrected", "skipped"]
Looking = Literal["waiting", "running", "stopped", "done"]


@dataclass(frozen=True)
class Classes:
    """The names of all classes; elsewhere a class is its place in this list. Sent on `hello`."""

    names: list[str]


@dataclass(frozen=True)
class Tile:
    """An image of the group as a thumbnail: what was said of it so far. `label` -1 means none."""

    image: int
    name: str
    verdict: Verdict
    label: int
    flagged: bool


@dataclass(frozen=True)
class Group:
    """Images that the base model takes for the same class. `version` counts the updates of their adapter."""

    group: int
    n_images: int
    n_done: int
    version: int


@dataclass(frozen=True)
class GroupAdapter:
    """What the adapter of the current group has learned.

    `learned_from` holds the images in order, `labels` what they were said to be, `losses` the training loss per epoch
    and `update_s` the seconds of the last update.
    """

    version: int = 0
    learned_from: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    update_s: float = 0.0


@dataclass(frozen=True)
class GalleryState:
    """Everything but pixels and guesses; sent on `hello` and whenever any of it changes.

    `image` is the image to label, -1 while there is none, `group` its group, `place` its place in it and `tiles` its
    neighbours there. `top` is how many first guesses of a model count as having known the class.
    """

    protocol: int
    model: str
    title: str
    n_images: int
    image: int
    group: int
    place: int
    tiles: list[Tile]
    groups: list[Group]
    adapter: GroupAdapter
    top: int
    learning: bool
    n_confirmed: int
    n_accepted: int
    n_corrected: int
    n_skipped: int
    n_flagged: int
    can_undo: bool
    can_redo: bool


@dataclass(frozen=True)
class Guess:
    """One class in the list: what the base model and the group's adapter give it, in percent; -1 without an adapter.

    `known` says that one of them has it among its first guesses: giving it is no correction, and nothing is learned.
    """

    label: int
    base: float
    adapter: float
    known: bool


@dataclass(frozen=True)
class Card:
    """What is thought of one image: guesses, the most likely first.

    `base` and `adapter` are the first guesses of both, -1 where there is none, and `version` says how often the
    adapter had learned.
    """

    image: int
    group: int
    version: int
    base: int
    adapter: int
    guesses: list[Guess]


@dataclass(frozen=True)
class Cards:
    """The image to label and those that come after it."""

    cards: list[Card]


@dataclass(frozen=True)
class LookReport:
    """How far the model has looked at the images; `problems` names those that cannot be read, the first few."""

    status: Looking
    n_done: int
    n_images: int
    n_unreadable: int
    left_s: float
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class PictureBytes:
    """Images, one JPEG buffer each, empty where one cannot be read; `large` ones fill the stage."""

    images: list[int]
    large: bool


ToGallery = GalleryState | Classes | Cards | LookReport | PictureBytes | Job | Error | Batch
