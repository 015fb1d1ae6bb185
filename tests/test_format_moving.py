"""Moving pictures and tables, read by PyAV, Pillow and the csv module."""

import csv
from dataclasses import replace

import av
import numpy as np
import pytest
from formats_helpers import mask_set, with_video
from PIL import Image

from lit_widget.video.formats.mask_set import FormatError, MaskObject
from lit_widget.video.formats.registry import export_masks, read_masks
from lit_widget.video.frames import open_frames

GREY = np.full((7, 13, 17, 3), 128, np.uint8)


def decoded(path, pixels):
    with av.open(path) as container:
        assert float(container.streams.video[0].average_rate) == 12.5
        return [frame.to_ndarray(format=pixels) for frame in container.decode(video=0)]


def test_matte_is_exact_in_pyav(tmp_path):
    masks = with_video(mask_set())
    export_masks(masks, tmp_path / "out.mov", "matte")
    pictures = decoded(tmp_path / "out.mov", "rgba")
    assert len(pictures) == 7
    for frame, picture in enumerate(pictures):
        alpha = picture[:13, :17, 3]
        wanted = [masks.masks[frame, each] for each in (1, 4) if (frame, each) in masks.masks]
        assert np.array_equal(alpha, 255 * np.any(wanted or [np.zeros(masks.size)], axis=0))


def test_mp4_shows_frames_and_masks(tmp_path):
    big = np.zeros((13, 17), bool)
    big[:, 8:] = True
    masks = mask_set(masks={(2, 1): big}, frames=open_frames(GREY))
    report = export_masks(masks, tmp_path / "out.mp4", "mp4")
    assert report.lost == ("everything but the picture",)
    pictures = decoded(tmp_path / "out.mp4", "rgb24")
    assert len(pictures) == 7
    assert np.abs(pictures[0].astype(int) - 128).max() < 8
    painted = 128 + (np.array([0xD5, 0x5E, 0x00]) - 128) * 0.45
    assert np.abs(pictures[2][:, 12:16] - painted).max() < 16
    assert np.abs(pictures[2][:, :6].astype(int) - 128).max() < 16


def test_gif_is_read_by_pillow(tmp_path):
    wide = np.repeat(np.repeat(GREY, 40, axis=1), 40, axis=2)
    masks = mask_set(masks={}, size=(520, 680), frames=open_frames(wide))
    export_masks(masks, tmp_path / "out.gif", "gif")
    with Image.open(tmp_path / "out.gif") as image:
        assert image.size == (480, 367)
        assert image.info["loop"] == 0
    report = export_masks(replace(masks, fps=100.0), tmp_path / "fast.gif", "gif")
    assert "frames per second beyond 50" in report.lost


def test_what_shows_the_video_needs_it(tmp_path):
    with pytest.raises(FormatError, match="mp4 shows the video, which is not here"):
        export_masks(mask_set(), tmp_path / "out.mp4", "mp4")
    (tmp_path / "out.mp4").write_bytes(b"")
    with pytest.raises(FormatError, match="mp4 is only written, not read"):
        read_masks(tmp_path / "out.mp4", "mp4")


def test_events_are_a_table(tmp_path):
    masks = with_video(mask_set())
    evil = MaskObject(4, '=HYPERLINK("x")', "#000000")
    export_masks(replace(masks, objects=(masks.objects[0], evil)), tmp_path / "out.csv", "events")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert [*first.values()] == ["0", "1", "hat", "prompted", "2", "0", "0.000"]
    assert [*second.values()] == ["3", "4", '\'=HYPERLINK("x")', "corrected", "3", "1", "0.250"]
