"""What an annotation held at one time, and where that is something else than at another."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch

from lit_widget.core.types import AdapterState
from lit_widget.video.adaptation import VideoItem

from .tables import KEYS

if TYPE_CHECKING:
    from lit_widget.core.history import Checkpoint
    from lit_widget.widget.annotation import Annotation
    from lit_widget.widget.pending import Pending

Book = dict[int, dict[int, Any]]
"""Values by object and frame or slot; nested, because one dictionary of thousands of pairs costs more than one row."""

Contents = dict[str, Book]
"""Masks, prompts and adapters, by the table that they are kept in."""

Key = tuple[int, int]

Changed = dict[str, list[Key]]
"""Keys by table."""


def present(annotation: Annotation, adapters: Mapping[tuple[Hashable, int], AdapterState]) -> Contents:
    """What an annotation holds now; the weights of its adapters are given, because copying them takes long."""
    banks = dict(annotation.learner.banks)
    masks = {object_id: dict(bank.records) for object_id, bank in banks.items()}
    return {"mask": masks, "prompt": _by_object(annotation.pending), "adapter": nested(adapters.items())}


def past(state: Checkpoint) -> Contents:
    """What a checkpoint that holds everything goes back to."""
    assert state.snapshot is not None
    masks, prompts = state.snapshot.memory or {}, state.beside[2] or {}
    return {"mask": masks, "prompt": _by_object(prompts), "adapter": nested(state.snapshot.adapters.items())}


def nested(values: Iterable[tuple[tuple[Any, int], Any]]) -> Book:
    """Values by their keys."""
    book: Book = {}
    for (owner, place), value in values:
        book.setdefault(owner, {})[place] = value
    return book


def flat(book: Book) -> Iterator[tuple[Key, Any]]:
    """The other way round."""
    return (((owner, place), value) for owner, values in book.items() for place, value in values.items())


def at(book: Book, key: Key) -> Any:
    """A value, `None` where there is none."""
    return book.get(key[0], {}).get(key[1])


def difference(one: Contents, other: Contents, among: Mapping[str, Iterable[Key]] | None = None) -> Changed:
    """Where two hold something else, of all keys or of some."""
    if among is None:
        return {table: list(_differing(one.get(table, {}), other.get(table, {}))) for table in KEYS}
    return {
        table: [key for key in among[table] if not _same(at(one[table], key), at(other[table], key))] for table in KEYS
    }


def _differing(one: Book, other: Book) -> Iterator[Key]:
    for owner in one.keys() | other.keys():
        mine, theirs = one.get(owner, {}), other.get(owner, {})
        # Nearly all is as it was, and this says so five times as fast as looking at each.
        if mine.keys() == theirs.keys() and all(map(operator.is_, mine.values(), map(theirs.get, mine))):
            continue
        for place, value in mine.items():
            if not _same(theirs.get(place), value):
                yield owner, place
        for place in theirs.keys() - mine.keys():
            yield owner, place


def _same(one: object, other: object) -> bool:
    """Whether two are one; only the weights of an adapter are ever made twice."""
    if one is other:
        return True
    if not (isinstance(one, AdapterState) and isinstance(other, AdapterState)):
        return False
    named = (one.version, one.learned_from) == (other.version, other.learned_from)
    named = named and one.tensors.keys() == other.tensors.keys()
    return named and all(torch.equal(one.tensors[name], tensor) for name, tensor in other.tensors.items())


def _by_object(prompts: Mapping[VideoItem, Pending]) -> Book:
    return nested(((item.object, item.frame), pending) for item, pending in dict(prompts).items())
