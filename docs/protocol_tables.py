"""Write the tables of `protocol.md`, between its markers, from the message classes.

python docs/protocol_tables.py
"""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, fields, is_dataclass
from inspect import getdoc
from pathlib import Path
from types import ModuleType
from typing import Literal, get_args, get_origin

from lit_widget.widget import to_view
from lit_widget.widget.gallery import messages as gallery
from lit_widget.widget.gallery import to_view as to_gallery
from lit_widget.widget.messages import PROTOCOL, ToKernel

PAGE = Path(__file__).with_name("protocol.md")


def messages(union: object) -> str:
    """A row per message of a union, by its `type`."""
    return table("type", {cls.__name__[0].lower() + cls.__name__[1:]: cls for cls in get_args(union)})


def parts(module: ModuleType, union: object) -> str:
    """What messages to the view are made of: dataclasses that are no messages, then the sets of words."""
    inside, whole = vars(module).items(), get_args(union)
    made = {name: cls for name, cls in inside if isinstance(cls, type) and is_dataclass(cls) and cls not in whole}
    words = {name: get_args(kind) for name, kind in inside if get_origin(kind) is Literal}
    listed = [f"- `{name}` is one of {', '.join(f'`{word}`' for word in choices)}." for name, choices in words.items()]
    return "\n".join([table("part", made), "", *listed])


def table(what: str, classes: dict[str, type]) -> str:
    """A Markdown table of dataclasses with their fields and docstrings."""
    head = [f"| {what} | fields | meaning |", "| --- | --- | --- |"]
    return "\n".join([*head, *(f"| `{name}` | {_fields(cls)} | {_meaning(cls)} |" for name, cls in classes.items())])


def _fields(cls: type) -> str:
    return "<br>".join(map(_field, fields(cls))) or "–"


def _field(each: Field) -> str:
    optional = each.default is not MISSING or each.default_factory is not MISSING
    kind = str(each.type).replace("|", "or").replace("None", "null")
    return f"`{each.name}{'?' if optional else ''}`: {kind}"


def _meaning(cls: type) -> str:
    return " ".join((getdoc(cls) or "").split()).replace("|", "\\|")


BLOCKS = {
    "version": lambda: f"This is version {PROTOCOL}.",
    "to-kernel": lambda: messages(ToKernel),
    "to-view": lambda: messages(to_view.ToView),
    "parts": lambda: parts(to_view, to_view.ToView),
    "from-gallery": lambda: messages(gallery.FromGallery),
    "to-gallery": lambda: messages(to_gallery.ToGallery),
    "gallery-parts": lambda: parts(to_gallery, to_gallery.ToGallery),
}


def filled(text: str) -> str:
    """The page with every `<!-- messages: NAME -->` block written anew."""
    pattern = r"(<!-- messages: ([\w-]+) -->)\n.*?(<!-- end -->)"
    return re.sub(pattern, lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n\n{found[3]}", text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
