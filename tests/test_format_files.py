"""Formats of one file: SA-V, NPZ and CVAT, read by the libraries of their fields."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from formats_helpers import assert_same_masks, mask_set
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from lit_widget.video.formats.mask_set import FormatError
from lit_widget.video.formats.registry import export_masks, read_masks


def test_sav_is_read_by_pycocotools(tmp_path):
    masks = mask_set()
    report = export_masks(masks, tmp_path / "clip_manual.json", "sa-v")
    assert report.lost == (
        "names and colours of objects",
        "6 masks of frames between every 4th",
        "2 masks that are missing, which read as empty",
    )
    content = json.loads((tmp_path / "clip_manual.json").read_text())
    assert content["masklet_id"] == [0, 3]
    assert len(content["masklet"]) == 2
    for place, object_id in enumerate((1, 4)):
        assert np.array_equal(coco_mask.decode(content["masklet"][0][place]), masks.masks[0, object_id])
        assert not coco_mask.decode(content["masklet"][1][place]).any()


def test_sav_comes_back(tmp_path):
    masks = mask_set(frames=(0, 4))
    assert len(export_masks(masks, tmp_path / "out.json", "sa-v").lost) == 1
    back = read_masks(tmp_path / "out.json")
    assert_same_masks(masks, back)
    assert (back.name, back.n_frames, back.fps) == ("clip", 7, 12.5)
    assert [each.id for each in back.objects] == [1, 4]


def test_npz_is_read_by_numpy(tmp_path):
    masks = mask_set()
    assert export_masks(masks, tmp_path / "out.npz", "npz").lost == ()
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        assert arrays["ids"].tolist() == [1, 4]
        assert arrays["names"].tolist() == ["hat", "Rad, größer"]
        for each in (1, 4):
            assert arrays[f"object_{each}"].shape == (7, 13, 17)
            assert np.flatnonzero(arrays[f"known_{each}"]).tolist() == masks.annotated(each)
            for frame in masks.annotated(each):
                assert np.array_equal(arrays[f"object_{each}"][frame], masks.masks[frame, each])


@pytest.mark.parametrize("frame_names", [(), tuple("abcdefg")])
def test_npz_comes_back(tmp_path, frame_names):
    masks = mask_set(frame_names=frame_names)
    export_masks(masks, tmp_path / "out.npz", "npz")
    back = read_masks(tmp_path / "out.npz")
    assert_same_masks(masks, back)
    assert replace(back, masks=masks.masks) == masks


def test_npz_pickles_are_refused(tmp_path):
    np.savez(tmp_path / "evil.npz", ids=np.array([{}], dtype=object))
    with pytest.raises(FormatError, match="holds objects, which are not read"):
        read_masks(tmp_path / "evil.npz")


def test_npz_bombs_are_not_inflated(tmp_path):
    for shape, reason in (((2**40,), "bytes; at most"), ((2**62, 2**62), "bytes; at most"), ((5,), "ends before")):
        with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive, archive.open("ids.npy", "w") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<i8", "fortran_order": False, "shape": shape})
        with pytest.raises(FormatError, match=reason):
            read_masks(tmp_path / "bomb.npz")


@given(st.data())
def test_damaged_npz_is_refused_or_read(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("npz")
    export_masks(mask_set(frames=(0,)), folder / "out.npz", "npz")
    content = bytearray((folder / "out.npz").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "out.npz").write_bytes(content)
    try:
        read_masks(folder / "out.npz", "npz")
    except FormatError as error:
        assert "\n" not in str(error)  # noqa: PT017 - damage may also be harmless
