"""The whole loop as a strip of pictures, which the tutorial and the README show in both themes.

LIT_WRITE_FILM=1 writes them to `docs/film/`.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from helpers import pocket
from PIL import Image

from lit_widget import LITWidget, embedded_clip

pytestmark = pytest.mark.browser

FILM = Path(__file__).parents[2] / "docs" / "film"
WIDTH, SHOWN = 900, 720
OFF_THE_OBJECT = ((102, 146), (65, 62), (168, 55))


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def test_the_loop_in_six_pictures(open_page, artifacts):
    clip = embedded_clip("distractor", 315)
    widget = LITWidget(clip.frames, model=pocket())
    page = open_page(widget)
    view = page.view
    pictures = {"light": [], "dark": []}

    def look(name):
        page.page.mouse.move(1, 1)
        for theme, strip in pictures.items():
            page.theme(theme)
            page.width(WIDTH, 620)
            path = artifacts / f"film-{theme}-{name}.png"
            view.root.screenshot(path=path)
            strip.append(path)

    page.width(WIDTH, 620)
    view.focus()
    view.click(73, 135)
    view.until("d.standing === '0:1' && d.status === 'idle' && d.maskPixels !== '0'")
    look("1-click")
    view.press("t")
    view.until("d.job === 'track:done' && d.masks !== '1'")
    view.go_to(31)
    assert iou(widget.mask(31), clip.target[31]) < 0.5
    look("2-wrong")
    for x, y in OFF_THE_OBJECT:
        view.click(x, y, modifiers=["Alt"])
    view.until("d.prompts === '3' && d.status === 'idle'")
    assert iou(widget.mask(31), clip.target[31]) > 0.65
    look("3-corrected")
    view.press("Enter")
    view.until("d.adapterVersion === '1' && d.job === 'track:done'")
    view.go_to(33)
    look("4-learned")
    view.press("w")
    view.until("d.proposal === '33:1' && d.status === 'idle'")
    assert iou(widget.proposal, clip.target[33]) > 0.7 > iou(widget.mask(33), clip.target[33])
    look("5-proposal")
    view.press("a")
    view.until("d.proposal === '' && d.job === 'track:done'")
    view.go_to(33)
    look("6-accepted")
    assert widget.accepted == [33]
    for theme, strip in pictures.items():
        shown = [small(Image.open(path).convert("RGB")) for path in strip]
        assert all(np.asarray(picture).std() > 10 for picture in shown)
        if os.environ.get("LIT_WRITE_FILM"):
            write(shown, theme)


def small(picture):
    """As wide as it is shown."""
    return picture.resize((SHOWN, round(picture.height * SHOWN / picture.width)), Image.Resampling.LANCZOS)


def write(strip, theme):
    """The pictures one by one for the tutorial, and as a film for the README."""
    FILM.mkdir(exist_ok=True)
    for at, picture in enumerate(strip, start=1):
        picture.save(FILM / f"{theme}-{at}.webp", quality=80)
    first, *others = strip
    first.save(FILM / f"{theme}.webp", save_all=True, append_images=others, duration=1800, loop=0, quality=80)
