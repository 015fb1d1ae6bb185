"""Masks out of the widget and into another one, by its methods."""

import json

import numpy as np
import pytest
from helpers import clip, done, pocket, widget_on
from PIL import Image
from pycocotools.coco import COCO

from lit_widget import LITWidget
from lit_widget.video.formats.mask_set import CompactMasks, FormatError, MaskObject, MaskSet
from lit_widget.video.formats.registry import FORMATS, export_masks, read_masks
from lit_widget.widget.limits import AnnotationError

FRAMES = 4
TARGET = clip("union", frames=FRAMES).target


@pytest.fixture(scope="module")
def widget():
    """Two objects tracked through the video, the first corrected and learned once."""
    widget, heard = widget_on(frames=FRAMES)
    widget.heard = heard
    widget.give_mask(0, TARGET[0])
    widget.add_object("bike")
    widget.click(0, 100.0, 100.0)
    widget.track()
    widget.give_mask(2, TARGET[2], object_id=1)
    widget.learn(2, object_id=1)
    widget.edit_object(2, colour="#123456", hidden=True)
    yield done(widget)
    widget.close()


@pytest.fixture
def fresh():
    widget, _ = widget_on(frames=FRAMES)
    yield widget
    widget.close()


def test_export_is_what_masks_says(widget, tmp_path, capsys):
    widget.export(tmp_path / "out.json", format="coco")
    done(widget)
    assert widget.exported.lost == ()
    assert (widget.exported.n_masks, widget.exported.n_frames) == (2 * FRAMES, FRAMES)
    theirs = COCO(tmp_path / "out.json")
    for each in theirs.anns.values():
        frame = theirs.imgs[each["image_id"]]["frame_id"]
        assert np.array_equal(theirs.annToMask(each), widget.mask(frame, object_id=each["track_id"]))
    assert {each["name"] for each in theirs.cats.values()} == {"object 1", "bike"}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written(widget, tmp_path, name):
    path = tmp_path / f"out{FORMATS[name].suffix}"
    widget.export(path, format=name)
    done(widget)
    what = "3 events" if name == "events" else f"{2 * FRAMES} masks on {FRAMES} frames"
    assert str(widget.exported).startswith(f"{what} written to {path} as {name}")
    assert path.exists()
    if FORMATS[name].read and name != "yolo-seg":
        assert np.array_equal(read_masks(path).masks[0, 2], widget.mask(0, object_id=2))


def test_events_tell_the_corrections(widget, tmp_path):
    widget.export(tmp_path / "out.csv", format="events")
    done(widget)
    lines = [line.split(",") for line in (tmp_path / "out.csv").read_text().splitlines()]
    assert [line[:-1] for line in lines[1:]] == [
        ["0", "1", "object 1", "prompted", "0", "1"],
        ["2", "1", "object 1", "corrected", "0", "1"],
        ["0", "2", "bike", "prompted", "0", "0"],
    ]
    assert float(lines[2][-1]) > 0


def test_errors_come_at_once_and_lose_nothing(widget, tmp_path):
    (tmp_path / "out.json").write_text("mine")
    with pytest.raises(FormatError, match="exists; give another path"):
        widget.export(tmp_path / "out.json", format="coco")
    with pytest.raises(FormatError, match="there is no format 'tiff'; choose one of coco, "):
        widget.export(tmp_path / "out", format="tiff")
    with pytest.raises(FormatError, match="there is no format 'tiff'"):
        widget.load_masks(tmp_path / "out.json", format="tiff")
    with pytest.raises(FormatError, match="there is no file or folder missing; give the path of masks"):
        widget.load_masks("missing")
    with pytest.raises(AnnotationError, match="not 'truth'"):
        widget.load_masks(tmp_path / "out.json", as_="truth")
    widget.load_masks(tmp_path / "out.json")
    with pytest.raises(FormatError, match="is not JSON"):
        widget.wait(60.0)
    assert widget.mask(0) is not None


def test_progress_and_cancel(widget, tmp_path):
    widget.heard.clear()
    widget.export(tmp_path / "out.json", format="coco")
    done(widget)
    jobs = [message for message, _ in widget.heard if message["type"] == "job"]
    assert {job["note"] for job in jobs[1:-1]} == {"Writing coco"}
    assert jobs[-1]["status"] == "done"
    assert "complete" in jobs[-1]["note"]

    ended, read = [], widget._annotation.mask_of

    def slow(item):
        widget.cancel()
        ended.append(item)
        return read(item)

    widget._annotation.mask_of = slow
    widget.export(tmp_path / "cancelled", format="davis")
    done(widget)
    widget._annotation.mask_of = read
    assert 0 < len(ended) < 2 * FRAMES
    assert widget.exported is None
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    assert [m["status"] for m, _ in widget.heard if m["type"] == "job"][-1] == "cancelled"


def test_loading_that_is_stopped_says_how_much_was_loaded_and_is_one_step_of_undo(widget, fresh, tmp_path):
    widget.export(tmp_path / "out.json", format="coco")
    done(widget)
    prompt, given, heard = fresh._annotation.learner.prompt, [], []
    fresh._outbox._send = lambda message, _: heard.append(message)

    def slow(item, output):
        prompt(item, output)
        given.append(item)
        if len(given) == 2:
            fresh.cancel()

    fresh._annotation.learner.prompt = slow
    fresh.load_masks(tmp_path / "out.json")
    done(fresh)
    said = [message["message"] for message in heard if message["type"] == "error"]
    assert len(said) == 1
    assert said[0].startswith("Stopped: 2 of ")
    assert "undo takes them back in one step" in said[0]
    assert sum(fresh.masks(object_id=each).any(axis=(1, 2)).sum() for each in fresh.objects) == 2
    fresh.undo()
    done(fresh)
    assert not any(fresh.masks(object_id=each).any() for each in fresh.objects)


