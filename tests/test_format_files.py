"""Formats of one file: SA-V, NPZ and CVAT, read by the libraries of their fields."""

import json
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from formats_helpers import assert_same_masks, mask_set, with_video
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from lit_widget.video.formats.mask_set import CompactMasks, FormatError, MaskObject
from lit_widget.video.formats.registry import FORMATS, check_export, export_masks, read_masks


def test_sav_is_read_by_pycocotools(tmp_path):
    masks = mask_set()
    report = export_masks(masks, tmp_path / "clip_manual.json", "sa-v")
    assert report.lost == (
        "names of objects",
        "colours of objects",
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
    masks = mask_set(on=(0, 4))
    assert len(export_masks(masks, tmp_path / "out.json", "sa-v").lost) == 2
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


def test_npz_of_others(tmp_path):
    ids = np.random.default_rng(0).choice(np.array([0, 2, 200], np.uint8), (4, 5, 6))
    ids[3] = 0
    np.savez_compressed(tmp_path / "ids.npz", ids_of_mine=ids)
    back = read_masks(tmp_path / "ids.npz")
    assert [each.id for each in back.objects] == [2, 200]
    assert all(np.array_equal(back.masks[frame, each], ids[frame] == each) for frame in range(4) for each in (2, 200))
    np.savez(tmp_path / "masks.npz", masks=ids == 2)
    assert np.array_equal(read_masks(tmp_path / "masks.npz").masks[1, 1], ids[1] == 2)
    for wrong in ({"a": ids.astype(float)}, {"a": ids[0]}, {"a": ids, "b": ids}):
        np.savez(tmp_path / "wrong.npz", **wrong)
        with pytest.raises(FormatError, match="frames × height × width"):
            read_masks(tmp_path / "wrong.npz")


def test_npz_with_an_array_per_object_has_their_names(tmp_path):
    hand, foot = (np.random.default_rng(seed).random((3, 8, 9)) > 0.5 for seed in (0, 1))
    np.savez_compressed(tmp_path / "masks.npz", **{"left hand": hand, "foot": foot})
    masks = read_masks(tmp_path / "masks.npz")
    assert [each.name for each in masks.objects] == ["left hand", "foot"]
    for each, expected in zip(masks.objects, (hand, foot), strict=True):
        assert all(np.array_equal(masks.masks[frame, each.id], expected[frame]) for frame in range(3))
    np.savez(tmp_path / "odd.npz", a=hand, b=foot[:2])
    with pytest.raises(FormatError, match=r"b has shape \(2, 8, 9\), unlike a"):
        read_masks(tmp_path / "odd.npz")


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
    export_masks(mask_set(on=(0,)), folder / "out.npz", "npz")
    content = bytearray((folder / "out.npz").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "out.npz").write_bytes(content)
    try:
        read_masks(folder / "out.npz", "npz")
    except FormatError as error:
        assert "\n" not in str(error)  # noqa: PT017 - damage may also be harmless


def their_mask(element, size):
    """CVAT's own reading: run lengths in a box, row by row, beginning with what is off."""
    left, top, width, height = (int(element.get(key)) for key in ("left", "top", "width", "height"))
    pixels = [place % 2 for place, n in enumerate(element.get("rle").split(",")) for _ in range(int(n))]
    mask = np.zeros(size, bool)
    mask[top : top + height, left : left + width] = np.reshape(pixels, (height, width))
    return mask


def test_cvat_is_read_by_elementtree(tmp_path):
    masks = mask_set()
    report = export_masks(masks, tmp_path / "out.xml", "cvat")
    assert report.lost == ("frames per second", "6 gaps without masks, whose first frame reads as an empty mask")
    root = ET.parse(tmp_path / "out.xml").getroot()
    assert [each.text for each in root.iterfind("meta/task/labels/label/name")] == ["Rad, größer", "hat"]
    for track, object_id in zip(root.iterfind("track"), (1, 4), strict=True):
        shown = {int(each.get("frame")): each for each in track if each.get("outside") == "0"}
        assert [*shown] == [frame for frame in masks.annotated(object_id) if masks.masks[frame, object_id].any()]
        for frame, element in shown.items():
            assert np.array_equal(their_mask(element, masks.size), masks.masks[frame, object_id])


def test_cvat_comes_back(tmp_path):
    masks = mask_set(on=range(7))
    assert len(export_masks(masks, tmp_path / "out.xml", "cvat").lost) == 1
    back = read_masks(tmp_path / "out.xml")
    assert_same_masks(masks, back)
    assert replace(back, masks=masks.masks, fps=masks.fps) == masks


def test_cvat_of_others(tmp_path):
    """As CVAT writes it: ids from 0, one job, polygons."""
    (tmp_path / "theirs.xml").write_text(
        "<?xml version='1.0'?><annotations><version>1.1</version><meta><job><id>3</id><size>9</size></job>"
        "<original_size><width>8</width><height>6</height></original_size></meta>"
        "<track id='0' label='fish' source='manual'>"
        "<polygon frame='2' keyframe='1' outside='0' points='1.50,1.50;4.50,1.50;4.50,3.50;1.50,3.50' z_order='0'>"
        "<attribute name='age'>3</attribute></polygon>"
        "<polygon frame='3' keyframe='1' outside='1' points='1.50,1.50;4.50,1.50;4.50,3.50' z_order='0'></polygon>"
        "</track><track id='1' label='fish'/></annotations>"
    )
    back = read_masks(tmp_path / "theirs.xml")
    assert back.n_frames == 9
    assert [each.name for each in back.objects] == ["fish", "fish"]
    assert np.argwhere(back.masks[2, 1]).tolist() == [[y, x] for y in (1, 2, 3) for x in (1, 2, 3, 4)]
    assert not back.masks[3, 1].any()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<!DOCTYPE a [<!ENTITY b "ha">]><annotations>&b;</annotations>', "declares a document type"),
        ("<annotations><track/></annotations>", "gives no frame size"),
        ("<annotations/>", "has no tracks"),
        ("PK", "is no XML"),
        ("SIZED<track><mask frame='0' rle='1, 1' left='0' top='0' width='9' height='1'/></track>", "not in the frame"),
        ("SIZED<track><mask frame='0' rle='1, 9' left='0' top='0' width='2' height='1'/></track>", "do not add up"),
        ("SIZED<track><mask frame='0' rle='-1, 3' left='0' top='0' width='2' height='1'/></track>", "from 0 up"),
        ("SIZED<track><mask frame='-1'/></track>", "a frame must be a whole number"),
        ("SIZED<track><polygon frame='1' points='a,b'/></track>", "cannot be read"),
        (
            "SIZED<track><polygon frame='1' points='0,0;1,nan;2,2'/></track>",
            "a corner of a polygon is no finite number",
        ),
    ],
)
def test_hostile_xml_is_refused(tmp_path, text, reason):
    sized = "<annotations><meta><original_size><width>4</width><height>3</height></original_size></meta>"
    (tmp_path / "evil.xml").write_text(text.replace("SIZED", sized))
    with pytest.raises(FormatError, match=reason):
        read_masks(tmp_path / "evil.xml")


