"""One Jupyter server and one Chromium for all browser tests, and a fresh page, notebook and kernel for each."""

import re
from pathlib import Path

import pytest
from lab import Lab
from page import Page
from playwright.sync_api import sync_playwright
from server import lab_server, launch

ARTIFACTS = Path(__file__).parents[1] / "artifacts"

CLIP = 'from lit_widget import LITWidget, embedded_clip\nclip = embedded_clip("easy", 2, frames={frames})\n'
OUTCOME = pytest.StashKey()
SHOW = "w = LITWidget(clip.frames)\nw"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with lab_server(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def artifacts():
    """Where pictures go that a person should look at."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS


@pytest.fixture
def open_lab(server, chromium, request, artifacts):
    """Opens a notebook with the given cells, the first of which finds `clip` made."""
    opened = []

    def start(*cells, frames=16, size=(1280, 900), **where):
        first, *others = cells or (SHOW,)
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]})
        name = re.sub(r"\W+", "-", request.node.name)
        lab = Lab(context.new_page(), server, name, [CLIP.format(frames=frames) + first, *others], **where)
        opened.append(lab)
        return lab

    yield start
    for lab in opened:
        if failed(request.node):
            lab.page.screenshot(path=artifacts / f"failed-{lab.path}.png")
        lab.close()
        lab.page.context.close()
        assert not lab.trouble, f"errors on the page: {lab.trouble}"


@pytest.fixture
def open_page(chromium, request, artifacts):
    """Opens one view of a widget of this process on an empty page."""
    opened = []

    def start(widget, size=(1280, 900), **options):
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]})
        opened.append(Page(context.new_page(), widget, **options))
        return opened[-1]

    yield start
    for page in opened:
        if failed(request.node):
            page.page.screenshot(path=artifacts / f"failed-{re.sub(r'[^a-z0-9]+', '-', request.node.name)}.png")
        page.page.context.close()
        page.widget.close()
        assert not page.trouble, f"errors on the page: {page.trouble}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.when == "call":
        item.stash[OUTCOME] = report.outcome
    return report


def failed(item):
    return item.stash.get(OUTCOME, "failed") == "failed"
