"""Strategies: at an error, who proposes an answer, and what is learned from the correction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, runtime_checkable

from .learner import LiveLearner
from .names import unknown
from .recipes import FullCopy, Recipe
from .types import Correction, Prediction, Proposal, UpdateReport


@runtime_checkable
class Strategy(Protocol):
    """What differs between LIT, its baseline and its ablations; inherit it to get the defaults.

    Attributes:
        name: what users write.
        help: one line.
        recipe: what an adapter trains; the paper's LoRA where it is `None`.
        rate: learning rate as a multiple of the model's own, which is chosen for LoRA.
        proposes_untaught: whether there are proposals before anything was learned.
    """

    name: ClassVar[str]
    help: ClassVar[str]
    recipe: ClassVar[Recipe | None] = None
    rate: ClassVar[float] = 1.0
    proposes_untaught: ClassVar[bool] = False

    def revise(self, learner: LiveLearner, prediction: Prediction) -> Prediction:
        """What becomes of the frozen model's answer before anyone judges it; by default it stands.

        Args:
            learner: the one whose adapters are asked and trained.
            prediction: the frozen model's answer to the item.

        Returns:
            What the user sees, and memory gets.
        """
        return prediction

    def propose(self, learner: LiveLearner, prediction: Prediction) -> tuple[Proposal, ...]:
        """Answers to choose from at an error, none by default.

        Args:
            learner: the one whose adapters are asked and trained.
            prediction: the frozen model's answer to the item.

        Returns:
            The proposals to choose from.
        """
        return ()

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Learn from a correction, or not, the default.

        Args:
            learner: the one whose adapters are asked and trained.
            prediction: the frozen model's answer to the item.
            correction: what the user gave.

        Returns:
            What the update did; `None` without one.
        """
        return None

    def learn_accepted(self, learner: LiveLearner, prediction: Prediction, proposal: Proposal) -> UpdateReport | None:
        """Learn from a proposal that the user accepted, or not, the default.

        Args:
            learner: the one whose adapters are asked and trained.
            prediction: the frozen model's answer to the item.
            proposal: what the user took.

        Returns:
            What the update did; `None` without one.
        """
        return None


@dataclass(frozen=True)
class Original(Strategy):
    """The frozen model: corrections are used once and forgotten."""

    name: ClassVar[str] = "original"
    help: ClassVar[str] = "the frozen model; every error is corrected by the user"


@dataclass(frozen=True)
class LitLora(Strategy):
    """LIT-LoRA: the adapter is consulted at every error and trained on every correction (paper section 3)."""

    name: ClassVar[str] = "lit-lora"
    help: ClassVar[str] = "LIT-LoRA: an adapter trained on every correction proposes at later errors"

    def propose(self, learner: LiveLearner, prediction: Prediction) -> tuple[Proposal, ...]:
        """The adapter's answer once it has learned anything."""
        proposal = learner.propose_one(prediction)
        return () if proposal is None else (proposal,)

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Train the adapter on the correction."""
        return learner.learn_one(prediction, correction)


@dataclass(frozen=True)
class LoraNoCl(LitLora):
    """Ablation: only the first correction is learned, later ones are applied and forgotten (paper section 4.4)."""

    name: ClassVar[str] = "lora-no-cl"
    help: ClassVar[str] = "ablation: the adapter learns the first correction only"

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Train while the adapter has learned nothing yet."""
        if learner.propose_one(prediction) is not None:
            return None
        return learner.learn_one(prediction, correction)


@dataclass(frozen=True)
class LitFt(LitLora):
    """Ablation: the decoder's whole transformer is trained instead of a LoRA (paper section 4.4).

    The paper does not give its learning rate; full weights need a far smaller one than LoRA's.
    """

    name: ClassVar[str] = "lit-ft"
    help: ClassVar[str] = "ablation: trains every weight of the decoder's transformer instead of a LoRA"
    recipe: ClassVar[Recipe | None] = FullCopy("transformer")
    rate: ClassVar[float] = 0.1


@dataclass(frozen=True)
class ThreeLoras(Strategy):
    """Ablation: up to three adapters propose side by side and the user picks (paper section 4.4).

    A new adapter is begun when all present ones failed; once there are three, the one that came closest to the
    correction learns it.
    """

    name: ClassVar[str] = "three-loras"
    help: ClassVar[str] = "ablation: up to three adapters propose, the user picks the best"
    slots: ClassVar[int] = 3

    def propose(self, learner: LiveLearner, prediction: Prediction) -> tuple[Proposal, ...]:
        """The answers of all trained adapters, in the order in which they were begun."""
        asked = (learner.propose_one(prediction, slot=slot) for slot in range(self.slots))
        return tuple(proposal for proposal in asked if proposal is not None)

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Train a fresh adapter while there is one, else the closest."""
        proposals = self.propose(learner, prediction)
        if len(proposals) < self.slots:
            return learner.learn_one(prediction, correction, slot=len(proposals))
        agreements = [learner.agreement(proposal.output, correction) for proposal in proposals]
        return learner.learn_one(prediction, correction, slot=agreements.index(max(agreements)))


@dataclass(frozen=True)
class ReplaceOriginal(Strategy):
    """Ablation: what the adapter says is the prediction, nobody is asked to accept it (paper section 4.4).

    Once trained, the adapter's answer goes into memory on every item, good or bad; so the paper keeps it out.
    """

    name: ClassVar[str] = "replace-original"
    help: ClassVar[str] = "ablation: the trained adapter predicts in the model's place"

    def revise(self, learner: LiveLearner, prediction: Prediction) -> Prediction:
        """The adapter's answer once it has learned anything."""
        proposal = learner.propose_one(prediction)
        return prediction if proposal is None else replace(prediction, output=proposal.output)

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Train the adapter on the correction."""
        return learner.learn_one(prediction, correction)


def find_strategy(strategy: str | Strategy, known: Mapping[str, Strategy]) -> Strategy:
    """Look a strategy up by name; a strategy of one's own is taken as it is.

    Raises:
        ValueError: if there is none of this name; near matches are named.
    """
    if isinstance(strategy, Strategy):
        return strategy
    if strategy in known:
        return known[strategy]
    raise ValueError(unknown("strategy", strategy, known))
