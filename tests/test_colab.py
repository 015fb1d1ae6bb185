"""The badge and the first cell that open notebooks in Colab: prepared for an address, and tried as far as that goes."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

ROOT = Path(__file__).parent.parent
REPOSITORY = "https://github.com/someone/lit-widget"


def colab(*arguments):
    command = [sys.executable, ROOT / "notebooks" / "colab.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def prepared(tmp_path):
    """A copy of the first notebook, prepared twice, and its cells before."""
    path = Path(shutil.copy(ROOT / "notebooks" / "01_first_video.ipynb", tmp_path))
    before = nbformat.read(path, as_version=4).cells
    for given in (REPOSITORY + ".git", REPOSITORY):
        assert colab(given, path).returncode == 0
    return nbformat.read(path, as_version=4), before


def test_badge_and_cell_come_first_and_once(prepared):
    notebook, before = prepared
    badge, _, *rest = notebook.cells
    nbformat.validate(notebook)
    assert rest == before
    address = "colab.research.google.com/github/someone/lit-widget/blob/main/notebooks/01_first_video.ipynb"
    assert address in badge.source


def test_the_cell_installs_in_colab_and_nowhere_else(prepared, monkeypatch):
    cell = prepared[0].cells[1].source
    shell, asked = InteractiveShell(), []
    for name in ("pip", "env"):
        shell.register_magic_function(lambda line, name=name: asked.append(f"{name} {line}"), magic_name=name)
    assert shell.run_cell(cell).success
    assert asked == []
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert shell.run_cell(cell).success
    assert asked == [
        "env SAM2_BUILD_CUDA=0",
        "pip install -q --no-build-isolation sam2",
        f"pip install -q git+{REPOSITORY}",
    ]


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git checkout")
def test_the_repository_can_be_installed_from_its_address(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", f"git+{ROOT.as_uri()}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert list(tmp_path.glob("lit_widget-*.whl"))


def test_an_address_that_is_none_is_refused(tmp_path):
    ended = colab("example.org/lit-widget", tmp_path / "missing.ipynb")
    assert ended.returncode == 1
    assert "like https://github.com/OWNER/lit-widget" in ended.stderr
