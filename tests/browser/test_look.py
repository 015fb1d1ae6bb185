"""How the widget looks: in both themes, narrow and wide, and to people who cannot see it."""

from pathlib import Path

import pytest
from lab import correct, prompt, track

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
WIDTHS = (600, 1400)
AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"

# What sticks out of the widget, and which of its buttons lie on each other.
MISPLACED = """(root) => {
    const outer = root.getBoundingClientRect();
    const shown = [...root.querySelectorAll("*")].filter((element) => element.checkVisibility({ visibilityProperty: true }));
    const name = (element) => `${element.getAttribute("class")}: ${element.textContent.slice(0, 30)}`;
    const scrolls = (element) => element.closest(".lit-panel, .lit-help, .lit-rows");
    const out = shown.filter((element) => {
        const { left, right, width } = element.getBoundingClientRect();
        return width > 0 && !element.closest("svg") && (left < outer.left - 1 || right > outer.right + 1);
    });
    const buttons = shown.filter((element) => element.matches("button") && !scrolls(element));
    const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
    const covered = buttons.filter((one) => buttons.some((other) =>
        other !== one && meet(one.getBoundingClientRect(), other.getBoundingClientRect())));
    const wide = root.scrollWidth > root.clientWidth ? ["the widget scrolls sideways"] : [];
    return [...wide, ...out.map(name), ...covered.map(name)];
}"""

AUDIT = """async (root) => (await axe.run(root)).violations.map(({ id, help, nodes }) => ({
    id, help, at: nodes.map((node) => `${node.html.slice(0, 160)} ${node.any.map((check) => check.message)}`),
}))"""


@pytest.fixture
def annotated(open_lab):
    """A widget in the middle of the work: two objects, a correction learned and a proposal open."""
    lab = open_lab(size=(1500, 1000))
    lab.command("application:toggle-left-area")
    view = lab.show()
    lab.do("w.view_height = 420")
    prompt(lab, view)
    track(view, frames=16)
    view.go_to(6)
    correct(lab, view, 6)
    view.press("Enter")
    view.until("d.adapterVersion === '1' && d.status === 'idle'")
    view.go_to(11)
    return lab, view


def set_width(view, width):
    """Make the window so wide that the widget is."""
    for _ in range(3):
        now = view.root.bounding_box()["width"]
        if abs(now - width) < 1:
            break
        size = view.page.viewport_size
        view.page.set_viewport_size({"width": round(size["width"] + width - now), "height": size["height"]})
        view.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert abs(view.root.bounding_box()["width"] - width) < 2


def set_theme(lab, theme):
    lab.command("apputils:change-theme", theme=THEMES[theme])
    light = "true" if theme == "light" else "false"
    lab.page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")


def test_light_and_dark(annotated, artifacts):
    lab, view = annotated
    found = {}

    def look(name):
        lab.page.mouse.move(0, 0)
        found[name] = view.root.evaluate(MISPLACED)
        view.root.screenshot(path=artifacts / f"{name}.png")

    for theme in THEMES:
        set_theme(lab, theme)
        for width in WIDTHS:
            set_width(view, width)
            look(f"{theme}-{width}-work")
            view.press("w")
            view.until("d.proposal === '11:1'")
            look(f"{theme}-{width}-proposal")
            view.press("r")
            view.until("d.proposal === '' && d.status === 'idle'")
            lab.do("w.accept()")
            view.until("d.status === 'error'")
            look(f"{theme}-{width}-error")
            view.root.get_by_role("button", name="Dismiss").click()
            view.press("?")
            look(f"{theme}-{width}-help")
            view.press("Escape")
    assert found == dict.fromkeys(found, [])


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not in js/node_modules: run `npm --prefix js ci`")
def test_accessible(annotated):
    lab, view = annotated
    lab.page.add_script_tag(path=AXE)
    found = {}
    for theme in THEMES:
        set_theme(lab, theme)
        found[theme, "work"] = view.root.evaluate(AUDIT)
        view.press("w")
        view.until("d.proposal === '11:1' && d.status === 'idle'")
        found[theme, "proposal"] = view.root.evaluate(AUDIT)
        view.press("r")
        view.until("d.proposal === '' && d.status === 'idle'")
        lab.do("w.accept()")
        view.until("d.status === 'error'")
        found[theme, "error"] = view.root.evaluate(AUDIT)
        view.root.get_by_role("button", name="Dismiss").click()
        view.press("?")
        found[theme, "help"] = view.root.evaluate(AUDIT)
        view.press("Escape")
    assert found == dict.fromkeys(found, [])
