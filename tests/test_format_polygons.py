"""Polygons: exact but for holes, filled by Pillow as their readers do."""

import json

import numpy as np
import pytest
from formats_helpers import mask_set
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, ImageDraw
from scipy.ndimage import binary_fill_holes

from lit_widget.video.formats.mask_set import CompactMasks, FormatError
from lit_widget.video.formats.polygons import fill, near_pixels, outlines
from lit_widget.video.formats.registry import export_masks, read_masks


def draw(lines, size):
    """What a reader of YOLO's polygons makes of them: relative corners, cut to whole pixels."""
    image = Image.new("1", size[::-1])
    for line in lines:
        corners = (np.array(line.split()[1:], float).reshape(-1, 2) * size[::-1]).astype(int)
        ImageDraw.Draw(image).polygon([tuple(each) for each in corners.tolist()], fill=1, outline=1)
    return np.array(image)


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=14)))
def test_outlines_enclose_the_mask_and_its_holes(mask):
    filled = fill(outlines(mask), mask.shape)
    assert not (mask & ~filled).any()
    assert not (filled & ~binary_fill_holes(mask)).any()
    if np.array_equal(binary_fill_holes(mask, np.ones((3, 3))), mask):
        assert np.array_equal(filled, mask)


@given(st.lists(st.tuples(*[st.floats(allow_nan=False)] * 2), min_size=3, max_size=6))
def test_corners_stay_in_the_frame(points):
    assert fill([near_pixels(np.array(points), (5, 8))], (5, 8)).shape == (5, 8)


def test_yolo_is_filled_by_pillow(tmp_path):
    masks = mask_set()
    report = export_masks(masks, tmp_path / "out", "yolo-seg")
    about = json.loads((tmp_path / "out" / "data.yaml").read_text())
    assert about["names"] == {"0": "hat", "1": "Rad, größer"}
    lost = {1: 0, 4: 0}
    back = read_masks(tmp_path / "out")
    for frame in masks.annotated():
        lines = (tmp_path / "out" / "labels" / f"{frame:05d}.txt").read_text().splitlines()
        for place, object_id in enumerate((1, 4)):
            theirs = draw([line for line in lines if line.startswith(f"{place} ")], masks.size)
            mask = masks.masks[frame, object_id]
            assert not (mask & ~theirs).any()
            assert not (theirs & ~binary_fill_holes(mask)).any()
            assert np.array_equal(theirs, back.masks[frame, place + 1])
            lost[object_id] += int((theirs & ~mask).sum())
    assert lost[1]
    filled = [f"{n} pixels in holes of object {each}, which are filled" for each, n in lost.items() if n]
    assert report.lost[3:] == (*filled, "the id of object 4, which is class 1")
    assert ([each.name for each in back.objects], back.n_frames, back.name) == (["hat", "Rad, größer"], 6, "clip")


def test_yolo_without_holes_is_exact(tmp_path):
    masks = CompactMasks((1080, 1920))
    rows, columns = np.mgrid[:1080, :1920]
    masks.add(0, 1, (rows - 500) ** 2 / 4 + (columns - 900) ** 2 < 400**2)
    masks.add(0, 4, (columns > 1917) | (rows == columns))
    export_masks(mask_set(masks=masks, size=(1080, 1920)), tmp_path / "out", "yolo-seg")
    back = read_masks(tmp_path / "out")
    assert np.array_equal(back.masks[0, 1], masks[0, 1])
    assert np.array_equal(back.masks[0, 2], masks[0, 4])


def test_yolo_of_others(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "im7.txt").write_text("2 0 0 0.99 0 0.99 0.49 0 0.49\n\n")
    with pytest.raises(FormatError, match="does not say how large its frames are; put one of them in"):
        read_masks(tmp_path)
    (tmp_path / "images").mkdir()
    Image.new("RGB", (6, 4)).save(tmp_path / "images" / "im7.jpg")
    (tmp_path / "data.yaml").write_text("names: [cat, dog, 'no: way']\n")
    back = read_masks(tmp_path)
    assert back.masks[7, 3].sum() == 12
    assert [each.name for each in back.objects] == ["cat", "dog", "no: way"]
    for wrong, reason in [
        ("1 0.1 0.1", "2 numbers; a polygon has three"),
        ("x 0 0 0 0 0 0", "is no class and polygon"),
        ("1 0 0 0 0 0 a", "is no class and polygon"),
        ("1 0 0 0 0 0 inf", "a corner of a polygon is no finite number"),
    ]:
        (tmp_path / "labels" / "im7.txt").write_text(wrong)
        with pytest.raises(FormatError, match=f"line 1 of .*{reason}"):
            read_masks(tmp_path)
