"""What a newcomer does first: the README's example and the first notebook do what they say."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from lit_widget import LITWidget, embedded_clip

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def test_the_readmes_example_follows_the_object(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    script = "\n".join([*blocks[:2], "import numpy", "numpy.save('masks.npy', masks)"])
    # In an interpreter of its own, where nothing of the tests is loaded.
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    kind, seed = re.search(r'embedded_clip\("(\w+)", (\d+)\)', blocks[0]).groups()
    target = embedded_clip(kind, int(seed)).target
    followed = [iou(mask, truth) for mask, truth in zip(np.load(tmp_path / "masks.npy"), target, strict=True)]
    assert min(followed[:8]) > 0.6, "the click does not select the object"
    assert min(followed) < 0.5, "there is nothing to correct"


def test_the_first_notebook_runs_and_shows_what_it_promises():
    notebook = nbformat.read(ROOT / "notebooks" / "01_first_video.ipynb", as_version=4)
    # What a reader would do by mouse before going on.
    notebook.cells.insert(2, nbformat.v4.new_code_cell(f"w.click(0, {click()})\nw.track()"))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(ROOT)}}).execute()
    shown = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert any("image/png" in data for data in shown)
    tables = [data["text/html"] for data in shown if "text/html" in data]
    corrections = dict(re.findall(r"<td>(original|lit-lora|previous-mask)</td>\s*<td>([\d.]+)", "".join(tables)))
    assert float(corrections["lit-lora"]) < min(float(corrections["original"]), float(corrections["previous-mask"]))


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_saved_with_pictures(path):
    assert path.stat().st_size < 2**20
    cells = nbformat.read(path, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    saved = [output.get("data", {}) for output in outputs]
    assert any("image/png" in data for data in saved)
    assert not any("widget-view" in kind for data in saved for kind in data), "a view shows nothing without its kernel"
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    said = "".join([*(output.get("text", "") for output in outputs), *(data.get("text/plain", "") for data in saved)])
    assert not re.search(r"/(tmp|root|home|Users|work)/", said), "a path of the machine that ran it"


def test_the_second_notebook_runs():
    execute(cells_of("02_how_lit_learns"))


def test_notebooks_that_measure_run_on_less():
    cells = [
        *cells_of("03_measure_it", "frames=24", "frames=3"),
        *cells_of("04_bring_your_own", "frames=24", "frames=3"),
        *cells_of("05_live_classification", "per_class=10", "per_class=5"),
        *cells_of("06_user_study"),
    ]
    # In one kernel, which imports torch once; that each notebook imports what it uses is what ruff looks at.
    execute(cells)


def cells_of(name, long="", short=""):
    """The code of a notebook, with something in it replaced by what takes less time."""
    cells = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells
    assert any(long in cell.source for cell in cells)
    return [
        nbformat.v4.new_code_cell(cell.source.replace(long, short) if long else cell.source)
        for cell in cells
        if cell.cell_type == "code"
    ]


def execute(cells):
    """Run cells in a kernel of their own."""
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(ROOT)}}).execute()


def test_the_first_notebooks_correction_teaches_what_helps_two_frames_later():
    clip = embedded_clip("distractor", 315)
    w = LITWidget(clip.frames)
    w.click(0, *map(float, click().split(",")))
    w.track(0)
    # The hexagon, the star, and the floor beside the bean.
    for x, y in ((102.0, 146.0), (65.0, 62.0), (168.0, 55.0)):
        w.click(31, x, y, positive=False)
    w.learn(31)
    w.flag(33)
    assert w.wait(300.0)
    assert iou(w.mask(33), clip.target[33]) < 0.5
    assert iou(w.proposal, clip.target[33]) > 0.7
    w.close()


def click():
    """Where the README clicks: both use one clip."""
    x, y = re.search(r"w\.click\(frame=0, x=(\d+), y=(\d+)\)", (ROOT / "README.md").read_text()).groups()
    return f"{x}, {y}"
