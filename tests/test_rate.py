"""A video at a lower frame rate."""

import numpy as np
import pytest
from helpers import clip, done, pocket
from PIL import Image

from lit_widget.video.formats.registry import read_masks
from lit_widget.video.frames import ImageFrames, VideoError, open_frames
from lit_widget.video.rate import at_rate
from lit_widget.widget.widget import LITWidget

IMAGES = clip("union").frames
TARGET = clip("union").target


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "clip").mkdir()
    for index, frame in enumerate(IMAGES):
        Image.fromarray(frame).save(tmp_path / "clip" / f"{index:05}.png")
    return tmp_path


def test_every_third_frame_under_its_own_number():
    frames = at_rate(open_frames(IMAGES), 8.0)
    assert (len(frames), frames.fps, frames.frame_names) == (3, 8.0, ("00000", "00003", "00006"))
    assert np.array_equal(np.stack(list(frames)), np.stack(list(IMAGES))[::3])


def test_names_of_their_own_stay(tmp_path):
    Image.fromarray(IMAGES[0]).save(tmp_path / "frame00012.png")
    Image.fromarray(IMAGES[1]).save(tmp_path / "frame00018.png")
    named = ImageFrames(sorted(tmp_path.iterdir()), name="vost", fps=10.0)
    assert at_rate(named, 5.0).frame_names == ("frame00012",)


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf"), 30.0])
def test_rates_that_cannot_be(fps):
    with pytest.raises(VideoError, match=r"fps|per second"):
        at_rate(open_frames(IMAGES), fps)


def test_the_whole_video_where_nothing_is_left_out():
    frames = open_frames(IMAGES)
    assert at_rate(frames, None) is frames
    assert at_rate(frames, 24.0) is frames


def test_a_session_at_a_lower_rate_is_opened_at_it_and_files_keep_the_numbers(folder):
    widget = LITWidget(folder / "clip", model=pocket(), fps=8.0, session=folder / "x.lit")
    widget.give_mask(0, TARGET[0])
    widget.track(0)
    widget.export(folder / "out", format="davis")
    done(widget)
    masks = widget.masks()
    assert len(masks) == 3
    widget.close()
    again = LITWidget.open(folder / "x.lit")
    assert (len(again.frames), again.frames.fps) == (3, 8.0)
    assert np.array_equal(again.masks(), masks)
    again.track(0)
    done(again).close()
    files = sorted(path.stem for path in (folder / "out").rglob("*.png"))
    assert files == ["00000", "00003", "00006"]
    assert read_masks(folder / "out", "davis").annotated() == [0, 3, 6]
