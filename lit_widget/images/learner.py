"""Live learning for image classification: one ranking of classes per image, one adapter per group of images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from lit_widget.core.adapter import AdapterBank
from lit_widget.core.learner import Verdict
from lit_widget.core.options import require, require_seed
from lit_widget.core.recipes import Recipe
from lit_widget.core.types import Correction, Prediction, Proposal, Snapshot, UpdateReport
from lit_widget.core.update import UpdateConfig, limited_threads, online_update

from .head import PLACEMENTS, Head
from .losses import LossConfig, label_loss, lead

TOP = 3
"""Guesses that the user is shown; the right class among them costs no correction."""

UPDATE = UpdateConfig(learning_rate=1e-3, epochs=40, patience=1, good=0.999, threads=1)
"""Stops once the right class leads by the margin, at which the score is 1. The paper does not give the rate."""


class ImageItem(NamedTuple):
    """An image in a group of images that share an adapter."""

    image: int
    group: int


@dataclass(frozen=True)
class Ranking:
    """What is thought of one image.

    Attributes:
        scores: (k,) one per class.
        given: whether a person named the class.
    """

    scores: Float[Tensor, " k"] = field(repr=False)
    given: bool = False

    def top(self, n: int = TOP) -> list[int]:
        """The best classes, the best first; of equal ones that which comes first among the classes."""
        return self.scores.argsort(descending=True, stable=True)[:n].tolist()


@runtime_checkable
class Features(Protocol):
    """What a head sees of images, in memory or on disk: pooled features, or the pixels where it has the whole tower."""

    def __len__(self) -> int: ...

    def __getitem__(self, image: int) -> Float[Tensor, "*d"]:
        """The features of one image."""
        ...


class ImageLearner:
    """CLIP on a set of images, with an adapter per group.

    Args:
        head: the frozen end of the model.
        features: of all images.
        recipe: what an adapter trains; the paper's LoRA on the projection by default.
        update: how a correction is learned.
        loss: what is minimised.
        seed: of initial adapter weights and dropout.

    Raises:
        ValueError: if one of the last three is of another type.

    Attributes:
        adapters: by group.
        settled: final rankings by image and group.
    """

    def __init__(
        self,
        head: Head,
        features: Features,
        *,
        recipe: Recipe | None = None,
        update: UpdateConfig = UPDATE,
        loss: LossConfig | None = None,
        seed: int = 123,
    ) -> None:
        require_seed(seed)
        require("update", update, UpdateConfig, "an UpdateConfig")
        if loss is not None:
            require("loss", loss, LossConfig, "a LossConfig")
        self.head, self.features, self.seed = head.eval(), features, seed
        self.update_config, self.loss = update, loss or LossConfig()
        self.adapters = AdapterBank(head, recipe or PLACEMENTS["projection"].recipe(), seed=seed)
        self.settled: dict[ImageItem, Ranking] = {}

    @torch.no_grad()
    def predict_one(self, item: ImageItem) -> Prediction[Ranking]:
        """The frozen model's ranking.

        Args:
            item: the image and its group.

        Returns:
            Scores of all classes.

        Raises:
            IndexError: if there is no such image.
        """
        if not 0 <= item.image < len(self.features):
            raise IndexError(f"there is no image {item.image}; images are 0 to {len(self.features) - 1}")
        features = self.features[item.image]
        return Prediction(item, Ranking(self.head(features[None])[0]), features)

    @torch.no_grad()
    def propose_one(self, prediction: Prediction[Ranking], *, slot: int = 0) -> Proposal[Ranking] | None:
        """The ranking of the group's adapter, or `None` while it is untrained.

        Args:
            prediction: the frozen model's ranking.
            slot: number of the group's adapter.

        Returns:
            Its ranking, `None` while it is untrained.
        """
        adapter = self.adapters.trained(prediction.item.group, slot)
        if adapter is None:
            return None
        ranking = Ranking(adapter.module(prediction.evidence[None])[0])
        return Proposal(prediction.item, ranking, version=adapter.version, learned_from=adapter.learned_from)

    def agreement(self, output: Ranking, correction: Correction[Ranking]) -> float:
        """The share of probability that a ranking gives to the corrected label; 1 where that is none.

        Args:
            output: a ranking.
            correction: of the same image.

        Returns:
            From 0 to 1.
        """
        label = correction.target
        return 1.0 if label is None else float(output.scores.softmax(-1)[label].clamp(0.0, 1.0))

    def settle_one(self, item: ImageItem, output: Ranking, *, verdict: Verdict = "kept", full: bool = False) -> None:
        """Take a ranking as final; what a person accepted or corrected is not overwritten by a prediction.

        Args:
            item: the image and its group.
            output: the final ranking.
            verdict: how it came about.
            full: whether a person named the class.
        """
        if verdict != "kept" or item not in self.settled:
            self.settled[item] = output

    def learn_one(
        self, prediction: Prediction[Ranking], correction: Correction[Ranking], *, slot: int = 0
    ) -> UpdateReport | None:
        """Train the group's adapter on a corrected label, which is the correction's target.

        Args:
            prediction: the frozen model's ranking.
            correction: of the same image.
            slot: number of the group's adapter.

        Returns:
            What the update did; `None` where the correction names no class.
        """
        label, features = correction.target, prediction.evidence
        if label is None:
            return None
        adapter, config = self.adapters.get(prediction.item.group, slot), self.update_config

        def once() -> tuple[Tensor, Tensor | float]:
            scores = adapter.module(features[None])[0]
            ahead = lead(scores, label)
            won = float(ahead.detach()) >= self.loss.margin
            score = 1.0 if won else scores.detach().softmax(-1)[label] * config.good
            return label_loss(scores, label, ahead, parameters, self.loss), score

        with limited_threads(config.threads), adapter.training() as parameters, torch.random.fork_rng():
            torch.manual_seed(self.seed + adapter.version)
            report = online_update(parameters, [once], config, version=adapter.version + 1)
        if not report.rolled_back:
            adapter.version = report.version
            adapter.learned_from = (*adapter.learned_from, prediction.item)
        return report

    def snapshot(self) -> Snapshot:
        """All trained adapters, and what was settled."""
        return Snapshot(self.adapters.snapshot(), dict(self.settled))

    def restore(self, snapshot: Snapshot) -> None:
        """Exactly the adapters and rankings of a snapshot.

        Args:
            snapshot: what `snapshot` returned.
        """
        self.adapters.restore(snapshot.adapters)
        self.settled = dict(snapshot.memory or {})

    def reset(self) -> None:
        """Forget everything learned; what was settled stays."""
        self.adapters.restore({})


def corrected(item: ImageItem, label: int, n_classes: int) -> Correction[Ranking]:
    """The correction that names an image's class."""
    scores = torch.full((n_classes,), -torch.inf)
    scores[label] = 0.0
    return Correction(item, Ranking(scores, given=True), label, full=True)
