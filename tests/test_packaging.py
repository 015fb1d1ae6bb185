"""What a user installs: sdist, the wheel built from it, and that wheel in another environment."""

import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import lit_widget

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ["lit_widget/widget/static/widget.js", "lit_widget/widget/static/widget.css"]
WEIGHTS = ["lit_widget/video/pocket/pocket.safetensors", "lit_widget/images/pocket/weights/model.safetensors"]

SHOW_THE_WIDGET = """
import shutil
from importlib.resources import files

import lit_widget

assert shutil.which("node") is None
static = files("lit_widget.widget") / "static"
assert str(lit_widget.LITWidget._esm) == (static / "widget.js").read_text("utf-8")
assert str(lit_widget.LITWidget._css) == (static / "widget.css").read_text("utf-8")
print(lit_widget.__file__)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with the sdist and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT], check=True)
    return out


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


def test_sdist_can_be_rebuilt_and_tested(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"js/package-lock.json", "js/src/index.ts", "tests/test_packaging.py", "LICENSE", *WEIGHTS, *BUNDLE}
    assert wanted <= names
    assert not [name for name in names if "node_modules" in name]


def test_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"lit_widget/py.typed", *WEIGHTS, *BUNDLE} <= names
    assert {name.split("/")[0] for name in names} == {"lit_widget", f"lit_widget-{lit_widget.__version__}.dist-info"}


def test_wheel_metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"lit_widget-{lit_widget.__version__}.dist-info/METADATA").decode()
    metadata = Parser().parsestr(text)
    assert metadata["Name"] == "lit-widget"
    assert metadata["License-Expression"] == "Apache-2.0"
    required = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert len(required) == len(declared)


def test_installed_wheel_shows_the_widget_without_node(wheel, tmp_path):
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", wheel]
    subprocess.run(pip, check=True)
    # The libraries come from this environment; a path file does not bring its editable lit_widget along.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    installed = environment / "lib" / version / "site-packages"
    libraries = Path(pytest.__file__).parents[1]
    (installed / "libraries.pth").write_text(f"{libraries}\n", "utf-8")

    def run(*command):
        bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PATH": ""}
        return subprocess.run(command, cwd=tmp_path, env=bare, check=True, stdout=subprocess.PIPE, text=True).stdout

    assert Path(run(python, "-c", SHOW_THE_WIDGET).strip()).is_relative_to(installed)
    assert "usage" in run(environment / "bin" / "lit-widget", "--help")
