"""What a person does with the widget in marimo, which `make hosts` installs beside the environment."""

import os
import re
import subprocess
import sys
import time
import urllib.request

import pytest
from helpers import clip
from host_packages import MARIMO, missing, search_path
from lab import View, answers_within
from loop import FRAMES, click_to_mask, whole_loop
from server import TIMEOUT_S, free_port

pytestmark = [
    pytest.mark.browser,
    pytest.mark.hosts,
    pytest.mark.skipif(missing("marimo"), reason="marimo is not installed: run `make hosts`"),
]

TARGET = clip("easy", 2, FRAMES).target

NOTEBOOK = f"""
import marimo

app = marimo.App(width="full")


@app.cell
def _():
    import marimo as mo

    from lit_widget import LITWidget, embedded_clip

    from pathlib import Path

    clip = embedded_clip("easy", 2, frames={FRAMES})
    w = LITWidget(clip.frames)
    return Path, mo, w


@app.cell
def _(mo, w):
    {{shown}}
    return


@app.cell
def _(Path, w):
    # Tells the test what it cannot see: whether the view had to ask for messages.
    from threading import Timer

    def tell():
        Path("polling").write_text(str(w._outbox.polling))
        Timer(0.2, tell).start()

    tell()
    return


if __name__ == "__main__":
    app.run()
"""


@pytest.fixture
def open_marimo(chromium, tmp_path, artifacts, request):
    """Opens a notebook that shows the widget, as an app or to be edited."""
    running, pages = [], []

    def start(shown, mode, after=""):
        notebook, port = tmp_path / "notebook.py", free_port()
        notebook.write_text(NOTEBOOK.format(shown=shown).replace("if __name__", after + "if __name__"))
        settings = tmp_path / "marimo" / "marimo.toml"
        settings.parent.mkdir()
        settings.write_text("[runtime]\nauto_instantiate = true\n")
        options = ["--headless", "--no-token", "--host", "127.0.0.1", "--port", str(port)]
        command = [sys.executable, "-m", "marimo", "-q", mode, notebook, *options]
        apart = {"PYTHONPATH": search_path("marimo"), "XDG_CONFIG_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
        log = (tmp_path / "marimo.log").open("w")
        running.append(subprocess.Popen(command, env=os.environ | apart, stdout=log, stderr=log, cwd=tmp_path))
        wait_for(f"http://127.0.0.1:{port}/health", running[-1])
        page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(TIMEOUT_S * 1000)
        pages.append(page)
        page.goto(f"http://127.0.0.1:{port}/")
        return View(page)

    yield start
    for page in pages:
        page.screenshot(path=artifacts / f"{re.sub(r'[^a-z0-9]+', '-', request.node.name)}.png")
        page.context.close()
    for process in running:
        process.terminate()
        process.wait(20)


def wait_for(address, process):
    for _ in range(TIMEOUT_S * 5):
        assert process.poll() is None, "marimo did not start"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)


def host(mode):
    (requirement,) = MARIMO["marimo"]
    return f"{requirement.replace('==', ' ')}, {'edited' if mode == 'edit' else 'as an app'}"


@pytest.mark.parametrize("mode", ["run", "edit"])
@pytest.mark.parametrize("shown", ["mo.ui.anywidget(w)", "w"])
def test_whole_loop(open_marimo, mode, shown, tmp_path, record_property):
    view = open_marimo(shown, mode).until("d.ready === 'true'")
    whole_loop(view, TARGET)
    record_property("host", host(mode))
    record_property("loop", "works")
    record_property("threads", {"False": "arrive", "True": "asked for"}[(tmp_path / "polling").read_text()])


BUSY = """
@app.cell
def _(Path, w):
    import time
    assert w
    while not Path("stop").exists():
        time.sleep(0.05)
    return


"""


def test_a_view_beside_a_running_cell(open_marimo, tmp_path, record_property):
    view = open_marimo("w", "edit", BUSY)
    answered = answers_within(view, "d.ready === 'true'", 15)
    record_property("host", host("edit"))
    record_property("click", "answered at once" if answered else "waits for the cell")
    (tmp_path / "stop").touch()
    view.until("d.ready === 'true' && d.status === 'idle'")
    click_to_mask(view, TARGET)
