"""Live classification from images to a table: features, a head, the protocol, and what was left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from lit_widget.core.names import unknown
from lit_widget.core.update import UpdateConfig
from lit_widget.images.clip import TEMPLATE, Clip
from lit_widget.images.features import FeatureStore, readable
from lit_widget.images.head import ALPHA, PLACEMENTS
from lit_widget.images.learner import UPDATE, ImageLearner
from lit_widget.images.losses import LossConfig
from lit_widget.images.sources import ImageError, ImageSet
from lit_widget.images.tower import ATTENTION, Pixels, Tower

from .classification import ENOUGH, GROUP, ClassificationResult, check_strategies, simulate_classification
from .runner import environment

KNOWN = {**PLACEMENTS, ATTENTION.name: ATTENTION}
"""Where adapters can be put."""


@dataclass(frozen=True)
class ClassifyOptions:
    """How a simulation of live classification is run.

    Attributes:
        strategies: names from `classification.STRATEGIES`; "original" must be one of them.
        placement: where adapters are put: "projection", "residual" or "attention".
        templates: how class names become texts.
        shuffles: random orders beside the images' own.
        seed: of orders, adapters and dropout.
        alpha: of the LoRA.
        update: how a correction is learned.
        loss: what is minimised.
        cache: folder of feature stores, `None` for the default one.
    """

    strategies: Sequence[str] = ("original", "frequent-labels", "lit-lora")
    placement: str = "projection"
    templates: Sequence[str] = (TEMPLATE,)
    shuffles: int = 3
    seed: int = 0
    alpha: float = ALPHA
    update: UpdateConfig = UPDATE
    loss: LossConfig = field(default_factory=LossConfig)
    cache: str | Path | None = None


@dataclass(frozen=True)
class Classified:
    """What a simulation found.

    Attributes:
        result: corrections per group.
        left_out: one sentence for everything that does not count in the summary.
        settings: with what it was run.
    """

    result: ClassificationResult
    left_out: tuple[str, ...]
    settings: dict

    def save(self, path: str | Path) -> None:
        """Write settings, summary, records and what was left out as JSON.

        Args:
            path: of the file; one that is there is replaced.
        """
        tables = {"summary": self.result.summary, "records": self.result.records}
        content = {
            "settings": self.settings,
            "left_out": self.left_out,
            **{name: json.loads(str(table.to_json(orient="records"))) for name, table in tables.items()},
        }
        Path(path).write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def classify(
    sets: Sequence[ImageSet],
    clip: Clip,
    options: ClassifyOptions | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Classified:
    """Label sets of images with a simulated user, once per strategy and order.

    Args:
        sets: with labels.
        clip: the model.
        options: everything else.
        progress: told how many images of a set have features, and of how many.

    Returns:
        What was found, and what was left out.

    Raises:
        ImageError: if a set has no labels or no readable image.
        ValueError: if an option is unknown.
    """
    options = options or ClassifyOptions()
    check_strategies(options.strategies)
    if options.placement not in KNOWN:
        raise ValueError(unknown("placement", options.placement, KNOWN))
    parts, left_out = [], []
    for images in sets:
        learner, kept, refused = _learner(images, clip, options, progress)
        assert kept.labels is not None
        result = simulate_classification(
            learner,
            kept.labels,
            strategies=options.strategies,
            shuffles=options.shuffles,
            seed=options.seed,
            source=images.name,
        )
        parts.append(result.records)
        left_out += [*refused, *_uncounted(images, result)]
    settings = {
        "sources": [images.name for images in sets],
        "model": clip.name,
        "placement": options.placement,
        "templates": list(options.templates),
        "alpha": options.alpha,
        "update": vars(options.update),
        "loss": vars(options.loss),
        "shuffles": options.shuffles,
        "seed": options.seed,
        "versions": environment(),
    }
    return Classified(ClassificationResult(pd.concat(parts, ignore_index=True)), tuple(left_out), settings)


def _learner(
    images: ImageSet, clip: Clip, options: ClassifyOptions, progress: Callable[[int, int], None] | None
) -> tuple[ImageLearner, ImageSet, list[str]]:
    """A learner on the images that can be read, those images, and sentences for the others."""
    if images.labels is None:
        raise ImageError(f"{images.name} has no labels, which a simulated user needs; give them")
    store = FeatureStore(images, clip, options.cache)
    store.fill(progress=progress)
    kept, features = readable(store)
    head = clip.head(kept.class_names, options.templates)
    if options.placement == ATTENTION.name:
        head, features = Tower(clip, head), Pixels(clip, kept)
    recipe = KNOWN[options.placement].recipe(alpha=options.alpha)
    learner = ImageLearner(
        head, features, recipe=recipe, update=options.update, loss=options.loss, seed=options.seed + 123
    )
    return learner, kept, [f"{images.name}: image {at} is left out: {why}" for at, why in store.refused.items()]


def _uncounted(images: ImageSet, result: ClassificationResult) -> list[str]:
    """Sentences for classes and groups that do not count."""
    said = []
    groups = result.records.drop_duplicates(GROUP)["group"]
    if empty := images.empty_classes:
        said.append(f"{images.name}: {len(empty)} classes have no image, for example {empty[0]!r}")
    if unguessed := len(images.class_names) - len(groups):
        said.append(f"{images.name}: {unguessed} classes were never guessed first, so that their groups are empty")
    counted = len(result.paired().groupby(GROUP))
    if small := len(groups) - counted:
        said.append(f"{images.name}: {small} of {len(groups)} groups need fewer than {ENOUGH} corrections")
    return said
