"""The documentation: it builds without a warning, its code runs, and every public name is explained."""

import inspect
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from helpers import clip

import lit_widget
from lit_widget import LITWidget

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^(?:<!-- not run: (?P<reason>.+?) -->\n)?```(?P<language>\S*)\n(?P<code>.*?)^```$", re.M | re.S)


def blocks(page):
    """The page's code: line, language, text and why it is not run, if it is not."""
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start("code")) + 1
        yield line, found["language"], found["code"], found["reason"]


def named(page):
    return str(page.relative_to(ROOT))


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with a short video in it, as a reader has one, and the commands of this environment."""
    with av.open(str(tmp_path / "clip.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=8, options={"crf": "10"})
        frames = clip("easy").frames
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        file.mux(stream.encode())
    (tmp_path / ".venv").symlink_to(sys.prefix)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if any(not block[3] for block in blocks(page))], ids=named)
def test_code_on_a_page_runs(page, desk):
    names = {"__name__": "__page__"}
    for line, language, code, reason in blocks(page):
        if reason:
            continue
        if language == "python":
            # Empty lines in front, so that a traceback names the page's own.
            exec(compile("\n" * (line - 1) + code, str(page), "exec"), names)  # noqa: S102
        elif language == "sh":
            subprocess.run(["bash", "-euo", "pipefail", "-c", code], check=True, timeout=60)
    for value in names.values():
        if isinstance(value, LITWidget):
            value.close()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_code_says_what_it_is(page):
    languages = {language for _, language, _, _ in blocks(page)}
    assert languages <= {"python", "sh", "text"}, "write ```python, ```sh or ```text"


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "site"]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert built.returncode == 0, built.stdout
    assert "WARNING" not in built.stdout
    page = (tmp_path / "site" / "reference" / "widget" / "index.html").read_text("utf-8")
    for name, _ in methods(LITWidget):
        assert f'id="lit_widget.LITWidget.{name}"' in page, name


def test_every_public_name_is_in_the_reference():
    reference = "".join(page.read_text("utf-8") for page in (DOCS / "reference").glob("*.md"))
    listed = set(re.findall(r"^::: lit_widget\.(\w+)$", reference, re.M))
    assert listed == set(lit_widget.__all__) - {"__version__"}


def test_the_protocol_page_is_the_code():
    tables = runpy.run_path(str(DOCS / "protocol_tables.py"))
    text = (DOCS / "protocol.md").read_text("utf-8")
    assert tables["filled"](text) == text, "run python docs/protocol_tables.py"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_files_that_a_page_names_exist(page):
    text = page.read_text("utf-8")
    named = re.findall(r"`((?:lit_widget|benchmarks|tests|js|notebooks|docs)/[\w./-]+)`", text)
    links = [link for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)]
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing + [link for link in links if not (page.parent / link).exists()]
    raised = [f"{module}: {name}" for module, name in re.findall(r"`(lit_widget(?:\.\w+)+)\.(\w+)`", text)
              if not resolves(module, name)]
    assert not raised


def resolves(module, name):
    """Whether a dotted name means something."""
    from pkgutil import resolve_name

    try:
        resolve_name(f"{module}.{name}")
    except (AttributeError, ImportError):
        return False
    return True


def methods(cls):
    """Public methods and properties that a class defines in this package."""
    for base in cls.__mro__:
        if base.__module__.startswith("lit_widget."):
            for name, value in vars(base).items():
                if not name.startswith("_") and (callable(value) or isinstance(value, property | classmethod)):
                    yield name, value


def test_every_public_name_is_explained():
    unexplained = []
    for name in set(lit_widget.__all__) - {"__version__"}:
        value = getattr(lit_widget, name)
        own = {name: value}
        if inspect.isclass(value):
            own |= {f"{name}.{each}": member for each, member in methods(value)}
        unexplained += [each for each, member in own.items() if not (member.__doc__ or "").strip()]
    assert not unexplained
