"""How messages travel: dataclasses as JSON with a `type`, checked field by field when they come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, get_args, get_type_hints

from .values import fits


class MessageError(ValueError):
    """A message from the view that is not one of ours."""


def name_of(cls: type) -> str:
    """The `type` of a class's messages: `requestFrames` for `RequestFrames`."""
    return cls.__name__[0].lower() + cls.__name__[1:]


def encode(message: Any) -> dict[str, Any]:
    """The JSON form of a message: the fields and a `type`."""
    return {"type": name_of(type(message)), **asdict(message)}


def decoder(union: Any) -> Callable[[object], Any]:
    """A function that reads the messages of a union.

    It raises `MessageError` if the type is unknown, or a field is missing, unknown, of the wrong type or not finite.
    """
    classes = {name_of(cls): cls for cls in get_args(union)}

    def decode(content: object) -> Any:
        if not isinstance(content, dict):
            raise MessageError(f"expected a message object, got {type(content).__name__}")
        kind = content.get("type")
        cls = classes.get(kind) if isinstance(kind, str) else None
        if cls is None:
            raise MessageError(f"unknown message type {str(kind)[:40]!r}")
        return _read(cls, str(kind), {key: value for key, value in content.items() if key != "type"})

    return decode


def _read(cls: type, kind: str, given: dict[Any, Any]) -> Any:
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
