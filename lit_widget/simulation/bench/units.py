"""The units of a benchmark: one object of one video, annotated once in one way; none depends on another."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from lit_widget.core.strategy import find_strategy
from lit_widget.core.update import UpdateConfig
from lit_widget.simulation.cost import CostModel
from lit_widget.simulation.datasets import Sequence
from lit_widget.simulation.monitor import find_monitor
from lit_widget.simulation.protocol import run_pair
from lit_widget.simulation.records import pair_record
from lit_widget.simulation.user import SimulatedUser
from lit_widget.video.feature_cache import FeatureCache
from lit_widget.video.models import update_of
from lit_widget.video.sam2 import Sam2
from lit_widget.video.strategies import STRATEGIES, learner_for
from lit_widget.video.trackers import find_tracker

from .quality import Quality

MEASURED = ("annotation_s", "update_s", "propose_s")
"""Columns that hold wall-clock time, which no two runs share."""


@dataclass(frozen=True)
class Arm:
    """One way of annotating.

    Attributes:
        strategy: name of the strategy.
        tau: a mask with IoU below this is an error.
        budget: corrections that the user gives at most; None: no limit.
        tracker: name of the tracker.
        epochs: of an update; None: the model's own setting.
        samples: corrections learned in one update.
        batch: how many of them share an optimizer step.
        monitor: who finds the errors.
        automatic: whether the monitor judges proposals, too.
    """

    strategy: str
    tau: float = 0.5
    budget: int | None = None
    tracker: str = "sam2"
    epochs: int | None = None
    samples: int = 1
    batch: int = 1
    monitor: str = "user"
    automatic: bool = False

    @property
    def way(self) -> str:
        """What tables call it: the strategy, and what is special about how it learns and who watches."""
        words = [
            self.strategy,
            None if self.epochs is None else f"{self.epochs} epochs",
            None if self.samples == self.batch == 1 else f"{self.samples}/{self.batch}",
            None if self.monitor == "user" else self.monitor,
            "automatic" if self.automatic else None,
        ]
        return ", ".join(word for word in words if word)


@dataclass(frozen=True)
class Unit:
    """One object of one video, annotated in one way.

    Attributes:
        source: what `open_sources` opens.
        video: name of a sequence in it.
        object: id of the object.
        arm: how it is annotated.
        seed: of the user, the adapters' initial weights and dropout.
        model: name of the model, which the result depends on.
    """

    source: str
    video: str
    object: int
    arm: Arm
    seed: int
    model: str

    @property
    def key(self) -> str:
        """A name for files: readable, and different for different units."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return re.sub(r"[^\w.-]+", "_", f"{self.video}-{self.object}-{self.arm.strategy}-{digest[:16]}")


def list_units(
    sources: Iterable[tuple[str, list[Sequence]]], arms: Iterable[Arm], seeds: Iterable[int], model: str
) -> list[Unit]:
    """All units, those of one video together, so that its encoded frames serve them all.

    Args:
        sources: the sequences of each source.
        arms: ways of annotating.
        seeds: one unit is made for each.
        model: name of the model.
    """
    arms, seeds = list(arms), list(seeds)
    return [
        Unit(source, sequence.name, object_id, arm, seed, model)
        for source, sequences in sources
        for sequence in sequences
        for object_id in sequence.objects
        for seed in seeds
        for arm in arms
    ]


def run_unit(unit: Unit, sequence: Sequence, model: Sam2, features: FeatureCache) -> dict[str, Any]:
    """Run a unit.

    Args:
        unit: what to run.
        sequence: its video.
        model: the frozen model.
        features: encoded frames of the video, shared between its units.

    Returns:
        Plain data: "unit"; "record", the fields of `PairRecord`, `j` and `f`, the scores of the resulting masks without
        the last annotated frame, and `length`, the frames of the video, or null if there is nothing to judge; "scores",
        what the benchmark of the sequence reports; "events", one row per correction or acceptance.
    """
    arm = unit.arm
    strategy = find_strategy(arm.strategy, STRATEGIES)
    learner = learner_for(
        strategy,
        model,
        sequence.frames,
        update=_update(model, arm),
        seed=unit.seed + 123,
        features=features,
        tracker=find_tracker(arm.tracker),
    )
    user, quality = SimulatedUser(tau=arm.tau, seed=unit.seed), Quality(learner, sequence, unit.object)
    watch = find_monitor(arm.monitor)
    frames = run_pair(
        learner,
        sequence,
        unit.object,
        strategy,
        user,
        monitor=None if watch is None else watch(learner, arm.tau),
        automatic=arm.automatic,
        budget=arm.budget,
        on_frame=quality.add,
    )
    record = pair_record((unit.video, unit.object, arm.strategy), frames, user, CostModel())
    return {
        "unit": asdict(unit),
        "record": None if record is None else {**asdict(record), **quality.means(), "length": len(sequence.frames)},
        "scores": {} if record is None else quality.scores(),
        "events": [asdict(frame) for frame in frames if frame.event != "tracked"],
    }


def _update(model: Sam2, arm: Arm) -> UpdateConfig:
    own = replace(update_of(model.name), samples=arm.samples, batch=arm.batch)
    return own if arm.epochs is None else replace(own, epochs=arm.epochs)
