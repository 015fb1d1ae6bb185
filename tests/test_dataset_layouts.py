"""Each public data set in its own layout, a few frames large."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from lit_widget.simulation.datasets import (
    DATASETS,
    DatasetError,
    FrameRange,
    lvos_ranges,
    open_davis_2016,
    open_davis_2017,
    open_lvos,
    open_mosev2,
    open_sav,
    open_sources,
    open_vost,
    open_youtube_vos,
)
from lit_widget.simulation.metrics import lvos_frames, lvos_object, sav_object
from lit_widget.video.frames import VideoError

HEIGHT, WIDTH = 12, 16


def ids_at(t, *, late=2, void=False):
    """Object 1 on every frame, object 2 from frame `late` on."""
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[2:6, t % 8 : t % 8 + 4] = 1
    if t >= late:
        ids[7:10, 3:9] = 2
    if void:
        ids[0, 0] = 255
    return ids


def save_frame(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (WIDTH, HEIGHT)).save(path)


def save_palette(path, ids):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(ids).convert("P")
    image.putdata(ids.ravel())
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + 253 * [9, 9, 9])
    image.save(path)


def save_grey(path, mask):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)


def save_lines(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def frames_of(sequence, object_id):
    """The annotated frames of an object, each with its area."""
    return {t: int(sequence.target(object_id, t).sum()) for t in sequence.annotated_frames(object_id)}


# --- Fixtures ---------------------------------------------------------------------------------------------------------


def make_vost(root):
    for name in ("555_tear_aluminium_foil", "1_cut_onion"):
        for t in range(0, 24, 4):
            save_frame(root / "JPEGImages" / name / f"frame{t:05d}.jpg")
            if t != 8:  # a frame that nobody annotated
                save_palette(root / "Annotations" / name / f"frame{t:05d}.png", ids_at(t // 4, void=True))
    save_lines(root / "ImageSets" / "val.txt", "555_tear_aluminium_foil")
    save_lines(root / "ImageSets" / "train.txt", "1_cut_onion", "")


def make_lvos(root, split="valid", meta_inside=True):
    folder = root / split
    for t in range(3, 24):
        save_frame(folder / "JPEGImages" / "vid" / f"{t:08d}.jpg")
        if t % 5 == 3:
            save_palette(folder / "Annotations" / "vid" / f"{t:08d}.png", ids_at(t, late=13))
    objects = {
        "1": {"frame_range": {"start": "3", "end": "23", "frame_nums": "5"}},
        "2": {"frame_range": {"start": 13, "end": 23, "frame_nums": 3}},
    }
    meta = {"videos": {"vid": {"objects": objects}}}
    ((folder if meta_inside else root) / f"{split}_meta.json").write_text(json.dumps(meta))


def make_mosev2(root):
    for name in ("01ab", "fe9d", "0c2e"):
        for t in range(5):
            save_frame(root / "train" / "JPEGImages" / name / f"{t:05d}.jpg")
            save_palette(root / "train" / "Annotations" / name / f"{t:05d}.png", ids_at(t, late=0))
    for t in range(4):
        save_frame(root / "valid" / "JPEGImages" / "77aa" / f"{t:05d}.jpg")
    save_palette(root / "valid" / "Annotations" / "77aa" / "00000.png", ids_at(0, late=0))


def make_sav(root, split="val"):
    folder = root / f"sav_{split}"
    for t in range(13):
        save_frame(folder / "JPEGImages_24fps" / "sav_000001" / f"{t:05d}.jpg")
    for t in (0, 4, 8, 12):
        whole, part = np.zeros((2, HEIGHT, WIDTH), bool)
        whole[2:9, 2:9] = True
        part[4:6, 4:6] = t >= 8
        save_grey(folder / "Annotations_6fps" / "sav_000001" / "000" / f"{t:05d}.png", whole)
        if t >= 4:
            save_grey(folder / "Annotations_6fps" / "sav_000001" / "001" / f"{t:05d}.png", part)
    save_lines(folder / f"sav_{split}.txt", "sav_000001")


def make_davis(root, year):
    for name in ("bear", "camel"):
        for t in range(5):
            save_frame(root / "JPEGImages" / "480p" / name / f"{t:05d}.jpg")
            path = root / "Annotations" / "480p" / name / f"{t:05d}.png"
            if year == "2016":
                save_grey(path, ids_at(t) == 1)
            else:
                save_palette(path, ids_at(t, late=0 if name == "bear" else 2))
    lines = [f"/JPEGImages/480p/camel/{t:05d}.jpg /Annotations/480p/camel/{t:05d}.png" for t in range(5)]
    save_lines(root / "ImageSets" / "480p" / "val.txt", *lines)
    save_lines(root / "ImageSets" / "2017" / "val.txt", "bear", "camel")


def make_youtube(root):
    for split in ("train", "valid"):
        for t in range(0, 21, 5):
            save_frame(root / split / "JPEGImages" / "003234408d" / f"{t:05d}.jpg")
        for t in range(21):
            save_frame(root / f"{split}_all_frames" / "JPEGImages" / "003234408d" / f"{t:05d}.jpg")
        for t in range(0, 21, 5) if split == "train" else (0, 10):
            ids = ids_at(t, late=10)
            if split == "valid":
                ids[ids != (1 if t == 0 else 2)] = 0  # what has been shown before is not shown again
            save_palette(root / split / "Annotations" / "003234408d" / f"{t:05d}.png", ids)
        objects = {
            "1": {"category": "penguin", "frames": ["00000", "00005", "00010", "00015", "00020"]},
            "2": {"category": "penguin", "frames": ["00010", "00015", "00020"]},
        }
        meta = {"videos": {"003234408d": {"objects": objects}}}
        (root / split / "meta.json").write_text(json.dumps(meta))


# --- What is read from them -------------------------------------------------------------------------------------------


def test_vost(tmp_path):
    make_vost(tmp_path)
    (sequence,) = open_vost(tmp_path)
    assert sequence.name == "555_tear_aluminium_foil"
    assert (len(sequence.frames), sequence.frames.fps) == (6, 5)
    assert sequence.objects == [1]  # object 2 is not on the first frame
    assert list(frames_of(sequence, 1)) == [0, 1, 3, 4, 5]
    assert sequence.target(1, 2) is None
    assert not sequence.valid(3)[0, 0]
    assert [each.name for each in open_vost(str(tmp_path), "train")] == ["1_cut_onion"]


@pytest.mark.parametrize("meta_inside", [True, False])
def test_lvos(tmp_path, meta_inside):
    make_lvos(tmp_path, meta_inside=meta_inside)
    (sequence,) = open_lvos(tmp_path)
    assert len(sequence.frames) == 21
    assert sequence.annotated == (0, 5, 10, 15, 20)
    assert frames_of(sequence, 1) == dict.fromkeys((0, 5, 10, 15, 20), 16)
    assert frames_of(sequence, 2) == dict.fromkeys((10, 15, 20), 18)
    assert sequence.target(1, 7) is None
    assert [each.name for each in open_lvos(tmp_path / "valid")] == ["vid"]
    ranges = lvos_ranges(tmp_path)["vid"]
    assert ranges == {1: FrameRange(3, 23, 5), 2: FrameRange(13, 23, 3)}
    visited = [number - 3 for number in lvos_frames(ranges[2].start, ranges[2].end)]
    assert visited == [10, 15]  # the end is not
    truth = ((sequence.target(2, t), sequence.target(2, t)) for t in visited)
    assert lvos_object(truth, ranges[2].frame_nums, unseen=False).scores.j == 1


def test_mosev2_without_the_videos_of_mosev1(tmp_path):
    make_mosev2(tmp_path)
    (tmp_path / "v1" / "valid" / "JPEGImages" / "fe9d").mkdir(parents=True)
    (tmp_path / "v1" / "train" / "JPEGImages" / "other").mkdir(parents=True)
    save_lines(tmp_path / "v1.txt", "01ab", "0c2e")
    assert [each.name for each in open_mosev2(tmp_path)] == ["01ab", "0c2e", "fe9d"]
    assert [each.name for each in open_mosev2(tmp_path, without=tmp_path / "v1")] == ["01ab", "0c2e"]
    (sequence,) = open_mosev2(tmp_path, without=tmp_path / "v1.txt")
    assert sequence.objects == [1, 2]
    assert frames_of(sequence, 2) == dict.fromkeys(range(5), 18)
    save_lines(tmp_path / "all.txt", "01ab", "0c2e", "fe9d")
    with pytest.raises(DatasetError, match=r"every video in .*JPEGImages is in MOSEv1 .*all\.txt"):
        open_mosev2(tmp_path, without=tmp_path / "all.txt")
    with pytest.raises(DatasetError, match=r"there are no videos of MOSEv1 in .*; give the folder of MOSEv1"):
        open_mosev2(tmp_path, without=tmp_path / "nowhere")


def test_mosev2_valid_has_prompts_only(tmp_path):
    make_mosev2(tmp_path)
    (sequence,) = open_mosev2(tmp_path, "valid")
    assert len(sequence.frames) == 4
    assert frames_of(sequence, 1) == {0: 16}


def test_sav(tmp_path):
    make_sav(tmp_path)
    (sequence,) = open_sav(tmp_path)
    assert len(sequence.frames) == 13
    assert sequence.objects == [0, 1]
    assert frames_of(sequence, 0) == {0: 49, 4: 49, 8: 49, 12: 49}
    assert frames_of(sequence, 1) == {8: 4, 12: 4}  # its masks begin at 4, empty
    assert sequence.target(1, 0) is None
    assert (sequence.target(0, 8) & sequence.target(1, 8)).sum() == 4
    assert sequence.valid(4).all()
    truth = ((sequence.target(0, t), sequence.target(0, t)) for t in sequence.annotated)
    assert sav_object(truth).n_frames == 2
    make_sav(tmp_path, "test")
    assert [each.name for each in open_sav(tmp_path / "sav_test", "test")] == ["sav_000001"]


def test_davis_2016(tmp_path):
    make_davis(tmp_path, "2016")
    (sequence,) = open_davis_2016(tmp_path)
    assert sequence.name == "camel"
    assert frames_of(sequence, 1) == dict.fromkeys(range(5), 16)
    assert sequence.valid(0).all()


def test_davis_2017(tmp_path):
    make_davis(tmp_path, "2017")
    bear, camel = open_davis_2017(tmp_path)
    assert bear.objects == [1, 2]
    assert camel.objects == [1]  # object 2 comes later


def test_youtube_vos(tmp_path):
    make_youtube(tmp_path)
    (sequence,) = open_youtube_vos(tmp_path)
    assert frames_of(sequence, 1) == dict.fromkeys(range(5), 16)
    assert frames_of(sequence, 2) == dict.fromkeys((2, 3, 4), 18)
    (dense,) = open_youtube_vos(tmp_path, all_frames=True)
    assert len(dense.frames) == 21
    assert frames_of(dense, 2) == dict.fromkeys((10, 15, 20), 18)


def test_youtube_vos_valid_shows_each_object_once(tmp_path):
    make_youtube(tmp_path)
    (sequence,) = open_youtube_vos(tmp_path, "valid")
    assert frames_of(sequence, 1) == {0: 16}
    assert frames_of(sequence, 2) == {2: 18}
    assert sequence.target(1, 2) is None  # not "empty", but unknown


MAKERS = {
    "davis2016": lambda root: make_davis(root, "2016"),
    "davis2017": lambda root: make_davis(root, "2017"),
    "vost": make_vost,
    "lvosv2": make_lvos,
    "mosev2": make_mosev2,
    "sav": make_sav,
    "youtube-vos": make_youtube,
}


def test_every_data_set_is_opened_by_name(tmp_path):
    assert set(MAKERS) == set(DATASETS)
    for name, make in MAKERS.items():
        make(tmp_path / name)
        sequences = open_sources([f"{name}:{tmp_path / name}"])
        assert sequences
        for sequence in sequences:
            assert sequence.frames[len(sequence.frames) - 1].shape == (HEIGHT, WIDTH, 3)
    make_sav(tmp_path / "sav", "test")
    assert len(open_sources([f"sav/test:{tmp_path / 'sav'}", f"vost/train:{tmp_path / 'vost'}"])) == 2
    with pytest.raises(DatasetError, match=r"unknown data set 'most' .* choose one of davis2016, davis2017, vost"):
        open_sources([f"most:{tmp_path}"])


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("davis2016", "ImageSets/480p/val.txt"),
        ("davis2016", "JPEGImages/480p/camel"),
        ("davis2017", "ImageSets/2017/val.txt"),
        ("davis2017", "Annotations/480p/bear"),
        ("vost", "ImageSets/val.txt"),
        ("vost", "JPEGImages/555_tear_aluminium_foil"),
        ("vost", "Annotations/555_tear_aluminium_foil"),
        ("lvosv2", "valid"),
        ("lvosv2", "valid/valid_meta.json"),
        ("lvosv2", "valid/JPEGImages/vid"),
        ("lvosv2", "valid/JPEGImages/vid/00000013.jpg"),
        ("mosev2", "train"),
        ("mosev2", "train/JPEGImages"),
        ("mosev2", "train/Annotations/fe9d"),
        ("sav", "sav_val"),
        ("sav", "sav_val/sav_val.txt"),
        ("sav", "sav_val/JPEGImages_24fps/sav_000001"),
        ("sav", "sav_val/Annotations_6fps/sav_000001"),
        ("youtube-vos", "train"),
        ("youtube-vos", "train/meta.json"),
        ("youtube-vos", "train/JPEGImages"),
        ("youtube-vos", "train/JPEGImages/003234408d/00010.jpg"),
        ("youtube-vos", "train/Annotations/003234408d"),
    ],
)
def test_what_is_missing_is_named(tmp_path, name, gone):
    """One sentence: the path, and the layout that was expected (or, for a frame with a mask, which are there)."""
    MAKERS[name](tmp_path)
    path = tmp_path / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(DatasetError) as caught:
        open_sources([f"{name}:{tmp_path}"])
    said = str(caught.value)
    assert str(path) in said or str(path.with_suffix(".png")).replace("JPEGImages", "Annotations") in said
    assert DATASETS[name].layout in said or "a mask must be named like its frame" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "path", "reason"),
    [
        ("lvosv2", "valid/valid_meta.json", "is damaged: it should be JSON"),
        ("youtube-vos", "train/meta.json", "is damaged: it should be JSON"),
        ("vost", "ImageSets/val.txt", "is empty; VOST is"),
    ],
)
def test_damaged_lists(tmp_path, name, path, reason):
    MAKERS[name](tmp_path)
    (tmp_path / path).write_text("")
    with pytest.raises(DatasetError, match=reason):
        open_sources([f"{name}:{tmp_path}"])


def test_files_are_looked_at_when_they_are_needed(tmp_path):
    """A large data set opens without reading every file; what is wrong with one is said when it is read."""
    make_vost(tmp_path)
    folder = "555_tear_aluminium_foil"
    Image.new("RGB", (5, 6)).save(tmp_path / "JPEGImages" / folder / "frame00008.jpg")
    save_palette(tmp_path / "Annotations" / folder / "frame00012.png", np.zeros((5, 6), np.uint8))
    (sequence,) = open_vost(tmp_path)
    assert sequence.objects == [1]
    with pytest.raises(VideoError, match=r"frame 2 .*frame00008\.jpg\) is 5 x 6 pixels"):
        sequence.frames[2]
    with pytest.raises(DatasetError, match=r"frame00012\.png is 6 x 5 pixels but its frame is 16 x 12"):
        sequence.target(1, 3)
