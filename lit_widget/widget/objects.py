"""The objects of an annotation: what they are called and look like, which are hidden, and which must not change."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .limits import AnnotationError

PALETTE: dict[str, str] = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "pink": "#CC79A7",
    "sky": "#56B4E9",
    "red": "#D55E00",
    "yellow": "#F0E442",
}
"""Okabe and Ito's colours, told apart by people with any colour vision."""

MAX_NAME = 80
"""Characters of a name."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Thing:
    """What is known of one object beside its masks.

    Attributes:
        name: as users read it.
        colour: `#rrggbb`.
        hidden: whether its masks are not shown.
        locked: whether nothing may change its masks.
    """

    name: str
    colour: str
    hidden: bool = False
    locked: bool = False


@dataclass(frozen=True)
class Objects:
    """All objects by id, never changed in place, because several threads read them. Ids are not used twice.

    Attributes:
        things: by id.
        next_id: that of the next object.
    """

    things: dict[int, Thing]
    next_id: int

    @classmethod
    def first(cls) -> Objects:
        """One object, which every annotation begins with."""
        return cls({}, 1).add(None)

    @property
    def names(self) -> dict[int, str]:
        """Names by id."""
        return {each: thing.name for each, thing in self.things.items()}

    def __getitem__(self, object_id: int) -> Thing:
        """What is known of an object.

        Raises:
            AnnotationError: naming the objects that exist.
        """
        if object_id not in self.things:
            raise AnnotationError(f"object {object_id} does not exist; objects are {list(self.things)}")
        return self.things[object_id]

    def add(self, name: str | None) -> Objects:
        """One more, with the first colour of the palette that the fewest others have."""
        taken = [thing.colour for thing in self.things.values()]
        colour = min(PALETTE.values(), key=taken.count)
        thing = Thing(_name(f"object {self.next_id}" if name is None else name), colour)
        return Objects({**self.things, self.next_id: thing}, self.next_id + 1)

    def edit(
        self,
        object_id: int,
        *,
        name: str | None = None,
        colour: str | None = None,
        hidden: bool | None = None,
        locked: bool | None = None,
    ) -> Objects:
        """One object changed where something is given.

        Raises:
            AnnotationError: if there is no such object, or the name or colour cannot be one.
        """
        wanted = {
            "name": None if name is None else _name(name),
            "colour": None if colour is None else _colour(colour),
            "hidden": hidden,
            "locked": locked,
        }
        changes = {key: value for key, value in wanted.items() if value is not None}
        return replace(self, things={**self.things, object_id: replace(self[object_id], **changes)})

    def remove(self, object_id: int) -> Objects:
        """All but this one; the only one stays, for there is always an object to work on."""
        rest = {each: thing for each, thing in self.things.items() if each != object_id}
        return replace(self, things=rest or self.things)

    def back_to(self, before: Objects) -> Objects:
        """Those of an earlier time as they were called and coloured; what is hidden and locked now stays so."""
        now = {each: self.things.get(each, thing) for each, thing in before.things.items()}
        things = {
            each: replace(thing, hidden=now[each].hidden, locked=now[each].locked)
            for each, thing in before.things.items()
        }
        return Objects(things, max(self.next_id, before.next_id))

    def difference(self, other: Objects) -> str:
        """What these are that others are not, in a few words; empty if they are called and look the same."""
        for each, thing in self.things.items():
            if each not in other.things:
                return f"{thing.name} is here again"
            if thing.name != other.things[each].name:
                return f"{other.things[each].name} is {thing.name}"
            if thing.colour != other.things[each].colour:
                return f"the colour of {thing.name}"
        gone = [thing.name for each, thing in other.things.items() if each not in self.things]
        return f"{gone[0]} is gone" if gone else ""

    def neighbour(self, object_id: int) -> int:
        """The object to go on with when this one is gone: the next, else the last."""
        return next((each for each in self.things if each > object_id), max(self.things))


def _name(given: object) -> str:
    if not isinstance(given, str):
        raise AnnotationError(f"a name is a text, got {given!r}")
    name = " ".join("".join(each if each.isprintable() else " " for each in given).split())
    if not 0 < len(name) <= MAX_NAME:
        raise AnnotationError(f"a name has 1 to {MAX_NAME} characters, got {len(name)}")
    return name


def _colour(given: object) -> str:
    if not isinstance(given, str) or not _COLOUR.fullmatch(given):
        known = ", ".join(f"{colour} ({name})" for name, colour in PALETTE.items())
        raise AnnotationError(f"the colour {given!r} is not #rrggbb; these are told apart by everyone: {known}")
    return given
