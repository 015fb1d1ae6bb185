"""How the widget looks: in both themes, narrow and wide, and to people who cannot see it."""

import json

import pytest
from lab import AUDIT, AXE, candidates, correct, prompt, track

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
WIDTHS = (600, 900, 1400)

# What sticks out of the widget, which words and buttons lie on each other, and what shows beside the help.
MISPLACED = """(root) => {
    const help = root.querySelector(".lit-help");
    const top = help.hidden ? root : help;
    const visible = (element) => element?.checkVisibility({ visibilityProperty: true });
    const name = (node) => node.textContent.trim().slice(0, 30) || node.getAttribute("class");
    const meet = (a, b) => ({
        left: Math.max(a.left, b.left), right: Math.min(a.right, b.right),
        top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom),
    });
    const empty = ({ left, right, top, bottom }) => right - left < 1.5 || bottom - top < 1.5;
    // Of what is scrolled or cut off only the part that shows.
    const shown = (box, element) => {
        for (let at = element; at !== root; at = at.parentElement) {
            if (getComputedStyle(at).overflowX !== "visible") box = meet(box, at.getBoundingClientRect());
        }
        return box;
    };
    const words = [];
    const walk = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(walk.currentNode);
        const parent = walk.currentNode.parentElement;
        if (!visible(parent)) continue;
        for (const box of range.getClientRects()) words.push([walk.currentNode, shown(box, parent)]);
    }
    const buttons = [...top.querySelectorAll("button")].filter(visible)
        .map((button) => [button, shown(button.getBoundingClientRect(), button.parentElement)]);
    const collisions = (items) => items.flatMap(([one, box], i) => items.slice(i + 1)
        .filter(([other, its]) => other !== one && !empty(meet(box, its)))
        .map(([other]) => `${name(one)} lies on ${name(other)}`));
    const outer = root.getBoundingClientRect();
    const found = [...words, ...buttons]
        .filter(([, box]) => !empty(box) && (box.left < outer.left || box.right > outer.right))
        .map(([node]) => `${name(node)} sticks out`);
    found.push(...collisions(words), ...collisions(buttons));
    if (root.scrollWidth > root.clientWidth) {
        found.push(`the content is ${root.scrollWidth} px wide, the widget ${root.clientWidth}`);
    }
    const bar = root.querySelector(".lit-toolbar").getBoundingClientRect();
    if (!help.hidden && help.getBoundingClientRect().top > bar.bottom) found.push("a gap above the help");
    return found;
}"""


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
        if problems := view.root.evaluate(MISPLACED):
            found[name] = problems
        view.root.screenshot(path=artifacts / f"{name}.png")

    for theme in THEMES:
        set_theme(lab, theme)
        view.focus()
        for width in WIDTHS:
            set_width(view, width)
            look(f"{theme}-{width}-work")
            view.press("b")
            look(f"{theme}-{width}-brush")
            view.press("p")
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
    assert not found, json.dumps(found, indent=1)


def test_candidates_side_by_side(open_lab, artifacts):
    lab = open_lab("w = LITWidget(clip.frames, strategy='three-loras')\nw", size=(1500, 1000))
    lab.command("application:toggle-left-area")
    view = lab.show()
    candidates(lab, view, frame=12)
    view.press("2")
    view.until("d.candidate === '2/3'")
    found = {}
    for theme in THEMES:
        set_theme(lab, theme)
        view.focus()
        for width in WIDTHS:
            set_width(view, width)
            if problems := view.root.evaluate(MISPLACED):
                found[f"{theme}-{width}"] = problems
            view.root.screenshot(path=artifacts / f"{theme}-{width}-candidates.png")
    assert not found, json.dumps(found, indent=1)


def test_the_picture_has_most_of_the_room(open_lab):
    lab = open_lab("import numpy as np\nw = LITWidget(np.zeros((3, 90, 160, 3), np.uint8))\nw")
    view = lab.show()
    set_width(view, 900)
    area = {part: view.root.locator(part).bounding_box() for part in (".lit-stage", "xpath=.")}
    stage, widget = (box["width"] * box["height"] for box in area.values())
    print(f"the picture takes {stage / widget:.1%} of the widget at 900 px")
    assert stage / widget > 0.62


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not in js/node_modules: run `npm --prefix js ci`")
def test_accessible(annotated):
    lab, view = annotated
    lab.page.add_script_tag(path=AXE)
    found = {}

    def audit(name):
        if problems := view.root.evaluate(AUDIT):
            found[name] = problems

    for theme in THEMES:
        set_theme(lab, theme)
        view.focus()
        audit(f"{theme}-work")
        view.press("w")
        view.until("d.proposal === '11:1' && d.status === 'idle'")
        audit(f"{theme}-proposal")
        view.press("r")
        view.until("d.proposal === '' && d.status === 'idle'")
        lab.do("w.accept()")
        view.until("d.status === 'error'")
        audit(f"{theme}-error")
        view.root.get_by_role("button", name="Dismiss").click()
        view.press("?")
        audit(f"{theme}-help")
        view.press("Escape")
    assert not found, json.dumps(found, indent=1)