def test_masks_that_are_missing_read_as_empty_and_are_counted(tmp_path):
    """Three masks of six that would make two objects on three frames."""
    whole, masks = mask_set(overlapping=False, on=(0, 1, 2)), CompactMasks((13, 17))
    for frame, each in ((0, 1), (1, 4), (2, 1)):
        masks.add(frame, each, whole.masks[frame, each])
    for name in ("mose", "youtube-vos", "vost", "lvos", "davis", "yolo-seg"):
        report = export_masks(replace(whole, masks=masks), tmp_path / name, name)
        assert "3 masks that are missing, which read as empty" in report.lost
        assert len(read_masks(tmp_path / name).masks) == 6


def test_what_did_not_happen_is_not_said_to_be_lost(tmp_path):
    plain = tuple(MaskObject.unnamed(each) for each in (1, 2))
    masks = CompactMasks((13, 17))
    for frame in range(7):
        for each in (1, 2):
            masks.add(frame, each, np.eye(13, 17, k=each, dtype=bool))
    given = mask_set(masks=masks, objects=plain, fps=24.0)
    for name, each in FORMATS.items():
        if each.read and name != "sa-v":
            report = export_masks(given, tmp_path / f"{name}{each.suffix}", name)
            assert report.lost == ()
            assert str(report).endswith(", complete")


def test_no_mask_at_all_is_said(tmp_path):
    report = export_masks(mask_set(masks={}), tmp_path / "out.json", "coco")
    assert str(report) == f"no mask was there to write: {tmp_path / 'out.json'} is coco without any, complete"


def test_events_of_masks_that_tell_of_none_are_refused(tmp_path):
    with pytest.raises(FormatError, match="nothing is known of how these masks came about"):
        export_masks(mask_set(), tmp_path / "out.csv", "events")
    report = export_masks(with_video(mask_set()), tmp_path / "out.csv", "events")
    assert str(report).startswith("2 events written to ")


@pytest.mark.parametrize(
    ("path", "name", "right"),
    [("x.txt", "coco", "x.json"), ("b.txt", "mp4", "b.mp4"), ("x", "events", "x.csv"), ("x.json", "davis", "x")],
)
def test_a_wrong_suffix_is_refused(tmp_path, path, name, right):
    masks = with_video(mask_set())
    for write in (lambda: check_export(tmp_path / path, name), lambda: export_masks(masks, tmp_path / path, name)):
        with pytest.raises(FormatError, match=f"give {tmp_path / right}$"):
            write()
    assert not [*tmp_path.iterdir()]
