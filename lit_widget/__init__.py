"""Live interactive training for video segmentation, in a notebook.

Every public name loads its module at first use, so that `import lit_widget` costs neither torch nor Jupyter.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lit_widget.core.checks import check_learner
    from lit_widget.core.update import UpdateConfig
    from lit_widget.simulation.classification import simulate_classification
    from lit_widget.simulation.datasets import sequence_from_arrays, sequence_from_masks
    from lit_widget.simulation.runner import SimulationResult, run_simulation
    from lit_widget.video.formats.registry import formats
    from lit_widget.video.models import load_model, models
    from lit_widget.video.pocket.clips import embedded_clip
    from lit_widget.video.quirks import Quirks
    from lit_widget.video.strategies import strategies
    from lit_widget.video.trackers import trackers
    from lit_widget.widget.gallery.widget import LITClassifier
    from lit_widget.widget.widget import LITWidget

__version__ = "0.1.0"

__all__ = [
    "LITClassifier",
    "LITWidget",
    "Quirks",
    "SimulationResult",
    "UpdateConfig",
    "__version__",
    "check_learner",
    "embedded_clip",
    "formats",
    "load_model",
    "models",
    "run_simulation",
    "sequence_from_arrays",
    "sequence_from_masks",
    "simulate_classification",
    "strategies",
    "trackers",
]

_HOME = {
    "LITClassifier": "lit_widget.widget.gallery.widget",
    "LITWidget": "lit_widget.widget.widget",
    "Quirks": "lit_widget.video.quirks",
    "SimulationResult": "lit_widget.simulation.runner",
    "UpdateConfig": "lit_widget.core.update",
    "check_learner": "lit_widget.core.checks",
    "embedded_clip": "lit_widget.video.pocket.clips",
    "formats": "lit_widget.video.formats.registry",
    "load_model": "lit_widget.video.models",
    "models": "lit_widget.video.models",
    "run_simulation": "lit_widget.simulation.runner",
    "sequence_from_arrays": "lit_widget.simulation.datasets",
    "sequence_from_masks": "lit_widget.simulation.datasets",
    "simulate_classification": "lit_widget.simulation.classification",
    "strategies": "lit_widget.video.strategies",
    "trackers": "lit_widget.video.trackers",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = globals()[name] = getattr(import_module(_HOME[name]), name)
        return value
    message = f"module 'lit_widget' has no attribute {name!r}"
    # Names with underscores are asked for by tools (`__path__`, `_repr_html_`), which need no advice.
    if not name.startswith("_"):
        from difflib import get_close_matches

        lowered = {public.lower(): public for public in _HOME}
        near = [lowered[match] for match in get_close_matches(name.lower(), lowered, cutoff=0.5)]
        message += f"; did you mean {' or '.join(near)}?" if near else f"; it has {', '.join(__all__)}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
