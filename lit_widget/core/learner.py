"""The contract between the one loop and any task: what a live learner can do."""

from __future__ import annotations

from typing import Any, Literal, Protocol, runtime_checkable

from .types import Correction, Item, Prediction, Proposal, Snapshot, UpdateReport

Verdict = Literal["kept", "accepted", "corrected"]
"""How an item got its final output: nobody objected, a proposal was taken, or the user corrected it."""


@runtime_checkable
class LiveLearner(Protocol):
    """A frozen model with an adapter that is trained on corrections.

    An item's adapter is the one numbered `slot`; learners whose items have one adapter each know slot 0 only.

    `predict_one` and `propose_one` change nothing. `settle_one` tells the learner which output an item
    finally got, so that later predictions build on it; `learn_one` trains. `lit_widget.core.checks`
    states these promises as checks that any implementation can run.
    """

    def predict_one(self, item: Item) -> Prediction:
        """The frozen model's answer.

        Args:
            item: what to answer for.

        Returns:
            Its output, and the evidence that an adapter is asked and trained on.
        """
        ...

    def propose_one(self, prediction: Prediction, *, slot: int = 0) -> Proposal | None:
        """The adapter's answer, or `None` while nothing was learned for this item's adapter.

        Args:
            prediction: the frozen model's answer to the item.
            slot: number of the adapter.

        Returns:
            The proposal, `None` while nothing was learned.
        """
        ...

    def agreement(self, output: Any, correction: Correction) -> float:
        """How well an output agrees with what a correction teaches, in [0, 1].

        Args:
            output: a prediction's or proposal's.
            correction: of the same item.

        Returns:
            1 where they agree in everything.
        """
        ...

    def settle_one(self, item: Item, output: Any, *, verdict: Verdict = "kept", full: bool = False) -> None:
        """Take `output` as final for `item`; accepted and corrected ones are never overwritten by predictions.

        Args:
            item: what it is about.
            output: the final output.
            verdict: how it came about.
            full: whether the user gave the whole answer by hand.
        """
        ...

    def learn_one(self, prediction: Prediction, correction: Correction, *, slot: int = 0) -> UpdateReport | None:
        """Train on a correction; `None` when it holds nothing to learn.

        Args:
            prediction: the frozen model's answer to the item.
            correction: of the same item.
            slot: number of the adapter.

        Returns:
            What the update did.
        """
        ...

    def snapshot(self) -> Snapshot:
        """What has been learned and settled so far."""
        ...

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, exactly.

        Args:
            snapshot: what `snapshot` returned.
        """
        ...

    def reset(self) -> None:
        """Forget everything learned; what was settled stays."""
        ...
