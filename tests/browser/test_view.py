"""What a person does with one view, without a notebook around it."""

import json

import numpy as np
import pytest
from helpers import clip, done, widget_on
from lab import AUDIT, AXE

pytestmark = pytest.mark.browser

TARGET = clip("union").target
NASTY = '<img src=x onerror="window.hacked = 1"><b>bold</b>'


def test_objects_are_named_hidden_recoloured_deleted_and_brought_back(open_page):
    widget, _ = widget_on()
    widget.give_mask(0, TARGET[0])
    widget.track()
    done(widget)
    page = open_page(widget)
    view = page.view
    view.focus()
    view.press("F2")
    view.root.locator(".lit-name").fill(NASTY)
    view.press("Enter")
    view.root.get_by_role("button", name=NASTY, exact=False).first.wait_for()
    assert widget.objects == {1: NASTY}
    assert view.root.locator("img, b").count() == 0
    assert page.page.evaluate("() => window.hacked") is None

    view.remember()
    view.press("h")
    view.root.get_by_role("button", name="Hide", pressed=True).wait_for()
    view.until("d.maskPixels === '0'")
    assert view.changed() > 200
    view.press("h")
    view.until("d.maskPixels !== '0'")
    view.remember()
    view.root.get_by_role("button", name="Rename").first.click()
    view.root.get_by_role("button", name="Colour red").click()
    page.page.wait_for_function(
        "() => document.querySelector('.lit-colour[aria-pressed=true]').ariaLabel === 'Colour red'"
    )
    view.root.get_by_role("button", name="Done").click()
    assert widget._annotation.state.objects[0].colour == "#D55E00"
    assert view.changed() > 200

    view.press("Shift+N")
    view.until("d.objects === '2' && d.active === '2'")
    view.press("1", "Shift+Delete")
    view.until("d.objects === '1' && d.masks === '0'")
    view.press("z")
    view.until("d.objects === '2' && d.masks === '8'")


def point(page, x, y, size=(256, 192)):
    """Move the mouse to a pixel of the video."""
    box, place = page.view.canvas.bounding_box(), page.view.place_of(x, y, size)
    page.page.mouse.move(box["x"] + place["x"], box["y"] + place["y"])


def drag(page, *pixels):
    """Draw with the mouse through pixels of the video."""
    point(page, *pixels[0])
    page.page.mouse.down()
    for pixel in pixels[1:]:
        point(page, *pixel)
    page.page.mouse.up()


def test_painting_erasing_and_lassoing_give_what_is_seen(open_page):
    widget, _ = widget_on()
    page = open_page(widget)
    view = page.view
    view.focus()
    view.press("b", "]")
    drag(page, (60, 60), (120, 60))
    view.until("d.standing === '0:1' && d.status === 'idle'")
    brushed = widget.mask(0)
    assert brushed[60, 60:120].all()
    assert not brushed[100].any()
    assert int(brushed.sum()) == int(view.data["maskPixels"])
    view.press("l")
    drag(page, (60, 100), (100, 100), (100, 140), (60, 140))
    view.until(f"Number(d.maskPixels) > {int(brushed.sum()) + 1500} && d.status === 'idle'")
    done(widget)
    assert widget.mask(0)[101:139, 61:99].all()
    view.press("e")
    drag(page, (80, 60), (80, 62))
    view.until("d.status === 'idle'")
    page.page.wait_for_function("() => document.querySelector('.lit-widget').dataset.job === 'predict:done'")
    view.press("z")
    view.until(f"Number(d.maskPixels) > {int(brushed.sum()) + 1500} && d.status === 'idle'")
    done(widget)
    assert widget.mask(0)[60, 60:120].all()
    view.root.get_by_role("button", name="Take back the painted mask on frame 0").click()
    view.until("d.standing === '' && d.maskPixels === '0'")
    view.press("x")
    drag(page, (200, 20), (120, 100))
    view.until("d.standing === '0:1' && d.status === 'idle'")
    assert widget._annotation.state.standing[0].box == pytest.approx([120.5, 20.5, 200.5, 100.5], abs=1)


def test_it_fills_the_window_and_comes_back(open_page):
    page = open_page(widget_on()[0], size=(1000, 700))
    view = page.view
    before = view.root.bounding_box()
    view.focus()
    view.press("f")
    view.root.locator("xpath=self::*[contains(@class, 'lit-full')]").wait_for()
    assert view.root.bounding_box() == {"x": 0, "y": 0, "width": 1000, "height": 700}
    view.click(100, 100)
    view.until("d.prompts === '1'")
    view.press("Escape")
    view.root.locator("xpath=self::*[not(contains(@class, 'lit-full'))]").wait_for()
    assert view.root.bounding_box()["width"] == before["width"]
    view.press("Escape")
    assert not view.root.evaluate("(root) => root.contains(document.activeElement)")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not in js/node_modules: run `npm --prefix js ci`")
def test_every_state_of_the_view_is_accessible(open_page):
    widget, _ = widget_on("occlusion")
    widget.give_mask(0, clip("occlusion").target[0])
    widget.add_object(NASTY)
    widget.give_mask(3, TARGET[3])
    widget.track(0)
    done(widget)
    widget.edit_object(1, locked=True, hidden=True)
    widget.set_range(2, 6)
    page = open_page(widget)
    view = page.view
    view.page.add_script_tag(path=AXE)
    view.focus()
    view.press("ArrowRight")
    view.click(100, 100)
    view.until("d.prompts === '1' && d.status === 'idle'")
    found = {}
    for theme in ("light", "dark"):
        page.theme(theme)
        for name, keys in {"work": [], "edit": ["F2"], "brush": ["Enter", "b"], "full": ["f"], "help": ["?"]}.items():
            view.press(*keys)
            page.width(600 if name == "brush" else 1200)
            if problems := view.root.evaluate(AUDIT):
                found[f"{theme}-{name}"] = problems
        view.press("Escape", "Escape")
        widget.set_learning(False)
    assert not found, json.dumps(found, indent=1)


def test_the_pointer_shows_what_a_click_would_give_and_the_time_line_its_frames(open_page, artifacts):
    widget, _ = widget_on()
    x, y = (float(mean) for mean in np.argwhere(TARGET[0]).mean(0)[::-1])
    widget.give_mask(0, TARGET[0])
    widget.track()
    widget.give_mask(2, ~TARGET[2])
    widget.learn(2)
    done(widget)
    widget._annotation.previews = True
    widget._annotation.publish()
    page = open_page(widget)
    view = page.view
    view.focus()
    view.press("End")
    view.until("d.frame === '7' && d.maskPixels !== '0'")
    view.remember()
    point(page, x, y)
    view.until("d.hover === '7:1'")
    assert view.changed() > 50
    page.page.screenshot(path=artifacts / "hover.png")
    assert view.data["prompts"] == "0"
    point(page, 2, 2)
    view.until("d.hover === ''")
    track = page.view.root.locator(".lit-track").bounding_box()
    page.page.mouse.move(track["x"] + 0.3 * track["width"], track["y"] + 5)
    view.root.locator(".lit-thumbnail").get_by_text("frame 2").wait_for()
    page.page.wait_for_timeout(300)
    page.page.screenshot(path=artifacts / "thumbnail.png")
    shown = "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].some((byte) => byte > 0)"
    assert view.root.locator(".lit-thumbnail canvas").evaluate(shown)
    assert view.data["frame"] == "7"
