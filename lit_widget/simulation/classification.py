"""The paper's live image classification with a simulated user: how many labels must be given by hand.

Images are grouped by the class that the frozen model thinks they are. Within a group they come one after the other;
the right class among the model's first three guesses costs nothing. Otherwise the group's adapter is asked, and if its
first three hold the class, the label is accepted; else the user gives it, and the adapter learns.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch

from lit_widget.core.learner import LiveLearner
from lit_widget.core.session import Accepted, Corrected, LiveSession
from lit_widget.core.strategy import LitLora, Original, Strategy
from lit_widget.core.types import Correction, Prediction, Proposal, Snapshot
from lit_widget.images.learner import ImageItem, ImageLearner, Ranking, corrected

from .metrics import Interval, reduction_interval

ENOUGH = 5
"""Corrections that a group needs without learning to count in the summary."""

COLUMNS = ["strategy", "groups", "corrections", "update_ms", "reduction_pct", "reduction_low", "reduction_high"]

GROUP = ["source", "group"]
"""What tells groups apart."""


@dataclass(frozen=True)
class FrequentLabels(Strategy):
    """Control: the labels that the user has given most often in this group."""

    name: ClassVar[str] = "frequent-labels"
    help: ClassVar[str] = "control without learning: propose the labels given most often in the group"

    def propose(self, learner: LiveLearner, prediction: Prediction) -> tuple[Proposal, ...]:
        """A ranking by how often each class was given."""
        assert isinstance(learner, ImageLearner)
        group = prediction.item.group
        known = (ranking for item, ranking in learner.settled.items() if item.group == group and ranking.given)
        given = Counter(ranking.top(1)[0] for ranking in known)
        if not given:
            return ()
        scores = torch.zeros_like(prediction.output.scores)
        for label, count in given.items():
            scores[label] = count
        return (Proposal(prediction.item, Ranking(scores), self.name),)


STRATEGIES: dict[str, Strategy] = {each.name: each for each in (Original(), LitLora(), FrequentLabels())}
"""What can be compared."""


class LabelUser:
    """Knows every image's class."""

    def __init__(self, labels: Sequence[int], n_classes: int) -> None:
        self._labels, self._n_classes = labels, n_classes

    def finds_wrong(self, item: ImageItem, output: Ranking) -> bool:
        """Whether the class is not among the first guesses."""
        return self._labels[item.image] not in output.top()

    def choose(self, proposals: tuple[Proposal, ...]) -> Proposal | None:
        """The first proposal that has the class among its guesses."""
        return next((each for each in proposals if not self.finds_wrong(each.item, each.output)), None)

    def correct(self, prediction: Prediction) -> Correction:
        """The image's class."""
        item = prediction.item
        return corrected(item, int(self._labels[item.image]), self._n_classes)


@dataclass(frozen=True)
class ClassificationResult:
    """Corrections per group.

    Attributes:
        records: one row per group, order and strategy: `source, group, order, strategy, images, corrections, accepted,
            update_s`.
    """

    records: pd.DataFrame

    def paired(self) -> pd.DataFrame:
        """Corrections by (group, order), a column per strategy, of groups that need enough without learning."""
        table = self.records.pivot_table(index=["source", "group", "order"], columns="strategy", values="corrections")
        return table.loc[table["original"] >= ENOUGH]

    def reduction(self, strategy: str, *, against: str = "original") -> Interval:
        """By how many per cent a strategy needs fewer corrections, with a bootstrap interval over groups.

        Orders of one group are averaged first: they are no independent groups.

        Args:
            strategy: which one.
            against: compared with which.

        Returns:
            The reduction in per cent, with a 95 % interval.
        """
        table: Any = self.paired().groupby(GROUP).mean()
        return reduction_interval(list(table[against]), list(table[strategy]))

    @property
    def summary(self) -> pd.DataFrame:
        """Mean corrections per group and the reduction in per cent, one row per strategy."""
        table = self.paired()
        if table.empty:
            return pd.DataFrame(columns=COLUMNS)
        rows = []
        for strategy in table.columns:
            own = self.records[self.records["strategy"] == strategy]
            drop = self.reduction(strategy)
            rows.append(
                {
                    "strategy": strategy,
                    "groups": len(table.groupby(GROUP)),
                    "corrections": table[strategy].mean(),
                    "update_ms": 1000 * own["update_s"].sum() / max(1, own["corrections"].sum()),
                    "reduction_pct": drop.estimate,
                    "reduction_low": drop.low,
                    "reduction_high": drop.high,
                }
            )
        return pd.DataFrame(rows)


