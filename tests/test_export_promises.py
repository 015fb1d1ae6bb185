"""What an export must never do: delete what is not its own, show what is not there, or end without a word."""

import numpy as np
import pytest
from formats_helpers import mask_set
from helpers import clip, done, pocket
from PIL import Image

from lit_widget import LITWidget
from lit_widget.video.formats.mask_set import FormatError
from lit_widget.video.formats.registry import FORMATS, export_masks

FRAMES = 4
FOLDERS = [name for name, each in FORMATS.items() if not each.suffix]


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def images(tmp_path):
    """A video that is a folder of PNG files, and a widget on it."""
    folder = tmp_path / "clipdir"
    folder.mkdir()
    for frame, picture in enumerate(clip("union", frames=FRAMES).frames):
        Image.fromarray(picture).quantize(16).save(folder / f"{frame:05d}.png")
    widget = LITWidget(folder, model=pocket())
    yield folder, widget
    widget.close()


def test_the_video_is_never_written_over(images, tmp_path):
    folder, widget = images
    before = contents(tmp_path)
    for path, name in [
        (folder, "davis"),
        (tmp_path, "davis"),
        (folder / "Annotations", "vost"),
        (folder / "out.json", "coco"),
        (tmp_path / "x" / ".." / "clipdir", "yolo-seg"),
    ]:
        with pytest.raises(FormatError, match="is where the video itself lies"):
            widget.export(path, format=name, overwrite=True)
    thinned = LITWidget(folder, model=pocket(), fps=12.0)
    with pytest.raises(FormatError, match="is where the video itself lies"):
        thinned.export(folder, format="davis", overwrite=True)
    thinned.close()
    assert contents(tmp_path) == before


def test_a_video_file_and_a_list_are_never_written_over(images, tmp_path):
    folder, widget = images
    widget.export(tmp_path / "clip.mp4", format="mp4")
    done(widget)
    before = contents(tmp_path)
    for video in (tmp_path / "clip.mp4", sorted(folder.iterdir())):
        on = LITWidget(video, model=pocket())
        with pytest.raises(FormatError, match="is where the video itself lies"):
            on.export(
                tmp_path / "clip.mp4" if isinstance(video, type(folder)) else folder, format="mp4", overwrite=True
            )
        on.close()
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", FOLDERS)
def test_only_such_a_folder_is_replaced(tmp_path, name):
    masks, mine = mask_set(), np.zeros((13, 17, 3), np.uint8)
    for place in (
        "00000.png",
        "Annotations/00000.png",
        "images/a/00000.png",
        "notes.txt",
        "labels/notes.txt",
        "a.yaml",
    ):
        target = tmp_path / place.replace("/", "_")
        (target / place).parent.mkdir(parents=True)
        if place.endswith(".png"):
            Image.fromarray(mine).quantize(4).save(target / place)
        else:
            (target / place).write_text("my notes")
        with pytest.raises(FormatError, match=f"holds {place}, which is no such export"):
            export_masks(masks, target, name, overwrite=True)
        assert (target / place).exists()
    export_masks(masks, tmp_path / "out", name)
    export_masks(masks, tmp_path / "out", name, overwrite=True)
    colour = tmp_path / "out" / "Annotations" / "480p" / "clip" / "00000.png"
    if name == "davis":
        Image.fromarray(mine).save(colour)
        with pytest.raises(FormatError, match=r"00000.png, which is no such export"):
            export_masks(masks, tmp_path / "out", name, overwrite=True)
