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
until = time.monotonic() + 60
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
    assert lab.ask("__import__('ipykernel').__version__").startswith(kernel.split("-")[1])
    whole_loop(view, TARGET)
    record_property("loop", "works")

    lab.do("w.add_object('second'); w.click(0, 40, 40); w.wait()")
    view.press("Home")
    view.until("d.frame === '0' && d.status === 'idle' && d.prompts === '1'")
    for turn, name in enumerate(TURNS):
        # The cell begins with work for the worker; its messages must arrive while the cell keeps the kernel busy.
        lab.do("import threading; threading.Timer(0.5, w.track, [0]).start()")
        lab.start(1 + turn)
        view.until("d.job === 'track:running'", 30)
        view.until("d.job === 'track:done'", 60)
        record_property(f"threads while {name}", "arrive")
        x, y = deepest(TARGET[0])
        clicked = int(view.data["prompts"])
        view.click(x + turn, y)
        answered = answers_within(view, f"d.prompts === '{clicked + 1}'", 5)
        record_property(f"click while {name}", "answered" if answered else "waits for the cell")
        assert answered == (not kernel.startswith("ipykernel-6"))
        (tmp_path / name).touch()
        lab.finish()
        view.until(f"d.prompts === '{clicked + 1}' && d.status === 'idle'")