def grouped(learner: ImageLearner) -> dict[int, list[int]]:
    """Images by the class that the frozen model ranks first, in their own order."""
    groups: dict[int, list[int]] = {}
    for image in range(len(learner.features)):
        groups.setdefault(learner.predict_one(ImageItem(image, 0)).output.top(1)[0], []).append(image)
    return groups


def simulate_classification(
    learner: ImageLearner,
    labels: Sequence[int],
    *,
    strategies: Sequence[str] = ("original", "lit-lora", "frequent-labels"),
    shuffles: int = 3,
    seed: int = 0,
    source: str = "images",
) -> ClassificationResult:
    """Label a set of images with a simulated user, once per strategy and order.

    Args:
        learner: on the images; what it has learned is forgotten.
        labels: the class of each image, from 0.
        strategies: names from `STRATEGIES`; "original" must be one of them.
        shuffles: random orders beside the images' own.
        seed: of the orders.
        source: what the records call the images.

    Returns:
        Corrections per group, order and strategy.

    Raises:
        ValueError: if a strategy is unknown, "original" is missing, shuffles are negative, or labels and images do not
            fit.

    Example:
        ```python
        from lit_widget.images.clip import Clip
        from lit_widget.images.datasets.embedded import embedded_images
        from lit_widget.images.features import FeatureStore
        from lit_widget.images.learner import ImageLearner

        images, model = embedded_images(0, classes=4, per_class=4), Clip.load("pocket")
        features = FeatureStore(images, model, "features")
        features.fill()
        learner = ImageLearner(model.head(images.class_names), features)
        simulate_classification(learner, images.labels, shuffles=0).records
        ```
    """
    n_classes, n_images = len(learner.head.classes), len(learner.features)
    check_strategies(strategies)
    if not isinstance(shuffles, int) or shuffles < 0:
        raise ValueError(f"shuffles are a number of random orders, 0 or more, got {shuffles!r}")
    if len(labels) != n_images or not all(0 <= label < n_classes for label in labels):
        raise ValueError(f"each of {n_images} images needs a label from 0 to {n_classes - 1}, got {len(labels)} labels")
    user, random = LabelUser(labels, n_classes), np.random.default_rng(seed)
    rows = []
    for group, images in grouped(learner).items():
        orders = [images, *(random.permutation(images).tolist() for _ in range(shuffles))]
        for (order, queue), name in itertools.product(enumerate(orders), strategies):
            counts = _labelled(learner, [ImageItem(image, group) for image in queue], STRATEGIES[name], user)
            rows.append(
                {"source": source, "group": group, "order": order, "strategy": name, "images": len(queue), **counts}
            )
    return ClassificationResult(pd.DataFrame(rows))


def check_strategies(strategies: Sequence[str]) -> None:
    """Refuse strategies that cannot be compared.

    Raises:
        ValueError: if one is unknown, or "original" is missing.
    """
    if not {"original", *strategies} <= set(STRATEGIES) or "original" not in strategies:
        raise ValueError(f"strategies are {', '.join(STRATEGIES)}, original among them; got {', '.join(strategies)}")


def _labelled(learner: ImageLearner, items: Sequence[ImageItem], strategy: Strategy, user: LabelUser) -> dict[str, Any]:
    """Label one group from the start, with a fresh adapter."""
    learner.restore(Snapshot({}))
    session = LiveSession(learner, strategy)
    events = [session.step(item, user) for item in items]
    given = [event for event in events if isinstance(event, Corrected)]
    return {
        "corrections": len(given),
        "accepted": sum(isinstance(event, Accepted) for event in events),
        "update_s": sum(event.update.update_s for event in given if event.update is not None),
    }
