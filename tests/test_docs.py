"""The documentation: it builds without a warning, its code runs, and it has every public name."""

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from threading import Thread
from urllib.parse import urlsplit

import pytest
from markdown.extensions.toc import slugify
from page_code import blocks

import lit_widget
from lit_widget import LITWidget
from lit_widget.cli import _parser
from lit_widget.simulation.bench.experiments import find_experiment
from lit_widget.simulation.classification import STRATEGIES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
RUN = [page for page in PAGES if any(block.runs for block in blocks(page))]


def named(page):
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """What went wrong on the pages, all run in one interpreter that knows nothing of the tests."""
    command = [sys.executable, ROOT / "tests" / "page_code.py", tmp_path_factory.mktemp("pages"), *RUN]
    ran = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, stdout=subprocess.PIPE)
    return json.loads(ran.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=named)
def test_code_on_a_page_runs(page, wrong):
    assert str(page) not in wrong, wrong[str(page)]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_code_says_what_it_is(page):
    languages = {block.language for block in blocks(page)}
    assert languages <= {"python", "sh", "text"}, "write ```python, ```sh or ```text"


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    # Not --quiet: it silences warnings before --strict counts them.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    said = built.stdout + built.stderr
    assert built.returncode == 0, said
    assert "WARNING" not in said, said
    page = (tmp_path / "site" / "reference" / "widget" / "index.html").read_text("utf-8")
    for name, _ in methods(LITWidget):
        assert f'id="lit_widget.LITWidget.{name}"' in page, name


def test_every_public_name_is_in_the_reference():
    reference = "".join(page.read_text("utf-8") for page in (DOCS / "reference").glob("*.md"))
    listed = set(re.findall(r"^::: lit_widget\.(\w+)$", reference, re.MULTILINE))
    assert listed == set(lit_widget.__all__) - {"__version__"}


def test_the_protocol_page_is_the_code():
    tables = runpy.run_path(str(DOCS / "protocol_tables.py"))
    text = (DOCS / "protocol.md").read_text("utf-8")
    assert tables["filled"](text) == text, "run python docs/protocol_tables.py"


def test_the_page_of_keys_is_the_views_table():
    tables = runpy.run_path(str(DOCS / "keys_table.py"))
    text = (DOCS / "reference" / "keys.md").read_text("utf-8")
    assert "| **W** |" in text
    assert tables["filled"](text) == text, "run python docs/keys_table.py"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_a_page_names_exists(page):
    text = page.read_text("utf-8")
    files = re.findall(r"`((?:lit_widget|benchmarks|tests|js|notebooks|docs)/[\w./-]+)`", text)
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
    missing = [name for name in files if not (ROOT / name).exists()]
    missing += [link for link in links if not (page.parent / link).exists()]
    missing += [name for name in re.findall(r"`(lit_widget(?:\.\w+)+)", text) if not resolves(name)]
    missing += [target for target in re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE) if target not in TARGETS]
    missing += [module for module in re.findall(r"python -m (benchmarks\.\w+)", text) if find_spec(module) is None]
    assert not missing


COMMAND = re.compile(r"(?:^|`)(?:\.venv/bin/)?lit-widget ([^`\n]+)", re.MULTILINE)


@pytest.mark.parametrize("page", [page for page in PAGES if COMMAND.search(page.read_text("utf-8"))], ids=named)
def test_commands_are_spelled_right_also_where_they_are_not_run(page):
    for words in COMMAND.findall(page.read_text("utf-8")):
        parsed = vars(_parser().parse_args(shlex.split(words.replace("--help", ""))))
        strategies = set((parsed.get("strategies") or "original").split(","))
        if words.startswith("classify"):  # takes any CLIP
            assert strategies <= set(STRATEGIES), words
            continue
        assert parsed.get("model") in {None, *lit_widget.models()}, words
        assert strategies <= set(lit_widget.strategies()), words
        if "workers" in parsed:
            find_experiment(parsed["name"])


def resolves(name):
    """Whether a dotted name means something."""
    try:
        resolve_name(name)
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


def test_addresses_can_be_ones_and_are_written_alike():
    linked = runpy.run_path(str(DOCS / "links.py"))["addresses"]()
    assert len(linked) > 10
    whole = {address: urlsplit(address) for address in linked}
    odd = {
        each for each, parts in whole.items() if parts.scheme != "https" or "." not in parts.netloc or parts.username
    }
    assert not odd, "a link is https://HOST/…"
    twice = {each for each in linked if each.endswith("/") and each.rstrip("/") in linked}
    assert not twice, "one page has one address"


def test_contributors_are_told_of_every_target():
    told = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [target for target in told if target != "help" and f"`make {target}`" not in text] == []


def test_the_diagram_of_the_loop_is_what_its_script_draws(tmp_path):
    figures = runpy.run_path(str(DOCS / "figures.py"))
    for theme in figures["THEMES"]:
        kept = DOCS / "figures" / f"loop-{theme.name}.svg"
        figures["loop"].__globals__["FOLDER"] = tmp_path
        figures["loop"](theme)
        assert words(tmp_path / kept.name) == words(kept), "run make figures"


def words(svg):
    """What is written in a drawing, in which colours."""
    text = svg.read_text("utf-8")
    return re.findall(r"<text[^>]*>([^<]+)<", text), sorted(set(re.findall(r"#[0-9a-f]{6}\b", text)))


class Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *args):
        pass


def test_a_dead_address_is_told_from_one_that_turns_scripts_away():
    trouble = runpy.run_path(str(DOCS / "links.py"))["trouble"]
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}"
        assert [trouble(f"{here}/{status}") for status in (200, 403, 404)] == [None, None, "404 Not Found"]
        server.shutdown()
    assert trouble(f"{here}/200").startswith("unreachable")


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=named)
def test_headings_that_are_pointed_to_from_outside_the_site_are_there(page):
    # mkdocs checks those of its own pages.
    for target, heading in re.findall(r"\]\(([^):\s]+\.md)#([^)]+)\)", page.read_text("utf-8")):
        lines = re.findall(r"^#+ (.+)$", (page.parent / target).read_text("utf-8"), re.MULTILINE)
        assert heading in [slugify(re.sub(r"[`*]", "", line), "-") for line in lines], target


def test_what_the_readme_points_to_is_there():
    text = (ROOT / "README.md").read_text()
    targets = re.findall(r"\]\(([^)#]+)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    missing = [target for target in targets if not target.startswith("http") and not (ROOT / target).exists()]
    assert not missing
