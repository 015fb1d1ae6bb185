"""A picture of the gallery for readers without a kernel: the image to label, and the latest that were labelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont, ImageOps

from lit_widget.images.sources import ImageError

if TYPE_CHECKING:
    from .labelling import Labelling

WIDTH, MARGIN, LINE = 640, 12, 18
LARGE, SMALL, N_SMALL = 192, 92, 6
PAPER, INK, FAINT = "#ffffff", "#1f2328", "#59636e"
FONT = ImageFont.load_default(13)


Shown = Callable[[int, int], Image.Image]
"""Shows an image, with sides no longer than so many pixels."""


def still(labelling: Labelling, shown: Shown) -> Image.Image:
    """Draw what the gallery shows now, dark on light, 640 pixels across."""
    said = [(entry.at, image, entry.label) for image, entry in labelling.book.items() if entry.label >= 0]
    latest = [(image, label) for _, image, label in sorted(said)[-N_SMALL:]]
    height = 2 * MARGIN + LARGE + (MARGIN + SMALL + 2 * LINE if latest else 0)
    sheet = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    if labelling.image >= 0:
        _put(sheet, shown, labelling.image, (MARGIN, MARGIN), LARGE)
    for at, text in enumerate(_lines(labelling)):
        where = (2 * MARGIN + LARGE, MARGIN + at * LINE)
        _write(draw, where, text, WIDTH - where[0] - MARGIN, FAINT if at else INK)
    for at, (image, label) in enumerate(latest):
        where = (MARGIN + at * (SMALL + MARGIN), 2 * MARGIN + LARGE)
        _put(sheet, shown, image, where, SMALL)
        for line, text in enumerate(_in_two(draw, labelling.classes[label], SMALL)):
            _write(draw, (where[0], where[1] + SMALL + line * LINE), text, SMALL + MARGIN // 2, INK)
    return sheet


def _lines(labelling: Labelling) -> list[str]:
    """What is said beside the large image."""
    counts, image, n_images = labelling.book.counts, labelling.image, len(labelling.names)
    n_labelled = counts["confirmed"] + counts["accepted"] + counts["corrected"]
    group = int(labelling.groups.of[image]) if image >= 0 else -1
    return [
        labelling.names[image] if image >= 0 else "nothing to label",
        f"looks like {labelling.classes[group]}" if group >= 0 else "",
        "",
        f"{n_labelled} of {n_images} labelled",
        f"{counts['corrected']} corrected, {counts['accepted']} corrections saved",
    ]


def _put(sheet: Image.Image, shown: Shown, image: int, where: tuple[int, int], side: int) -> None:
    """Draw an image into a square, in its middle, small ones enlarged; one that cannot be read stays empty."""
    try:
        small = shown(image, side)
    except ImageError:
        return
    fitted = ImageOps.contain(small, (side, side))
    sheet.paste(fitted, (where[0] + (side - fitted.width) // 2, where[1] + (side - fitted.height) // 2))


def _in_two(draw: ImageDraw.ImageDraw, text: str, room: int) -> tuple[str, str]:
    """A text as two lines: as many words as there is room for, and the rest."""
    words = text.split()
    n_fit = max([1, *(n for n in range(1, len(words) + 1) if draw.textlength(" ".join(words[:n]), FONT) <= room)])
    return " ".join(words[:n_fit]), " ".join(words[n_fit:])


def _write(draw: ImageDraw.ImageDraw, where: tuple[int, int], text: str, room: int, colour: str) -> None:
    """Write a line of text, its end left out where there is no room."""
    whole = text
    while text and draw.textlength(text if text == whole else text + "…", FONT) > room:
        text = text[:-1]
    draw.text(where, text if text == whole else text + "…", colour, FONT)
