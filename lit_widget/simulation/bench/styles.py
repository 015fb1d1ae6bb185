"""How figures tell ways of annotating apart: by colour, also for the colour-blind, and by what does not need colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from lit_widget.simulation.report import COLOURS

PALETTE = ("#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#F0E442", "#0072B2", "#999999")
"""The colours of Okabe and Ito, and grey."""
HATCHES = ("", "//", "..", "xx")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
MARKERS = "os^DvPX"


@dataclass(frozen=True)
class Style:
    """How one way is drawn.

    Attributes:
        colour: of bars and lines.
        hatch: of bars.
        dashes: of lines.
        marker: of points.
    """

    colour: str
    hatch: str
    dashes: Any
    marker: str


def styles(ways: Iterable[str]) -> dict[str, Style]:
    """A style for each way: strategies keep their colour, others get what is free, and hatches when all are taken."""
    ways = list(dict.fromkeys(ways))
    free = [colour for colour in PALETTE if colour not in {COLOURS.get(way) for way in ways}]
    spare = ((colour, hatch) for hatch in cycle(HATCHES) for colour in free)
    found = {}
    for way, dashes, marker in zip(ways, cycle(DASHES), cycle(MARKERS), strict=False):
        colour, hatch = (COLOURS[way], "") if way in COLOURS else next(spare)
        found[way] = Style(colour, hatch, dashes, marker)
    return found
