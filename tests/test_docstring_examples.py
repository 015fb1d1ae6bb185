"""Examples in public docstrings do what they say, each in a namespace of its own beside a short video."""

from __future__ import annotations

from pathlib import Path

import griffe
import jaxtyping
import pytest
from page_code import FENCE, write_video
from PIL import Image
from public_names import found, listed, public

import lit_widget
from lit_widget import LITClassifier, LITWidget, embedded_clip
from lit_widget.images.datasets.embedded import embedded_images
from lit_widget.study import Study

BIRDS = ["wren", "robin", "tit", "owl"]


def examples():
    """Code by the name that it is an example of."""
    codes = {}
    for value in {each.path: each for path in sorted(listed()) for each in public(found(path))}.values():
        for section in value.docstring.parsed if value.docstring else ():
            if section.kind is griffe.DocstringSectionKind.admonition and section.title == "Example":
                codes[value.path] = FENCE.search(section.value.description + "\n")
    return codes


EXAMPLES = examples()
RUN = [name for name, fence in EXAMPLES.items() if fence and not fence["reason"]]


def test_every_exported_name_has_an_example_in_a_fence():
    exported = {found(f"lit_widget.{name}").path for name in lit_widget.__all__ if name != "__version__"}
    assert exported <= set(EXAMPLES)
    assert all(fence and fence["language"] == "python" for fence in EXAMPLES.values()), "indent a ```python fence"


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """What examples take for given: a video with its session, a folder of images with one, a widget on each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("desk"))
        patch.setenv("XDG_CACHE_HOME", "cache")
        # Users give whole numbers for coordinates, and have no checker.
        patch.setattr(jaxtyping.config, "jaxtyping_disable", True)
        desk = write_desk()
        yield desk
        desk["widget"].close()
        desk["gallery"].close()


def write_desk():
    write_video(Path("clip.mp4"))
    pictures = embedded_images(0, classes=4, per_class=2)
    Path("birds").mkdir()
    for image in range(len(pictures)):
        Image.fromarray(pictures.read(image)).save(f"birds/{image}.png")
    LITWidget("clip.mp4", session="clip.lit").close()
    LITClassifier("birds/", BIRDS, session="labels.lit").close()
    clip, widget, gallery = embedded_clip("easy", 0, frames=8), LITWidget("clip.mp4"), LITClassifier("birds/", BIRDS)
    widget.give_mask(0, clip.target[0])
    widget.track(0)
    gallery.wait()
    widget.wait()
    kinds = ("practice", "one", "two")
    return {
        "clip": clip,
        "widget": widget,
        "gallery": gallery,
        "videos": dict.fromkeys(kinds, clip.frames),
        "truths": dict.fromkeys(kinds, clip.target),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN)
def test_the_example_runs(name, names):
    given = names["gallery"] if ".gallery." in name else names["widget"]
    space = {each: getattr(lit_widget, each) for each in lit_widget.__all__} | {"Study": Study, **names, "w": given}
    exec(EXAMPLES[name]["code"], space)
    if (made := space["w"]) is not given:
        made.close()
