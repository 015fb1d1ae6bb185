"""The versions of ipykernel that people have: what `make hosts` installs beside the environment."""

import pytest
from helpers import clip
from host_packages import KERNELS, missing
from lab import answers_within
from loop import FRAMES, deepest, whole_loop

pytestmark = [pytest.mark.browser, pytest.mark.hosts]

TARGET = clip("easy", 2, FRAMES).target

BUSY = """
import time
from pathlib import Path
until = time.monotonic() + 300
while not Path("{stop}").exists():
    assert time.monotonic() < until, "nobody ended this cell"
    {turn}
"""
TURNS = {"sleeping": "time.sleep(0.05)", "computing": "sum(range(1000))"}


@pytest.fixture(params=KERNELS)
def kernel(request):
    if missing(request.param):
        pytest.skip(f"{request.param} is not installed: run `make hosts`")
    return request.param


def test_whole_loop_and_a_busy_kernel(open_lab, kernel, tmp_path, record_property):
    cells = [BUSY.format(stop=tmp_path / name, turn=turn) for name, turn in TURNS.items()]
    lab = open_lab("w = LITWidget(clip.frames)\nw", *cells, kernel=kernel)
    view = lab.show()
    version = lab.ask("__import__('ipykernel').__version__")
    assert version.startswith(kernel.removeprefix("ipykernel-"))
    record_property("host", f"ipykernel {version} in JupyterLab")
    whole_loop(view, TARGET)
    record_property("loop", "works")

    lab.do("w.add_object('second'); w.click(0, 40, 40); w.wait()")
    view.press("Home")
    view.until("d.frame === '0' && d.status === 'idle' && d.prompts === '1'")
    answered = [click_beside_a_cell(lab, view, 1 + i, tmp_path / name) for i, name in enumerate(TURNS)]
    record_property("threads", "arrive, while a cell runs too")
    assert answered == [not kernel.startswith("ipykernel-6")] * 2
    record_property("click", "answered at once" if all(answered) else "waits for the cell")


def click_beside_a_cell(lab, view, cell, stop):
    """Whether a click is answered while a cell runs, and not only after it; what a thread sends must arrive before."""
    lab.do("import threading; threading.Timer(0.5, w.track, [0]).start()")
    lab.start(cell)
    view.until("d.job === 'track:running'")
    view.until("d.job === 'track:done'")
    clicked = int(view.data["prompts"])
    x, y = deepest(TARGET[0])
    view.click(x + cell, y)
    answered = answers_within(view, f"d.prompts === '{clicked + 1}'", 10)
    stop.touch()
    lab.finish()
    view.until(f"d.prompts === '{clicked + 1}' && d.status === 'idle'")
    return answered
