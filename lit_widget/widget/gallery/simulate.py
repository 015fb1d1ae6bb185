"""The gallery's images with their classes, for the simulation; the two meet through the package's public door."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import lit_widget
from lit_widget.images.features import ChosenFeatures
from lit_widget.images.learner import ImageLearner
from lit_widget.widget.limits import AnnotationError

if TYPE_CHECKING:
    from lit_widget.simulation.classification import ClassificationResult

    from .labelling import Labelling

Truth = Iterable[str | int | None] | Mapping[int, str | int]


def simulate(
    labelling: Labelling, labels: Truth | None, known: Sequence[int] | None, options: dict[str, Any]
) -> ClassificationResult:
    """Run the simulation on images with known classes: those given, else those of the set, else those labelled."""
    truth = _truth(labelling, known if labels is None else labels)
    learner = labelling.learner
    fresh = ImageLearner(
        learner.head,
        ChosenFeatures(learner.features, list(truth)),
        recipe=learner.adapters.recipe,
        update=learner.update_config,
        loss=learner.loss,
        seed=learner.seed,
    )
    result = lit_widget.simulate_classification(fresh, list(truth.values()), **options)
    if result.paired().empty:
        warnings.warn(
            f"no group of these {len(truth)} images needs enough corrections without learning to be counted, so that "
            f"`summary` is empty; `records` has all groups",
            stacklevel=3,
        )
    return result


def _truth(labelling: Labelling, labels: Truth | None) -> dict[int, int]:
    if labels is None:
        given = {image: entry.label for image, entry in labelling.book.items() if entry.label >= 0}
        if not given:
            raise AnnotationError("there is no truth to simulate with: give labels=, or label some images first")
        return given
    given = isinstance(labels, Mapping)
    truth = cast("Mapping[int, str | int]", labels) if given else _known(labelling, list(labels))
    for image in truth:
        labelling.check(image)
    return {image: labelling.number(label) for image, label in truth.items()}


def _known(labelling: Labelling, labels: list[str | int | None]) -> dict[int, str | int]:
    """Labels by image, without those of images that cannot be read, told already, and without NaN."""
    if len(labels) != len(labelling.names):
        raise AnnotationError(
            f"there are {len(labels)} labels for {len(labelling.names)} images; give one each, or a dictionary of "
            f"labels by image"
        )
    readable = ((image, label) for image, label in enumerate(labels) if labelling.groups.of[image] >= 0)
    return {image: label for image, label in readable if label is not None and label == label}  # noqa: PLR0124
