"""Masks travel out and in: read back by libraries that know nothing of us, and by ourselves exactly."""

import json

import numpy as np
import pytest
from formats_helpers import BIKE, assert_same_masks, mask_set, with_video
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from lit_widget.video.formats import rle
from lit_widget.video.formats.mask_set import FormatError
from lit_widget.video.formats.registry import FORMATS, export_masks, read_masks

PICTURES = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))


@settings(max_examples=60)
@given(PICTURES)
def test_run_lengths_are_those_of_pycocotools(picture):
    counts = rle.encode(picture)
    assert np.array_equal(rle.decode(counts, picture.shape), picture)
    assert np.array_equal(coco_mask.decode({"size": list(picture.shape), "counts": counts}), picture)
    plain = rle._uncompressed(counts).tolist()
    assert np.array_equal(rle.decode(plain, picture.shape), picture)


def test_long_runs():
    picture = np.zeros((3000, 2000), bool)
    picture[2000:, 1234] = picture[5, 7] = True
    assert np.array_equal(rle.decode(rle.encode(picture), picture.shape), picture)


@settings(max_examples=200)
@given(st.binary(max_size=30) | st.lists(st.integers(-(2**70), 2**70), max_size=6))
def test_damaged_run_lengths_are_refused(counts):
    try:
        assert rle.decode(counts, (3, 4)).shape == (3, 4)
    except ValueError as error:
        assert "run lengths" in str(error)  # noqa: PT017 - damage may also be harmless


def test_davis_is_read_by_pillow(tmp_path):
    masks = mask_set()
    report = export_masks(masks, tmp_path / "out", "davis")
    folder = tmp_path / "out" / "Annotations" / "480p" / "clip"
    assert sorted(path.name for path in folder.iterdir()) == [f"0000{frame}.png" for frame in (0, 2, 3, 5)]
    covered = 0
    for frame in masks.annotated():
        with Image.open(folder / f"{frame:05d}.png") as image:
            assert image.mode == "P"
            ids = np.array(image)
            assert image.getpalette()[12:15] == [0x12, 0x34, 0x56]
        assert np.array_equal(ids == 4, masks.masks[frame, 4])
        assert np.array_equal(ids == 1, masks.masks[frame, 1] & ~masks.masks[frame, 4])
        covered += int((masks.masks[frame, 1] & masks.masks[frame, 4]).sum())
    assert covered
    assert report.lost[3:] == (f"{covered} pixels of object 1, which lie under another object",)


LAYOUTS = {
    "davis": ("Annotations/480p/clip", "00005", False, 6),
    "vost": ("Annotations/clip", "frame00005", False, 6),
    "youtube-vos": ("Annotations/clip", "00005", True, 6),
    "mose": ("Annotations/clip", "00005", True, 7),
    "lvos": ("train/Annotations/clip", "00000006", False, 6),
}


@pytest.mark.parametrize("recognised", [True, False])
@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_come_back(tmp_path, name, recognised):
    folder, last, named, n_frames = LAYOUTS[name]
    masks = mask_set(overlapping=False)
    behind = ("frames behind the last mask",) if n_frames == 6 else ()
    names = () if named else ("names of objects",)
    assert export_masks(masks, tmp_path / "out", name).lost == (*names, "frames per second", *behind)
    assert max((tmp_path / "out" / folder).iterdir()).name == f"{last}.png"
    back = read_masks(tmp_path / "out", None if recognised else name)
    assert_same_masks(masks, back)
    assert [(each.id, each.colour) for each in back.objects] == [(1, "#D55E00"), (4, "#123456")]
    assert [each.name for each in back.objects] == (["hat", BIKE.name] if named else ["object 1", "object 4"])
    assert (back.name, back.size, back.n_frames, back.frame_names[5]) == ("clip", (13, 17), n_frames, last)
    assert_same_masks(masks, read_masks(tmp_path / "out" / folder, name))


@pytest.mark.parametrize("name", LAYOUTS)
def test_masks_are_named_like_the_frames_they_belong_to(tmp_path, name):
    names = [f"shot_{7 + 10 * frame}" for frame in range(7)]
    masks = mask_set(overlapping=False, frame_names=tuple(names))
    export_masks(masks, tmp_path / "out", name)
    written = sorted(path.stem for path in (tmp_path / "out").rglob("*.png"))
    assert written == sorted(names[frame] for frame in (0, 2, 3, 5))


def test_descriptions_are_those_of_the_data_sets(tmp_path):
    masks = mask_set()
    for name in ("youtube-vos", "mose", "lvos"):
        export_masks(masks, tmp_path / name, name)
    described = json.loads((tmp_path / "youtube-vos" / "meta.json").read_text())["videos"]["clip"]
    assert described["objects"]["1"] == {"category": "hat", "frames": ["00000", "00002", "00003", "00005"]}
    mose = json.loads((tmp_path / "mose" / "meta.json").read_text())["videos"]["clip"]
    assert mose == {"length": 7, "height": 13, "width": 17, **described}
    lvos = json.loads((tmp_path / "lvos" / "train" / "train_meta.json").read_text())["videos"]["clip"]
    assert lvos["objects"]["4"] == {"frame_range": {"start": "00000001", "end": "00000006", "frame_nums": 4}}


