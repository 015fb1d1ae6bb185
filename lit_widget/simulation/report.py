"""Tables and figures of a simulation, made from its result alone."""

from __future__ import annotations

import base64
import io
from collections.abc import Hashable
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .runner import SimulationResult
    from .story import Story

COLOURS = {
    "original": "#999999",
    "lit-lora": "#0072B2",
    "lit-plus": "#009E73",
    "lora-no-cl": "#CC79A7",
    "replace-original": "#D55E00",
    "token-0": "#56B4E9",
    "previous-mask": "#E69F00",
}
"""Okabe-Ito colours per strategy."""

COLUMNS = {
    "strategy": "strategy",
    "corrections": "corrections",
    "corrections_ge10": "corrections (pairs ≥ 10)",
    "clicks": "clicks",
    "masks": "masks",
    "accepted": "accepted",
    "annotation_s": "annotation s",
    "j_mean": "J",
    "update_s": "update s",
}


def summary_table(result: SimulationResult) -> pd.DataFrame:
    """The summary with headings for people and numbers as text."""
    summary = result.summary
    table = pd.DataFrame({heading: summary[column] for column, heading in COLUMNS.items()})
    for column in table.columns[1:]:
        digits = 3 if column == "J" else 2
        table[column] = [f"{value:.{digits}f}" if np.isfinite(value) else "–" for value in table[column]]
    fewer = ["–" if row["strategy"] == result.baseline else reduction_text(row) for row in summary.to_dict("records")]
    table.insert(2, "fewer corrections", fewer)
    return table


def reduction_text(row: dict[Hashable, Any]) -> str:
    """The reduction with its interval, which one pair alone does not have."""
    if not np.isfinite(row["reduction_pct"]):
        return "–"
    interval = f" [{row['reduction_low']:.0f}, {row['reduction_high']:.0f}]" if row["pairs"] > 1 else ""
    return f"{row['reduction_pct']:.0f} %{interval}"


def summary_text(result: SimulationResult) -> str:
    """The summary as an aligned table for a terminal, with what the numbers mean."""
    return f"{summary_table(result).to_string(index=False)}\n{caption(result)}"


def summary_html(result: SimulationResult) -> str:
    """The summary as an HTML table."""
    table = "" if result.records.empty else summary_table(result).to_html(index=False, border=0, escape=True)
    return f"<div>{table}<p>{escape(caption(result))}</p></div>"


LEGEND = (
    "A correction is a frame that the user had to fix by clicks or, where three did not do, by painting the mask "
    "(masks). Annotation s are the user's seconds and the waiting for the adapter. J is the IoU of the final masks."
)
"""What the columns of the summary mean."""


def caption(result: SimulationResult) -> str:
    """What was run, and what the columns mean."""
    n_pairs, settings = len(result.paired("corrections")), result.settings
    ending = "" if result.complete else " Interrupted: these are the pairs that every strategy finished."
    return (
        f"Means per (video, object) over {n_pairs} {'pair' if n_pairs == 1 else 'pairs'}, tau {settings['tau']}, "
        f"model {settings['model']}, seed {settings['seed']}; fewer corrections than {result.baseline} with a 95 % "
        f"bootstrap interval; pairs ≥ 10 are those in which {result.baseline} needed ten or more. {LEGEND}{ending}"
    )


MOST_NAMES = 12
"""Pairs that a figure names; more are numbered."""


def corrections_figure(result: SimulationResult) -> Figure:
    """Corrections per pair, sorted by the baseline, and corrections accumulated over the videos' length."""
    from matplotlib.ticker import MaxNLocator

    table = result.paired("corrections").sort_values(result.baseline, ascending=False)
    figure = new_figure(9.0, 3.4)
    each, total = figure.subplots(1, 2)
    if len(table) == 1:
        draw_one_pair(each, table)
    else:
        draw_pairs(each, table)
    draw_totals(total, result, list(table.columns))
    for axes in (each, total):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(0, None if axes.dataLim.y1 > 0 else 1)  # nothing but zeros has no scale of its own
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def draw_one_pair(axes: Axes, table: pd.DataFrame) -> None:
    """A bar per strategy."""
    axes.bar(list(table.columns), table.iloc[0], color=[COLOURS.get(each) for each in table.columns])
    axes.tick_params(axis="x", rotation=20)
    axes.set(ylabel="corrections", title="Corrections")


