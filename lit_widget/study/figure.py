"""The figure of a user study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lit_widget.simulation.report import COLOURS, new_figure

from .planning import CONDITIONS
from .results import PARTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .results import StudySummary

NAMES = {"baseline": "SAM 2", "lit": "LIT"}
CONDITION_COLOURS = {"baseline": COLOURS["original"], "lit": COLOURS["lit-lora"]}
SHADES = {"pausing_s": "#CCCCCC", "locating_s": "#E69F00", "correcting_s": "#0072B2"}


def study_figure(summary: StudySummary) -> Figure:
    """Corrections and minutes per video, a line per participant, and the parts of the time of an error."""
    figure = new_figure(9.0, 3.2)
    corrections, minutes, parts = figure.subplots(1, 3)
    _bars(corrections, summary, "corrections", 1.0)
    corrections.set(ylabel="corrections per video", title="Corrections")
    _bars(minutes, summary, "total_s", 60.0)
    minutes.set(ylabel="minutes per video", title="Time")
    _parts(parts, summary)
    for axes in (corrections, minutes, parts):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(bottom=0)
    return figure


def _bars(axes: Axes, summary: StudySummary, column: str, unit: float) -> None:
    means = summary.per_participant(column) / unit
    colours = [CONDITION_COLOURS[each] for each in CONDITIONS]
    axes.bar([NAMES[each] for each in CONDITIONS], means.mean(), color=colours, width=0.6)
    for each in means.itertuples(index=False):
        axes.plot(range(len(CONDITIONS)), each, ".-", color="#333333", lw=0.8, ms=6)


def _parts(axes: Axes, summary: StudySummary) -> None:
    table, below = summary.table.fillna(0.0), [0.0] * len(CONDITIONS)
    for column, name in PARTS.items():
        heights = list(table[column])
        axes.bar([NAMES[each] for each in CONDITIONS], heights, 0.6, below, label=name, color=SHADES[column])
        below = [low + height for low, height in zip(below, heights, strict=True)]
    axes.set(ylabel="seconds per error", title="Where the time went")
    axes.legend(frameon=False, fontsize=8)