def test_grey_masks_and_void(tmp_path):
    """DAVIS 2016 has grey files of 0 and 255; elsewhere 255 is undecided."""
    ids = np.zeros((4, 6), np.uint8)
    ids[1:3, 2:5] = 255
    Image.fromarray(ids).save(tmp_path / "00003.png")
    assert np.array_equal(read_masks(tmp_path).masks[3, 1], ids == 255)
    ids[0, 0] = 2
    Image.fromarray(ids).save(tmp_path / "00003.png")
    back = read_masks(tmp_path)
    assert list(back.masks) == [(3, 2)]
    assert back.masks[3, 2].sum() == 1


def test_several_sequences_are_not_mixed(tmp_path):
    for each in ("a", "b"):
        (tmp_path / "Annotations" / each).mkdir(parents=True)
        Image.new("L", (3, 2), 1).save(tmp_path / "Annotations" / each / "0.png")
    with pytest.raises(FormatError, match=r"holds 2 sequences \(a, b…\); give the folder of one"):
        read_masks(tmp_path, "davis")
    assert read_masks(tmp_path / "Annotations" / "b").name == "b"


def test_coco_is_read_by_pycocotools(tmp_path):
    masks = mask_set()
    assert export_masks(masks, tmp_path / "out.json", "coco").lost == ()
    read = COCO(tmp_path / "out.json")
    assert {each["name"] for each in read.loadCats(read.getCatIds())} == {"hat", "Rad, größer"}
    assert len(read.anns) == len(masks.masks)
    for each in read.anns.values():
        frame = read.imgs[each["image_id"]]["frame_id"]
        mask = masks.masks[frame, each["track_id"]]
        assert np.array_equal(read.annToMask(each), mask)
        assert each["area"] == mask.sum()
        assert each["bbox"] == coco_mask.toBbox(each["segmentation"] | {}).tolist() or not mask.any()


def test_coco_comes_back(tmp_path):
    masks = mask_set()
    export_masks(masks, tmp_path / "out.json", "coco")
    back = read_masks(tmp_path / "out.json")
    assert_same_masks(masks, back)
    assert (back.objects, back.n_frames, back.fps, back.name) == (masks.objects, 7, 12.5, "clip")


def test_coco_of_others(tmp_path):
    """Without tracks, frame numbers or videos; polygons and plain run lengths."""
    triangle = [[2.0, 1.0, 9.0, 1.0, 2.0, 8.0]]
    content = {
        "images": [{"id": "b", "file_name": "x/7.jpg", "height": 10, "width": 12}],
        "categories": [{"id": 3, "name": "fish"}],
        "annotations": [
            {"image_id": "b", "category_id": 3, "segmentation": triangle},
            {"image_id": "b", "category_id": 3, "segmentation": {"size": [10, 12], "counts": [118, 2]}},
        ],
    }
    (tmp_path / "theirs.json").write_text(json.dumps(content))
    back = read_masks(tmp_path / "theirs.json")
    wanted = coco_mask.decode(coco_mask.frPyObjects(triangle, 10, 12))[..., 0] > 0
    wanted[8:, 11] = True
    assert np.array_equal(back.masks[0, 3], wanted)
    assert [each.name for each in back.objects] == ["fish"]
    assert back.frame_names == ("7",)
    triangle[0][0] = float("nan")
    (tmp_path / "odd.json").write_text(json.dumps(content))
    with pytest.raises(FormatError, match="a corner of a polygon is no finite number"):
        read_masks(tmp_path / "odd.json")


def test_what_is_there_is_not_overwritten(tmp_path):
    masks, target = mask_set(), tmp_path / "out"
    export_masks(masks, target, "davis")
    with pytest.raises(FormatError, match="is not empty; give another path, or overwrite=True"):
        export_masks(masks, target, "davis")
    export_masks(masks, target, "davis", overwrite=True)
    (target / "thesis.tex").write_text("years of work")
    with pytest.raises(FormatError, match=r"holds thesis.tex, which is no such export"):
        export_masks(masks, target, "davis", overwrite=True)
    (tmp_path / "a.json").write_text("mine")
    with pytest.raises(FormatError, match="exists; give another path"):
        export_masks(masks, tmp_path / "a.json", "coco")
    assert (tmp_path / "a.json").read_text() == "mine"
    export_masks(masks, tmp_path / "a.json", "coco", overwrite=True)
    with pytest.raises(FormatError, match=r"make .*missing first"):
        export_masks(masks, tmp_path / "missing" / "a.json", "coco")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("before", [False, True])
def test_stopping_leaves_nothing_new(tmp_path, name, before):
    def stop(done, _):
        if done >= 2:
            raise KeyboardInterrupt

    masks, target = with_video(mask_set()), tmp_path / f"out{FORMATS[name].suffix}"
    if before:
        export_masks(masks, target, name)
    held = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(KeyboardInterrupt):
        export_masks(masks, target, name, overwrite=True, step=stop)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == held
    assert list(tmp_path.iterdir()) == ([target] if before else [])


@pytest.mark.parametrize(
    "segmentation",
    [
        None,
        3,
        "x",
        [None],
        [[]],
        [[1, 2, 3, 4, 5]],
        [[1, 2, 3, 4, 5, "6"]],
        [[1, 2, 3, 4, 5, 10**400]],
        {"size": [2, 2]},
    ],
)
def test_what_is_no_coco_mask_is_refused(tmp_path, segmentation):
    image = {"id": 1, "height": 2, "width": 2}
    content = {"images": [image], "annotations": [{"image_id": 1, "category_id": 1, "segmentation": segmentation}]}
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(FormatError, match=r"the mask of annotation 0 of a.json cannot be read: "):
        read_masks(tmp_path / "a.json")