def test_masks_become_prompts(widget, fresh, tmp_path):
    widget.export(tmp_path / "out.json", format="coco")
    done(widget)
    fresh.load_masks(tmp_path / "out.json")
    done(fresh)
    assert fresh.objects == {1: "object 1", 2: "bike"}
    assert fresh._annotation.objects[2].colour == "#123456"
    for each in (1, 2):
        assert np.array_equal(fresh.masks(object_id=each), widget.masks(object_id=each))
    fresh.track(0)
    done(fresh)
    assert np.array_equal(fresh.masks(object_id=1), widget.masks(object_id=1))
    fresh.undo()  # the tracking
    fresh.undo()
    done(fresh)
    assert fresh.mask(0, object_id=1) is None
    assert fresh.objects == {1: "object 1"}
    fresh.redo()
    done(fresh)
    fresh.edit_object(2, locked=True)
    fresh.load_masks(tmp_path / "out.json")
    with pytest.raises(AnnotationError, match="object 2 is locked"):
        fresh.wait(60.0)


def test_objects_of_one_name_stay_apart(fresh, tmp_path):
    """A file may hold two objects of one name, and its masks replace a prompt that stands."""
    first, second = TARGET[0], ~TARGET[0]
    masks = CompactMasks(first.shape)
    masks.add(0, 3, first)
    masks.add(0, 5, second)
    objects = tuple(MaskObject(each, "fish", "#112233") for each in (3, 5))
    export_masks(MaskSet("clip", first.shape, FRAMES, objects, masks), tmp_path / "in.xml", "cvat")
    fresh.click(0, 20.0, 20.0)
    fresh.load_masks(tmp_path / "in.xml")
    done(fresh)
    assert fresh.objects == {1: "object 1", 2: "fish", 3: "fish"}
    assert np.array_equal(fresh.mask(0, object_id=2), first)
    assert np.array_equal(fresh.mask(0, object_id=3), second)
    fresh.load_masks(tmp_path / "in.xml")
    done(fresh)
    assert len(fresh.objects) == 3


def test_masks_become_ground_truth(fresh, tmp_path):
    folder = tmp_path / "Annotations" / "480p" / "clip"
    folder.mkdir(parents=True)
    for frame in range(FRAMES):
        Image.fromarray(TARGET[frame].astype(np.uint8)).save(folder / f"{frame:05d}.png")
    fresh.load_masks(tmp_path, as_="ground_truth")
    done(fresh)
    assert fresh.mask(0) is None
    result = fresh.run_simulation(strategies=["original"])
    given = widget_on(frames=FRAMES)[0].run_simulation(TARGET, strategies=["original"])
    assert result.summary.equals(given.summary)


def test_masks_of_another_video_are_refused(fresh, tmp_path):
    Image.new("L", (30, 20), 1).save(tmp_path / "00000.png")
    fresh.load_masks(tmp_path)
    with pytest.raises(AnnotationError, match="the masks are of 30 × 20 pixels, but the video has"):
        fresh.wait(60.0)
    Image.new("L", TARGET.shape[:0:-1], 1).save(tmp_path / "00000.png")
    Image.new("L", TARGET.shape[:0:-1], 1).save(tmp_path / "00009.png")
    fresh.load_masks(tmp_path)
    with pytest.raises(AnnotationError, match="there is a mask for frame 9, but the video has 4 frames"):
        fresh.wait(60.0)
    assert fresh.mask(0) is None


def test_frames_are_matched_by_name(tmp_path):

    (tmp_path / "images").mkdir()
    for frame in range(FRAMES):
        image = Image.fromarray(clip("union", frames=FRAMES).frames[frame])
        image.save(tmp_path / "images" / f"frame{10 * frame + 12:05d}.png")
    widget = LITWidget(tmp_path / "images", model=pocket())
    widget.give_mask(1, TARGET[1])
    done(widget)
    widget.export(tmp_path / "out", format="vost")
    done(widget)
    assert [path.name for path in (tmp_path / "out").rglob("*.png")] == ["frame00022.png"]
    widget.undo()
    widget.load_masks(tmp_path / "out")
    done(widget)
    assert np.array_equal(widget.mask(1), TARGET[1])
    widget.export(tmp_path / "out.json", format="coco")
    done(widget)
    names = [each["file_name"] for each in json.loads((tmp_path / "out.json").read_text())["images"]]
    assert names == ["frame00012.jpg", "frame00022.jpg", "frame00032.jpg", "frame00042.jpg"]
    widget.close()


def test_loaded_prompts_are_in_the_session(widget, tmp_path):
    widget.export(tmp_path / "in.json", format="coco")
    done(widget)
    loading, _ = widget_on(frames=FRAMES, session=tmp_path / "clip.lit")
    loading.load_masks(tmp_path / "in.json")
    done(loading)
    masks = loading.masks(object_id=2)
    loading.close()
    again = LITWidget.open(tmp_path / "clip.lit", video=clip("union", frames=FRAMES).frames, model=pocket())
    assert again.objects == {1: "object 1", 2: "bike"}
    assert np.array_equal(again.masks(object_id=2), masks)
    again.close()