def draw_pairs(axes: Axes, table: pd.DataFrame) -> None:
    """A column of dots per pair."""
    from matplotlib.ticker import MaxNLocator

    for index, strategy in enumerate(table.columns):
        # Smaller on larger, so that equal counts show as rings.
        size = max(4, 14 - 3 * index)
        axes.plot(np.arange(len(table)), table[strategy], ".", ms=size, label=strategy, color=COLOURS.get(strategy))
    axes.set(xlabel="pair, by corrections of the baseline", ylabel="corrections", title="Per video and object")
    if len(table) <= MOST_NAMES:
        several = len(set(table.index.get_level_values("object"))) > 1
        names = [f"{video}, {object_id}" if several else video for *_, video, object_id in table.index]
        axes.set_xticks(np.arange(len(table)), names, rotation=35, ha="right", rotation_mode="anchor", fontsize=7)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)


def draw_totals(axes: Axes, result: SimulationResult, strategies: list[str]) -> None:
    """How corrections add up until the end of the longest video."""
    end = result.records["frames"].max() if len(result.records) else 0
    for strategy in strategies:
        own = result.events[(result.events["strategy"] == strategy) & (result.events["event"] == "corrected")]
        frames = np.sort(np.asarray(own["frame"], dtype=float))
        counts = np.r_[np.arange(len(frames) + 1), len(frames)]
        axes.step(np.r_[0, frames, end], counts, where="post", label=strategy, color=COLOURS.get(strategy))
    axes.set(xlabel="frame", ylabel="corrections so far, all pairs", title="Over the length of the videos")
    axes.legend(frameon=False)


def new_figure(width: float, height: float) -> Figure:
    """A figure that a notebook shows whether or not pyplot was ever loaded; width and height in inches."""
    from matplotlib.figure import Figure

    class ShownFigure(Figure):
        def _repr_png_(self) -> bytes:
            return png(self)

    return ShownFigure(figsize=(width, height), layout="constrained")


def png(figure: Figure) -> bytes:
    """A figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Live interactive training: a simulation</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums }}
th, td {{ padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #8884 }}
td {{ white-space: nowrap }}
th:first-child, td:first-child {{ text-align: left }}
div {{ overflow-x: auto }}
img {{ max-width: 100%; border-radius: 4px }}
@media (prefers-color-scheme: dark) {{ img.chart {{ filter: invert(0.88) hue-rotate(180deg) }} }}
</style>
<h1>Live interactive training</h1>
<p>A simulated user corrects the tracker wherever its mask falls below the threshold. LIT-LoRA learns from every
correction and proposes a mask at later errors; an accepted proposal is a correction saved. The two controls propose
without learning: a copy of the previous mask, and the frozen decoder's own single-mask token.</p>
{summary}
<h2>Corrections</h2>
<p>{corrections}</p>
{story}
</html>
"""


def html_report(result: SimulationResult, story: Story | None) -> str:
    """One self-contained page: summary, figure, and a story in pictures when there is one."""
    pictures = ""
    if story is not None:
        shown = picture(story.figure(), "A failure, its correction, and a later accepted proposal")
        pictures = (
            f"<h2>What was learned</h2><p>{escape(story.sequence.name)}, one of the clips in which most proposals were "
            f"accepted. Orange with a black rim is the mask, the white line the truth.</p><p>{shown}</p>"
        )
    corrections = picture(result.plot(), "Corrections per pair and over the length of the videos", "chart")
    return PAGE.format(summary=summary_html(result), corrections=corrections, story=pictures)


def picture(figure: Figure, text: str, kind: str = "photo") -> str:
    """A figure as an HTML image that needs no file."""
    data = base64.b64encode(png(figure)).decode()
    return f'<img class="{kind}" alt="{escape(text)}" src="data:image/png;base64,{data}">'
