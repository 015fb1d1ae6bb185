"""What was done to an annotation as a Python script that does it again."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lit_widget.video.models import MODELS
from lit_widget.video.strategies import STRATEGIES
from lit_widget.video.trackers import TRACKERS

from .codec import decode_mask
from .journal import Action, Journal
from .limits import AnnotationError
from .messages import MessageError

if TYPE_CHECKING:
    from .annotation import Annotation

_MISSING = """
# Not complete: not everything that was done is in the session file, so this does not give the same masks."""

_FOLLOWS_ON = ("learn", "accept")
"""Actions that track on from the frame that they are done on."""

_HEAD = '''"""What was done to a video, to be done again; written by lit_widget's `to_script`."""

# The video: {name!r}{missing}

import pathlib

import numpy as np

import lit_widget
from lit_widget import LITWidget

here = pathlib.Path(__file__).parent
'''


def write_script(
    path: pathlib.Path, journal: Journal, annotation: Annotation, making: Mapping[str, Any]
) -> pathlib.Path:
    """Write the script, and the painted masks beside it.

    Args:
        path: of the script.
        journal: of what was done; the script says so if something is missing in it.
        annotation: that they were done to.
        making: arguments of the widget that differ from the defaults, the video among them.

    Raises:
        AnnotationError: if the path is not that of a script, work is still waiting, or a painted mask is damaged.
    """
    actions = list(journal.actions)
    if path.suffix != ".py":
        raise AnnotationError(f"a script's name ends in .py, got {path}")
    if any(each.outcome == "waiting" for each in actions):
        raise AnnotationError("work is still going on; call wait() first")
    size = annotation.learner.size
    painted = {f"mask_{at}": each.arguments["mask"] for at, each in enumerate(actions) if "mask" in each.arguments}
    missing = "" if journal.complete else _MISSING
    lines = [_HEAD.format(name=annotation.learner.frames.name, missing=missing), *_making(making)]
    if painted:
        beside = path.with_suffix(".npz")
        try:
            masks = {name: decode_mask(mask, size) for name, mask in painted.items()}
        except MessageError as error:
            raise AnnotationError(f"a painted mask in the session file is damaged: {error}; repair the file") from None
        np.savez_compressed(beside, allow_pickle=False, **masks)
        lines.append(f"masks = np.load(here / {beside.name!r}, allow_pickle=False)")
    lines.append("")
    span: tuple[int | None, int | None] = (None, None)
    for at, each in enumerate(actions):
        lines += _again(at, each, span)
        if each.name == "set_range":
            span = (each.arguments["first"], each.arguments["last"])
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def _making(making: Mapping[str, Any]) -> list[str]:
    """The line that makes the widget."""
    video, *options = [(name, _written(name, value)) for name, value in making.items() if value is not None]
    notes = [f"# Give {name} again: it was no file and no name." for name, text in [video, *options] if text == "..."]
    given = ", ".join([video[1], *(f"{name}={text}" for name, text in options)])
    return [*notes, f"w = LITWidget({given})"]


def _written(name: str, value: Any) -> str:
    """An argument as source text; `...` where it has none."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | int | float | bool | None):
        return repr(value)
    if isinstance(value, os.PathLike):
        return repr(os.fspath(value))
    if (known := bundled(name, value)) is not None:
        return repr(known)
    if name in ("update", "quirks") and dataclasses.is_dataclass(value):
        return f"lit_widget.{value!r}"
    return "..."


def bundled(name: str, value: Any) -> str | None:
    """The name of a model, strategy or tracker that everyone has, `None` for anything else."""
    known = {"model": MODELS, "strategy": STRATEGIES, "tracker": TRACKERS}.get(name, {})
    own = getattr(value, "name", None)
    return own if isinstance(own, str) and own in known else None


def _again(at: int, action: Action, span: tuple[int | None, int | None]) -> list[str]:
    """The lines that do an action again."""
    if action.outcome in ("dropped", "failed"):
        return []
    if action.outcome == "cut":
        return [f"# {_call(at, action)} was cut off by the end of the kernel; what it did is in the session file alone"]
    if action.outcome == "done":
        return [_call(at, action), *_wait(action)]
    if action.reached is None:
        return [f"# {_call(at, action)} was stopped before it came to anything"]
    if action.name not in _FOLLOWS_ON:
        return [_call(at, action, stop=action.reached), "w.wait()"]
    first, last = sorted((action.frame or 0, action.reached))
    limits = [f"w.set_range({first}, {last})", f"w.set_range({span[0]}, {span[1]})"]
    return [limits[0], _call(at, action), "w.wait()", limits[1]]


def _call(at: int, action: Action, **more: Any) -> str:
    arguments = {name: _written(name, value) for name, value in {**action.arguments, **more}.items()}
    if "mask" in arguments:
        arguments["mask"] = f'masks["mask_{at}"]'
    return f"w.{action.name}({', '.join(f'{name}={text}' for name, text in arguments.items())})"


def _wait(action: Action) -> list[str]:
    return ["w.wait()"] if action.taken else []
