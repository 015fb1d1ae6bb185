"""The experiments of the paper by name: which arms they compare, and what is made of the results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from lit_widget.core.names import unknown

from . import figures, tables
from .catalogue import HELP
from .paper import BUDGETS
from .units import Arm

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        help: one line.
        arms: what is compared, made for the strategies asked for, of which the first is the baseline.
        table: what is made of the records of all units.
        figure: what is made of the records and the trajectories.
        strategies: those that are compared unless others are asked for.
    """

    help: str
    arms: Callable[[list[str]], list[Arm]]
    table: Callable[[pd.DataFrame], pd.DataFrame] = tables.main_table
    figure: Callable[[pd.DataFrame, pd.DataFrame], Figure] = figures.main_figure
    strategies: tuple[str, ...] = ("original", "lit-lora")


def _variants(strategies: list[str], make: Callable[[str], list[Arm]]) -> list[Arm]:
    """The baseline as it is, and variants of the others."""
    return [Arm(strategies[0]), *(arm for each in strategies[1:] for arm in make(each))]


EXPERIMENTS = {
    "main": Experiment(
        HELP["main"],
        lambda strategies: [Arm(each, tau) for tau in (0.5, 0.75) for each in strategies],
    ),
    "tau": Experiment(
        HELP["tau"],
        lambda strategies: [Arm(each, tau) for tau in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9) for each in strategies],
        figure=figures.tau_figure,
    ),
    "budget": Experiment(
        HELP["budget"],
        lambda strategies: [
            Arm(strategies[0]),
            *(Arm(each, budget=budget) for budget in BUDGETS for each in strategies),
        ],
        tables.budget_table,
        figures.budget_figure,
    ),
    "analysis": Experiment(
        HELP["analysis"],
        lambda strategies: [Arm(strategies[0]), Arm(strategies[0], budget=0)],
        tables.analysis_table,
        figures.analysis_figure,
    ),
    "trackers": Experiment(
        HELP["trackers"],
        lambda strategies: [Arm(each, tracker=name) for name in ("sam2", "samurai", "dam4sam") for each in strategies],
    ),
    "design": Experiment(
        HELP["design"],
        lambda strategies: [Arm(each) for each in strategies],
        strategies=(
            *("original", "replace-original", "lora-no-cl", "lit-ft"),
            *("three-loras", "memory-adapter", "lit-lora"),
        ),
    ),
    "epochs": Experiment(
        HELP["epochs"],
        lambda strategies: _variants(
            strategies, lambda name: [Arm(name, epochs=epochs) for epochs in (5, 10, 20, 40, 60, 100)]
        ),
    ),
    "batch": Experiment(
        HELP["batch"],
        lambda strategies: _variants(
            strategies,
            lambda name: [Arm(name, samples=n, batch=b) for n, b in ((1, 1), (3, 3), (5, 5), (3, 1), (5, 1))],
        ),
    ),
    "predicted-iou": Experiment(
        HELP["predicted-iou"],
        lambda strategies: _variants(
            strategies,
            lambda name: [
                Arm(name),
                Arm(name, monitor="predicted-iou"),
                Arm(name, monitor="predicted-iou", automatic=True),
            ],
        ),
    ),
}
"""All experiments."""


def find_experiment(name: str) -> Experiment:
    """Look an experiment up by name.

    Raises:
        ValueError: if there is none; near matches are named.
    """
    if name in EXPERIMENTS:
        return EXPERIMENTS[name]
    raise ValueError(unknown("experiment", name, EXPERIMENTS))
