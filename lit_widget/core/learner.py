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
        """The frozen model's answer."""
        ...

    def propose_one(self, prediction: Prediction, *, slot: int = 0) -> Proposal | None:
        """The adapter's answer, or `None` while nothing was learned for this item's adapter."""
        ...

    def agreement(self, output: Any, correction: Correction) -> float:
        """How well an output agrees with what a correction teaches, in [0, 1]."""
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
        """Train on a correction; `None` when it holds nothing to learn."""
        ...

    def snapshot(self) -> Snapshot:
        """What has been learned and settled so far."""
        ...

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, exactly."""
        ...

    def reset(self) -> None:
        """Forget everything learned; what was settled stays."""
        ...
