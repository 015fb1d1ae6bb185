"""What a person does with the widget in JupyterLab."""

from importlib.metadata import version

import nbformat
import pytest
from helpers import clip
from lab import candidates, correct, prompt, track
from loop import FRAMES, whole_loop
from nbconvert import HTMLExporter

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# What a host such as Colab does; "push" is one that the kernel does not recognise.
DROPPING = """
import threading
dropped = []

class Dropping(LITWidget):
    def _send(self, message, buffers=None):
        if not threading.current_thread().name.startswith("lit-"):
            super()._send(message, buffers)
        elif message["method"] == "custom":
            dropped.append(message)

w = Dropping(clip.frames)
w.transport = "{transport}"
w._outbox.polling = w.transport == "poll"
w"""


@pytest.mark.hosts
def test_annotate_correct_learn_propose_accept_undo_reload(open_lab, record_property):
    lab = open_lab("w = LITWidget(clip.frames)\nw", "w")
    view = lab.show()
    view.remember()
    prompt(lab, view)
    assert view.changed() > 200
    assert lab.ask("int(w.mask(0).sum())") == int(view.data["maskPixels"])

    view.press("t")
    view.until("d.job === 'track:done' && d.masks === '16'")
    assert lab.ask("w.masks().any((1, 2)).all().item()")

    view.go_to(6)
    correct(lab, view, 6)
    assert view.data["adapterVersion"] == "0"
    view.press("Enter")
    view.until("d.adapterVersion === '1' && d.status === 'idle'")
    assert "v1" in view.text("learned")
    assert lab.ask("(w.corrections, w.adapter_version)") == ([6], 1)

    view.go_to(10)
    view.remember()
    view.press("w")
    view.until("d.proposal === '10:1' && d.status === 'idle'")
    proposed = lab.ask("int((w.proposal ^ w.mask(10)).sum())")
    assert view.changed() >= min(proposed, 50)
    view.press("a")
    view.until("d.proposal === '' && d.status === 'idle'")
    assert lab.ask("w.accepted") == [10]
    assert "saved 1 correction" in view.text("saved")

    view.press("ControlOrMeta+z")
    view.until("d.job === 'predict:done' && d.proposal === '10:1' && d.frame === '10'")
    assert lab.ask("w.accepted") == []
    view.until("d.masks === '16'")

    lab.reload()
    views = lab.view(), lab.show(1, nth=1)
    for again in views:
        again.until("d.masks === '16' && d.adapterVersion === '1' && Number(d.maskPixels) > 0")
        assert again.data["frame"] == "10"
        assert "v1" in again.text("learned")
    assert lab.ask("(w.corrections, w.accepted)") == ([6], [])
    check_saved(lab.server.notebooks / lab.path, pictures=1)
    lab.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")
    lab.command("docmanager:save")
    check_saved(lab.server.notebooks / lab.path, pictures=2, with_state=True)
    correct(lab, views[0], 10)
    views[1].until("d.prompts === '1'")
    record_property("host", f"JupyterLab {version('jupyterlab')}")
    record_property("loop", "works, reload and a second view too")
    record_property("threads", "asked for" if lab.ask("w._outbox.polling") else "arrive")


def check_saved(path, *, pictures, with_state=False):
    """That a saved notebook is small and shows pictures where nothing runs."""
    saved = nbformat.read(path, 4)
    assert ("widgets" in saved.metadata) == with_state
    print(f"the saved notebook has {path.stat().st_size / 1000:.0f} kB")
    assert path.stat().st_size < 1_000_000
    saved.metadata.pop("widgets", None)
    page, _ = HTMLExporter().from_notebook_node(saved)
    assert page.count('src="data:image/jpeg;base64,') == pictures


def test_the_view_follows_the_tracking_until_a_click_stops_it(open_lab):
    lab = open_lab(frames=60)
    view = lab.show()
    prompt(lab, view)
    view.press("t")
    view.until("d.following === 'true' && Number(d.painted) > 2")
    assert "following" in view.text("status")
    x, y = lab.ask("deepest(clip.target[2])")
    view.click(x, y)
    view.until("d.job === 'predict:done' && d.prompts === '1'")
    seen = int(view.data["frame"])
    (prompted,) = lab.ask("[each.frame for each in w._annotation.state.prompts]")
    assert 2 < seen == prompted
    assert view.data["following"] == "false"
    reached = lab.ask("int(np.flatnonzero(w.masks().any((1, 2))).max())")
    print(f"clicked on frame {seen}; tracking had reached {reached} of 59")
    assert seen <= reached < 59

    view.press("t")
    view.until("d.following === 'true'")
    view.press("Home")
    view.until("d.following === 'false' && d.frame === '0'")
    view.until("d.job === 'track:done'")
    assert view.data["frame"] == "0"


