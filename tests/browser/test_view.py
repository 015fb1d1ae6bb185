"""What a person does with one view, without a notebook around it."""

import pytest
from helpers import clip, done, widget_on

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
