"""The experiments of the paper by name: which arms they compare, and what is made of the results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from lit_widget.core.names import unknown

from . import tables
from .paper import BUDGETS
from .units import Arm

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BASELINE = "original"


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        help: one line.
        arms: what is compared, made for the strategies asked for, of which the first is the baseline.
        table: what is made of the records of all units.
        figure: likewise.
    """

    help: str
    arms: Callable[[list[str]], list[Arm]]
    table: Callable[[pd.DataFrame], pd.DataFrame]
    figure: Callable[[pd.DataFrame], Figure]


EXPERIMENTS = {
    "main": Experiment(
        "corrections and minutes at τ 0.5 and 0.75 (paper table 1)",
        lambda strategies: [Arm(each, tau) for tau in (0.5, 0.75) for each in strategies],
        tables.main_table,
        tables.main_figure,
    ),
    "tau": Experiment(
        "corrections over the IoU below which a mask is an error",
        lambda strategies: [Arm(each, tau) for tau in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9) for each in strategies],
        tables.main_table,
        tables.tau_figure,
    ),
    "budget": Experiment(
        "quality of the masks by how many corrections are given (paper figure 4)",
        lambda strategies: [Arm(each, budget=budget) for budget in BUDGETS for each in strategies],
        tables.budget_table,
        tables.budget_figure,
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
