"""Leaving a model in the middle of a frame, when somebody asks for something that cannot wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from torch import nn


class _Left(Exception):  # noqa: N818 - nothing went wrong
    """The way out of a module."""


@contextmanager
def interruptible(module: nn.Module, asked: Callable[[], bool]) -> Iterator[None]:
    """Leave this context before the next layer of `module` runs once `asked` says so; other threads stay in theirs.

    Args:
        module: what is run, by this thread.
        asked: asked before every layer.
    """
    own = threading.get_ident()

    def leave(*_: object) -> None:
        if threading.get_ident() == own and asked():
            raise _Left

    hooks = [each.register_forward_pre_hook(leave) for each in module.modules()]
    try:
        with suppress(_Left):
            yield
    finally:
        for hook in hooks:
            hook.remove()
