"""What an export must never do: delete what is not its own, show what is not there, or end without a word."""

import shutil

import numpy as np
import pytest
from formats_helpers import mask_set
from helpers import clip, done, pocket, widget_on
from PIL import Image

from lit_widget import LITWidget
from lit_widget.video.formats.mask_set import FormatError
from lit_widget.video.formats.registry import FORMATS, export_masks
from lit_widget.widget.limits import AnnotationError

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


def test_pictures_and_labels_of_others_are_not_replaced(tmp_path):
    masks = mask_set()
    for name in ("davis", "yolo-seg"):
        export_masks(masks, tmp_path / name, name)
    sequence = tmp_path / "davis" / "Annotations" / "480p" / "clip"
    shutil.copytree(sequence, sequence.with_name("another"))
    (tmp_path / "yolo-seg" / "data.yaml").write_text("names: [cat, dog]")
    for name, strange in (("davis", r"0000\d.png"), ("yolo-seg", "data.yaml")):
        with pytest.raises(FormatError, match=f"{strange}, which is no such export"):
            export_masks(masks, tmp_path / name, name, overwrite=True)
    shutil.rmtree(sequence.with_name("another"))
    Image.fromarray(np.zeros((13, 17, 3), np.uint8)).save(sequence / "00000.png")
    with pytest.raises(FormatError, match=r"00000.png, which is no such export"):
        export_masks(masks, tmp_path / "davis", "davis", overwrite=True)


def test_what_needs_pixels_is_refused_without_the_video(images, tmp_path):
    folder, _ = images
    made = LITWidget(folder, model=pocket(), session=tmp_path / "a.lit")
    made.give_mask(0, clip("union", frames=FRAMES).target[0])
    made.give_mask(1, clip("union", frames=FRAMES).target[1])
    done(made)
    made.close()
    folder.rename(tmp_path / "gone")
    widget = LITWidget.open(tmp_path / "a.lit", model=pocket())
    for name in ("mp4", "gif", "matte"):
        with pytest.raises(AnnotationError, match="this takes the video, which is not there: it was looked for at "):
            widget.export(tmp_path / f"out{FORMATS[name].suffix}", format=name)
    for takes_pixels in (widget.run_simulation, lambda: widget.frames[0], lambda: list(widget.frames)):
        with pytest.raises(AnnotationError, match="this takes the video, which is not there"):
            takes_pixels()
    widget.export(tmp_path / "out.json", format="coco")
    done(widget)
    assert widget.exported.n_masks == 2
    widget.frame_index = 1
    widget._refresh_preview()
    sent = []
    widget._outbox._send = lambda message, buffers: sent.append((message["type"], len(buffers)))
    widget._answers.frames([0, 1])
    widget._pixel_worker.wait(10.0)
    assert ("frames", 2) in sent
    widget.close()


def test_truth_of_some_frames_is_said_and_the_others_are_not_measured(tmp_path):
    widget, heard = widget_on(frames=FRAMES)
    target = clip("union", frames=FRAMES).target
    np.savez(tmp_path / "short.npz", target[:2])
    widget.load_masks(tmp_path / "short.npz", as_="ground_truth")
    done(widget)
    said = [message["message"] for message, _ in heard if message["type"] == "error"]
    assert said == [f"2 of {FRAMES} frames have ground truth; the others are not measured."]
    assert {each: [*masks] for each, masks in (widget._truth or {}).items()} == {1: [0, 1]}
    heard.clear()
    np.savez(tmp_path / "whole.npz", target)
    widget.load_masks(tmp_path / "whole.npz", as_="ground_truth")
    done(widget)
    assert not [message for message, _ in heard if message["type"] == "error"]
    widget.close()


def test_a_cancelled_export_says_so(tmp_path):
    widget, heard = widget_on(frames=FRAMES)
    widget.give_mask(0, clip("union", frames=FRAMES).target[0])
    done(widget)
    read = widget._annotation.mask_of

    def cancelling(item):
        widget.cancel()
        return read(item)

    widget._annotation.mask_of = cancelling
    widget.export(tmp_path / "out", format="davis")
    widget.export(tmp_path / "waits.json", format="coco")
    assert widget.wait(60.0)
    assert widget.exported is None
    said = [message["message"] for message, _ in heard if message["type"] == "error"]
    assert sorted(said) == [f"Cancelled: nothing was written to {tmp_path / name}." for name in ("out", "waits.json")]
    assert not [*tmp_path.iterdir()]
    widget.close()
