"""What was done to an annotation, by mouse or by method, in order: to read, to be told of, and to do again."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar

from .activity import Activity

if TYPE_CHECKING:
    import pandas as pd

By = Literal["view", "method"]
Outcome = Literal["waiting", "done", "stopped", "dropped", "failed", "cut"]

by: ContextVar[By] = ContextVar("by", default="method")
"""Who asks for what is being done."""


@dataclass(eq=False)
class Action:
    """One thing that was done.

    Attributes:
        name: of the widget's method.
        arguments: that it was given, the object and frame meant filled in.
        by: a view's message or a call of the method.
        at_s: seconds since the widget was made, or the session that it goes on with was begun.
        outcome: how it ended; "waiting" until then, "stopped" on the way, "dropped" before it began, "cut" off by the
            end of the kernel.
        took_s: seconds of work.
        reached: the last frame that was tracked to, if any was.
        told: an error, or what was said beside the result.
        frame: that it was done on.
        object_id: that it was done to.
        taken: whether its end is told by the work that it began.
    """

    name: str
    arguments: dict[str, Any]
    by: By
    at_s: float
    outcome: Outcome = "waiting"
    took_s: float = 0.0
    reached: int | None = None
    told: str = ""
    frame: int | None = None
    object_id: int | None = None
    taken: bool = field(default=False, repr=False)


ACTIONS: dict[str, tuple[str, ...]] = {}
"""All methods that do something, with the names of their arguments."""

COLUMNS = ("at_s", "action", "frame", "object", "by", "outcome", "took_s", "reached", "told")
_AS_TABLE = {"frame": "Int64", "object": "Int64", "reached": "Int64"}


@dataclass
class Journal:
    """All actions of one session, and who wants to hear of them.

    Attributes:
        actions: in order.
        complete: whether nothing that was done in the session is missing.
    """

    actions: list[Action] = field(default_factory=list)
    complete: bool = True
    _listeners: list[tuple[str | None, Callable[[Action], object]]] = field(default_factory=list)
    _begun: float = field(default_factory=time.monotonic)

    def resume(self, actions: list[Action], since_s: float, *, complete: bool) -> None:
        """Go on with what was done in a session that was begun so many seconds ago."""
        self.actions[:0] = actions
        self.complete = complete and all(each.outcome != "cut" for each in actions)
        self._begun -= max([0.0, since_s, *(each.at_s for each in actions)])

    def begin(self, name: str, arguments: dict[str, Any]) -> Action:
        """Write down that something is to be done."""
        action = Action(name, arguments, by.get(), round(time.monotonic() - self._begun, 3))
        action.frame, action.object_id = arguments.get("frame", arguments.get("start")), arguments.get("object_id")
        self.actions.append(action)
        return action

    @contextmanager
    def followed(self, action: Action | None, activity: Activity) -> Iterator[None]:
        """Write down how long the work of an action takes and how it ends."""
        if action is None:
            yield
            return
        started = time.monotonic()
        outcome: Outcome = "failed"
        try:
            yield
            outcome = "stopped" if activity.stopped else "done"
            action.told = activity.note
        except Exception as error:
            action.told = str(error)
            raise
        finally:
            action.took_s, action.reached = round(time.monotonic() - started, 3), activity.reached
            self.end(action, outcome)

    def refused(self, action: Action) -> None:
        """It was not even tried."""
        self.actions.remove(action)

    def end(self, action: Action, outcome: Outcome) -> None:
        """Write down how it ended, and tell who listens."""
        action.outcome = outcome
        for name, listener in list(self._listeners):
            if name in (None, action.name):
                listener(action)

    def listen(self, name: str | None, listener: Callable[[Action], object]) -> Callable[[], None]:
        """Tell a listener of all actions of a name, or of all; returns what ends that."""
        entry = (name, listener)
        self._listeners.append(entry)
        return lambda: self._listeners.remove(entry) if entry in self._listeners else None

    def table(self) -> pd.DataFrame:
        """One row per action."""
        import pandas as pd

        rows = [
            (each.at_s, each.name, each.frame, each.object_id, each.by, each.outcome, each.took_s, each.reached,
             each.told)
            for each in list(self.actions)
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(COLUMNS)).astype(_AS_TABLE)


_doing: ContextVar[Action | None] = ContextVar("doing", default=None)


def doing() -> Action | None:
    """The action that is being asked for; it waits until whoever took it on says how it ended."""
    current = _doing.get()
    if current is not None:
        current.taken = True
    return current


Given = ParamSpec("Given")
Result = TypeVar("Result")


def action(method: Callable[Concatenate[Any, Given], Result]) -> Callable[Concatenate[Any, Given], Result]:
    """A method of the widget that does something to the annotation: written down unless it is refused at once."""
    signature = inspect.signature(method)
    ACTIONS[method.__name__] = tuple(signature.parameters)[1:]

    @functools.wraps(method)
    def recorded(self: Any, /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        given = signature.bind(self, *args, **kwargs)
        given.apply_defaults()
        arguments = dict(list(given.arguments.items())[1:])
        entry = self._journal.begin(method.__name__, self._meant(arguments))
        token = _doing.set(entry)
        try:
            self._model_worker.require_open()
            result = method(self, *args, **kwargs)
        except BaseException:
            self._journal.refused(entry)
            raise
        finally:
            _doing.reset(token)
        if not entry.taken:
            self._journal.end(entry, "done")
        return result

    return recorded
