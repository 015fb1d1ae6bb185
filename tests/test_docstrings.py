"""Every public docstring is whole: arguments, results and errors, with shapes and units."""

from __future__ import annotations

import ast
import builtins
import re
import textwrap
from collections.abc import Iterator

import griffe
import pytest
from public_names import found, listed, resolved

ARRAY = re.compile(r"\b(ndarray|Tensor)\b")
JAXTYPING = re.compile(r"\w+\[[\w.]+, (['\"]).*?\1\]")
"""An array whose annotation has the shape."""

SHAPE = re.compile(r"\([A-Za-z0-9]+, ?[A-Za-z0-9, ]*\)")
"""(T, H, W), (n, d), (T,)"""

Said = dict[str, dict[str, str]]
"""What a docstring says of each name, by section."""


def lacking(value: griffe.Object) -> Iterator[str]:
    """What a public name and all that is public in it do not say, what they inherit included."""
    said = sections(value)
    if value.is_function:
        yield from of_function(value, said)
        return
    if value.docstring is None:
        yield f"{value.path}: a docstring"
    if value.is_class:
        yield from of_class(value, said)
    told = {name for part in ("attributes", "parameters") for name in said.get(part, {})}
    for name, member in (value.all_members if value.is_class else value.members).items():
        # Of a module's members, those that it has from elsewhere are at home there.
        if name.startswith("_") or (value.is_module and member.is_alias):
            continue
        inside = resolved(member)
        if not inside.is_attribute:
            yield from lacking(inside)
        elif name not in told and inside.docstring is None and "help=" not in str(inside.value):
            yield f"{inside.path}: what it is"
        elif inside.docstring:
            yield from unmeasured(inside.path, inside.name, inside.annotation, inside.docstring.value)


def of_class(value: griffe.Class, said: Said) -> Iterator[str]:
    if "dataclass" in value.labels:
        for name, told in said.get("attributes", {}).items():
            if name in value.attributes:
                yield from unmeasured(value.path, name, value.attributes[name].annotation, told)
            else:
                yield f"{value.path}: that {name} is no attribute"
    elif (made := value.all_members.get("__init__")) is not None and not made.is_alias:
        yield from of_arguments(made, value.path, said)


def of_function(value: griffe.Function, said: Said) -> Iterator[str]:
    if value.docstring is None:
        yield f"{value.path}: a docstring"
        return
    yield from of_arguments(value, value.path, said)
    for names in raised(value):
        if not names & set(said.get("raises", {})):
            yield f"{value.path}: that it raises one of {', '.join(sorted(names - {'BaseException', 'object'}))}"
    results = {**said.get("returns", {}), **said.get("yields", {})}
    # Where nothing is given, the first line says what comes back.
    if arguments(value) and not results and str(value.returns or "None") != "None":
        yield f"{value.path}: what it returns ({value.returns})"
    yield from unmeasured(value.path, value.name, value.returns, " ".join(results.values()) or value.docstring.value)


def of_arguments(function: griffe.Function, path: str, said: Said) -> Iterator[str]:
    told, known = said.get("parameters", {}), arguments(function)
    for name, annotation in known.items():
        if told.get(name):
            yield from unmeasured(path, name, annotation, told[name])
        else:
            yield f"{path}: the argument {name}"
    yield from (f"{path}: that {name} is no argument" for name in told if name not in known)


def unmeasured(path: str, name: str, annotation: object, told: str) -> Iterator[str]:
    """Arrays have a shape, in the text or in their annotation; times have a unit."""
    kind = str(annotation or "")
    if ARRAY.search(JAXTYPING.sub("", kind)) and not SHAPE.search(told):
        yield f"{path}: the shape of {name}"
    if name.endswith("_s") and "second" not in told:
        yield f"{path}: the unit of {name}"


def arguments(function: griffe.Function) -> dict[str, object]:
    return {each.name: each.annotation for each in function.parameters if each.name not in ("self", "cls")}


def sections(value: griffe.Object) -> Said:
    kept: Said = {}
    for section in value.docstring.parsed if value.docstring else ():
        if isinstance(section.value, list) and section.kind is not griffe.DocstringSectionKind.examples:
            kept[section.kind.value] = {name_of(each): each.description for each in section.value}
    return kept


def name_of(entry: griffe.DocstringElement) -> str:
    return (getattr(entry, "name", "") or str(entry.annotation)).lstrip("*")


def raised(function: griffe.Function) -> Iterator[set[str]]:
    """The errors that a function raises itself, each with what it inherits."""
    (node,) = ast.parse(textwrap.dedent(function.source)).body
    for each in own(node):
        if isinstance(each, ast.Raise) and isinstance(each.exc, ast.Call) and isinstance(each.exc.func, ast.Name):
            yield lineage(function, each.exc.func.id)


def lineage(scope: griffe.Object, name: str) -> set[str]:
    """The name of a class and of its bases, found without importing anything."""
    if isinstance(known := getattr(builtins, name, None), type):
        return {each.__name__ for each in known.__mro__}
    cls = found(scope.resolve(name))
    if isinstance(cls, griffe.Function):  # that makes the error
        return lineage(cls, str(cls.returns))
    return {name}.union(*(lineage(cls, str(base)) for base in cls.bases))


def own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions in it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield child
            yield from own(child)


@pytest.mark.parametrize("path", sorted(listed()))
def test_docstrings_are_whole(path):
    lacks = set(lacking(found(path)))
    assert not lacks, "docstrings do not say\n" + "\n".join(sorted(lacks))


BAD = '''
from dataclasses import dataclass
import numpy

class Whole:
    """It.

    Args:
        wrong: there is none.
    """

    def __init__(self, mask: numpy.ndarray): ...

    def shaped(self, mask: numpy.ndarray) -> numpy.ndarray:
        """Do it.

        Args:
            mask: of the object.

        Returns:
            Another.
        """
        raise ValueError("no")

    def bare(self): ...

    def timed(self, wait_s: float) -> int:
        """Do it.

        Args:
            wait_s: at most.
        """

@dataclass
class Fields:
    """They.

    Attributes:
        one: of them.
        three: is none.
    """

    one: int
    two: int
'''


def test_what_is_left_out_is_found(tmp_path):
    (tmp_path / "bad_docstrings.py").write_text(BAD)
    bad = griffe.load("bad_docstrings", search_paths=[str(tmp_path)], docstring_parser="google")
    assert set(lacking(bad)) == {
        f"bad_docstrings{lack}"
        for lack in (
            ": a docstring",
            ".Whole: the argument mask",
            ".Whole: that wrong is no argument",
            ".Whole.shaped: the shape of mask",
            ".Whole.shaped: the shape of shaped",
            ".Whole.shaped: that it raises one of Exception, ValueError",
            ".Whole.bare: a docstring",
            ".Whole.timed: the unit of wait_s",
            ".Whole.timed: what it returns (int)",
            ".Fields: that three is no attribute",
            ".Fields.two: what it is",
        )
    }
