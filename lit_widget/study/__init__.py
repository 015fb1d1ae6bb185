"""User studies as in the paper: the frozen tracker against LIT, planned, logged, resumed and summed up.

Names load their module at first use, so that the command line stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .planning import StudyError, Task, plan
    from .results import StudySummary, summary
    from .sitting import Sitting, Study
    from .timing import ErrorTime

__all__ = ["ErrorTime", "Sitting", "Study", "StudyError", "StudySummary", "Task", "plan", "summary"]

_HOME = {
    "ErrorTime": "timing",
    "Sitting": "sitting",
    "Study": "sitting",
    "StudyError": "planning",
    "StudySummary": "results",
    "Task": "planning",
    "plan": "planning",
    "summary": "results",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return value