def test_pick_a_candidate(open_lab):
    lab = open_lab("w = LITWidget(clip.frames, strategy='three-loras')\nw")
    view = lab.show()
    candidates(lab, view, frame=12)
    assert view.data["candidate"] == "1/3"
    shown = view.root.locator(".lit-candidate")
    assert shown.count() == 3
    assert shown.nth(1).get_attribute("aria-label") == "Candidate 2 of 3 · adapter v1"
    view.remember()
    view.press("3")
    view.until("d.candidate === '3/3'")
    assert shown.nth(2).get_attribute("aria-pressed") == "true"
    different = lab.ask("bool((proposed(0) ^ proposed(2)).any())")
    assert different
    lab.page.wait_for_function("(root) => root", arg=view.root.element_handle())
    assert view.changed() > 0
    expected = lab.ask("int(proposed(2).sum())")
    view.press("a")
    view.until("d.proposal === '' && d.status === 'idle' && d.job === 'track:done'")
    assert lab.ask("(w.accepted, int(w.mask(12).sum()))") == ([12], expected)


def test_cancel_keeps_what_is_done(open_lab):
    lab = open_lab(frames=40)
    view = lab.show()
    prompt(lab, view)
    view.press("t")
    view.until("d.job === 'track:running' && Number(d.masks) > 1")
    view.press("Escape")
    view.until("d.job === 'track:cancelled'")
    kept = lab.ask("int(w.masks().any((1, 2)).sum())")
    print(f"stopped after {kept} of 40 frames")
    assert 1 < kept < 40
    view.until(f"Number(d.masks) >= {kept} && d.masks !== '40'")
    view.go_to(1)
    assert int(view.data["maskPixels"]) > 0
    track(view, frames=40)


def test_keys_stay_inside(open_lab):
    lab = open_lab("w = LITWidget(clip.frames)\nw", "w", "1")
    view = lab.show()
    prompt(lab, view)
    before = lab.cells()
    keys = "d d a x c v m y j k i i r b z Shift+m Space ArrowUp ArrowDown ArrowLeft ArrowRight Home End Tab Shift+Tab"
    view.press(*keys.split(), "Delete", "Backspace", "PageDown", "Shift+Space")
    assert lab.cells() == before
    assert view.root.evaluate("(root) => root.contains(document.activeElement)")

    # A part of the widget has the focus, as after a click on it.
    for part in (".lit-track", "button:not([disabled])"):
        view.root.locator(part).first.focus()
        for key in ("d", "d", "Shift+m", "m", "y", "j", "ArrowUp", "Control+Enter", "Alt+Enter", "Shift+Enter"):
            lab.page.keyboard.press(key)
        assert lab.cells() == before
        assert view.root.evaluate("(root) => root.contains(document.activeElement)")

    view.focus()
    view.until("d.status === 'idle'")
    view.press("Escape")
    assert not view.root.evaluate("(root) => root.contains(document.activeElement)")
    assert "The notebook has the keys" in view.text("status")
    view.press("b")
    assert len(lab.cells()[0]) == len(before[0]) + 1
    view.focus()
    assert "The notebook has the keys" not in view.text("status")


def test_a_right_click_takes_away_and_opens_no_menu(open_lab):
    lab = open_lab()
    view = lab.show()
    prompt(lab, view)
    view.click(5, 5, button="right")
    view.until("d.prompts === '2' && d.status === 'idle'")
    assert not lab.page.locator(".lm-Menu").count()
    track(view, frames=16)


def test_errors_are_shown(open_lab):
    lab = open_lab()
    view = lab.show()
    prompt(lab, view)
    track(view, frames=16)
    lab.do("w.accept()")
    view.until("d.status === 'error'")
    assert "no open proposal" in view.text("error")
    assert view.data["masks"] == "16"
    assert int(view.data["maskPixels"]) > 0
    view.root.get_by_role("button", name="Dismiss").click()
    view.until("d.status === 'idle'")
    assert not view.root.locator(".lit-error").is_visible()
    assert lab.ask("w.masks().any((1, 2)).all().item()")


ENDINGS = {
    "restarted": "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()",
    "shut down": "() => jupyterapp.shell.currentWidget.sessionContext.shutdown()",
    "killed": """() => void jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute(
        { code: "import os, signal; os.kill(os.getpid(), signal.SIGKILL)" })""",
}
"""How a kernel may end, in JavaScript."""


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_kernel_that_ends_is_noticed_and_what_was_there_stays(open_lab, ending):
    lab = open_lab()
    view = lab.show()
    prompt(lab, view)
    view.until("d.framesCached === '16'")
    masks = view.data["masks"]
    lab.page.evaluate(ENDINGS[ending])
    if ending == "killed":
        lab.page.locator(".jp-Dialog .jp-mod-accept").click()
    if ending == "shut down":
        # JupyterLab tells the view nothing; the next action shows it.
        view.press("t")
    view.until("d.status === 'disconnected'")
    assert "Not connected" in view.text("status")
    assert "not connected" in view.text("link")
    view.focus()
    view.go_to(1)
    view.go_to(0)
    view.press("t", "Escape")
    assert (view.data["masks"], view.data["status"]) == (masks, "disconnected")
    assert int(view.data["maskPixels"]) > 0


@pytest.mark.parametrize("transport", ["poll", "push"])
def test_whole_loop_where_what_threads_send_is_dropped(open_lab, transport):
    lab = open_lab(DROPPING.format(transport=transport))
    whole_loop(lab.show(), clip("easy", 2, FRAMES).target)
    assert lab.ask("(w.corrections, w.accepted, w._outbox.polling)") == ([6], [10], True)
    assert lab.ask("len(dropped) > 0") == (transport == "push")
