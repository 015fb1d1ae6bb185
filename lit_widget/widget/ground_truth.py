"""The widget's video with ground truth, for the simulation.

`widget` and `simulation` do not know each other; they meet here through the package's public door.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import lit_widget

from .annotation import Annotation, AnnotationError
from .store import check_there

if TYPE_CHECKING:
    from lit_widget.simulation.runner import SimulationResult


def simulate(
    annotation: Annotation,
    ground_truth: Any,
    options: dict[str, Any],
    loaded: Mapping[int, Mapping[int, np.ndarray]] | None = None,
) -> SimulationResult:
    """Run the simulation on the annotation's video and model, on given truth, else loaded, else settled masks."""
    learner = annotation.learner
    frames = learner.frames
    check_there(frames)
    if ground_truth is None:
        sources = [
            lit_widget.sequence_from_masks(frames, object_id, masks, frames.name)
            for object_id, masks in (loaded or settled_masks(annotation)).items()
        ]
    else:
        sources = [lit_widget.sequence_from_arrays(frames, ground_truth, frames.name)]
    settings = {"model": learner.model, "tracker": learner.tracker, "update": learner.update_config, **options}
    return lit_widget.run_simulation(sources, **settings)


def settled_masks(annotation: Annotation) -> dict[int, dict[int, np.ndarray]]:
    """Masks that a person prompted, corrected or accepted, by object and frame.

    Raises:
        AnnotationError: if there are fewer than two of any object.
    """
    learner = annotation.learner
    settled = {
        object_id: {frame: learner.mask(record.output) for frame, record in bank.records.items() if record.locked}
        for object_id, bank in learner.banks.items()
    }
    settled = {object_id: masks for object_id, masks in settled.items() if len(masks) > 1}
    if not settled:
        raise AnnotationError(
            "there is no ground truth: give ground_truth=(T, H, W) masks, or correct or accept some frames first"
        )
    return settled
