import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_widget.simulation.datasets import DatasetError, open_davis, open_sources, sequence_from_arrays
from lit_widget.video.frames import VideoError
from lit_widget.video.pocket.clips import KINDS, embedded_clip

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
HEIGHT, WIDTH = 12, 16


def ids_of(t):
    """Object 1 on every frame, object 2 from frame 2, void in a corner."""
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[2:6, t : t + 4] = 1
    if t >= 2:
        ids[7:10, 3:9] = 2
    ids[0, 0] = 255
    return ids


def save_ids(path, ids, mode="P"):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(ids)
    if mode == "P":
        image = image.convert("P")
        image.putdata(ids.ravel())
        image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + 253 * [9, 9, 9])
    image.save(path)


def save_sequence(images, annotations, n=5, *, annotated=None, stem="{:05d}", mode="P", make=ids_of):
    images.mkdir(parents=True)
    for t in range(n):
        Image.new("RGB", (WIDTH, HEIGHT), (t, 0, 0)).save(images / f"{stem.format(t)}.jpg")
    for t in range(n) if annotated is None else annotated:
        save_ids(annotations / f"{stem.format(t)}.png", make(t), mode)


def save_davis(root, **options):
    save_sequence(root / "JPEGImages", root / "Annotations", **options)


def check(sequence, n=5):
    assert len(sequence.frames) == n
    assert sequence.objects == [1, 2]
    assert sequence.annotated_frames(1) == list(range(n))
    assert sequence.annotated_frames(2) == list(range(2, n))
    for t in range(n):
        for i in (1, 2):
            assert np.array_equal(sequence.target(i, t), ids_of(t) == i)
        assert np.array_equal(sequence.valid(t), ids_of(t) != 255)


@pytest.mark.parametrize("mode", ["P", "L"])
def test_one_sequence(tmp_path, mode):
    save_davis(tmp_path / "walk", mode=mode)
    (sequence,) = open_davis(tmp_path / "walk")
    assert sequence.name == "walk"
    check(sequence)


def test_roots_of_sequences(tmp_path):
    for place in ("lab/b", "lab/a", "field/c"):
        save_davis(tmp_path / place)
    assert [s.name for s in open_davis(tmp_path / "lab")] == ["a", "b"]
    sequences = open_davis(str(tmp_path))
    assert [s.name for s in sequences] == ["field/c", "lab/a", "lab/b"]
    for sequence in sequences:
        check(sequence)


@pytest.mark.parametrize("inner", ["480p", ""])
def test_official_layouts(tmp_path, inner):
    davis = tmp_path / "DAVIS"
    for name in ("bear", "camel"):
        save_sequence(davis / "JPEGImages" / inner / name, davis / "Annotations" / inner / name)
    assert [s.name for s in open_davis(davis)] == ["bear", "camel"]
    check(open_davis(davis)[1])
    assert [s.name for s in open_davis(tmp_path)] == ["DAVIS/bear", "DAVIS/camel"]


def test_sparse_annotations_match_by_name(tmp_path):
    save_davis(tmp_path, n=12, annotated=[3, 4, 11], stem="frame{}")
    (sequence,) = open_davis(tmp_path)
    assert len(sequence.frames) == 12
    assert sequence.annotated_frames(1) == [3, 4, 11]
    assert np.array_equal(sequence.target(2, 11), ids_of(11) == 2)
    assert sequence.target(1, 5) is None
    assert sequence.valid(5) is None
    assert sequence.frames[11][0, 0, 0] == pytest.approx(11, abs=2)


@pytest.mark.parametrize("values", ["bool", "255"])
def test_grey_masks_of_davis_2016(tmp_path, values):
    def make(t):
        mask = (ids_of(t) == 2) & (t < 4)
        return mask if values == "bool" else mask.astype(np.uint8) * 255

    save_davis(tmp_path, make=make, mode="L")
    (sequence,) = open_davis(tmp_path)
    assert sequence.objects == [1]
    assert sequence.annotated_frames(1) == [2, 3, 4]
    assert np.array_equal(sequence.target(1, 3), ids_of(3) == 2)
    assert not sequence.target(1, 4).any()
    assert sequence.valid(3).all()


def test_truth_is_the_callers_own(tmp_path):
    save_davis(tmp_path)
    (sequence,) = open_davis(tmp_path)
    sequence.target(1, 0)[:] = True
    sequence.valid(0)[:] = False
    check(sequence)


def test_unknown_object(tmp_path):
    save_davis(tmp_path / "walk")
    with pytest.raises(DatasetError, match=re.escape("'walk' has no object 3; its objects are [1, 2]")):
        open_davis(tmp_path / "walk")[0].annotated_frames(3)


def test_folders_that_are_refused(tmp_path):
    (tmp_path / "nothing").mkdir()
    save_davis(tmp_path / "no_masks", annotated=[])
    save_davis(tmp_path / "empty", annotated=[])
    (tmp_path / "empty" / "Annotations").mkdir()
    save_davis(tmp_path / "no_frames")
    for image in (tmp_path / "no_frames" / "JPEGImages").iterdir():
        image.unlink()
    save_davis(tmp_path / "more_masks")
    save_ids(tmp_path / "more_masks" / "Annotations" / "00005.png", ids_of(0))
    save_davis(tmp_path / "other_size")
    save_ids(tmp_path / "other_size" / "Annotations" / "00003.png", np.zeros((5, 6), np.uint8))
    save_davis(tmp_path / "frame_size")
    Image.new("RGB", (5, 6)).save(tmp_path / "frame_size" / "JPEGImages" / "00003.jpg")
    save_davis(tmp_path / "colours")
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "colours" / "Annotations" / "00003.png")
    save_davis(tmp_path / "no_image")
    (tmp_path / "no_image" / "Annotations" / "00003.png").write_bytes(b"nothing")
    for name, reason in [
        ("missing", "there is no folder .*missing; expected JPEGImages/ and Annotations/"),
        ("nothing", "nothing holds no JPEGImages folder; expected JPEGImages/"),
        ("no_masks", "the masks of sequence 'no_masks' are missing: there is no folder .*no_masks/Annotations"),
        ("empty", "sequence 'empty' is empty: there are no PNG masks in .*Annotations"),
        ("no_frames", "there are no JPEG or PNG images in .*JPEGImages"),
        ("more_masks", r"00005\.png has no frame: .*JPEGImages holds 5 frames, 00000\.jpg to 00004\.jpg"),
        ("other_size", r"00003\.png is 6 x 5 pixels but its frame is 16 x 12"),
        ("frame_size", r"the frames of sequence 'frame_size' cannot be used: frame 3 .* is 5 x 6 pixels"),
        ("colours", "has mode RGB; object ids need a palette"),
        ("no_image", r"the mask .*00003\.png cannot be read as an image"),
    ]:
        with pytest.raises(DatasetError, match=reason):
            open_davis(tmp_path / name)


def test_a_damaged_mask_is_named_when_read(tmp_path):
    save_davis(tmp_path)
    path = tmp_path / "Annotations" / "00003.png"
    save_ids(path, np.random.default_rng(0).integers(0, 3, (HEIGHT, WIDTH), np.uint8))
    path.write_bytes(path.read_bytes()[:-60])
    (sequence,) = open_davis(tmp_path)
    assert sequence.target(1, 2).any()
    with pytest.raises(DatasetError, match=r"00003\.png is damaged"):
        sequence.target(1, 3)


# --- Arrays -----------------------------------------------------------------------------------------------------------

FRAMES = np.zeros((5, HEIGHT, WIDTH, 3), np.uint8)
IDS = np.stack([ids_of(t) for t in range(5)])


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_id_arrays(dtype):
    sequence = sequence_from_arrays(FRAMES, IDS.astype(dtype), "walk")
    assert sequence.name == "walk"
    check(sequence)


def test_one_bool_array():
    sequence = sequence_from_arrays(FRAMES, IDS == 2, "walk")
    assert sequence.objects == [1]
    assert sequence.annotated_frames(1) == [2, 3, 4]
    assert np.array_equal(sequence.target(1, 3), IDS[3] == 2)
    assert not sequence.target(1, 0).any()
    assert sequence.valid(0).all()


def test_overlapping_masks_by_object():
    masks = {7: IDS == 2, 3: IDS > 0, 9: np.zeros(IDS.shape, bool)}
    sequence = sequence_from_arrays(list(FRAMES), masks, "walk")
    assert sequence.objects == [3, 7]
    assert np.array_equal(sequence.target(3, 4), IDS[4] > 0)
    sequence.target(3, 4)[:] = False
    assert masks[3][4].any()


def test_arrays_that_are_refused():
    for masks, reason in [
        (IDS[:4], r"the masks given have shape \(4, 12, 16\) but the frames need \(5, 12, 16\)"),
        (IDS[:, :-1], r"shape \(5, 11, 16\)"),
        (IDS[0], r"shape \(12, 16\)"),
        (IDS.astype(float), "must be bool or object ids from 0 up, got float64"),
        (IDS.astype(np.int8), "must be bool or object ids from 0 up, got int8"),
        ({1: IDS}, "need integers from 1 up and bool arrays, got 1 and uint8"),
        ({0: IDS == 1}, "got 0 and bool"),
        ({2: IDS[1:] == 1}, r"the masks of object 2 have shape \(4, 12, 16\)"),
    ]:
        with pytest.raises(DatasetError, match=reason):
            sequence_from_arrays(FRAMES, masks, "walk")
    with pytest.raises(VideoError, match="must be uint8"):
        sequence_from_arrays(FRAMES[0], IDS, "walk")


# --- Sources ----------------------------------------------------------------------------------------------------------


def test_embedded_clips_are_lazy_and_exact():
    sequences = open_sources(["embedded:all:3-12", "embedded:tiny:0"])  # a hundred clips would take minutes
    assert len(sequences) == 10 * len(KINDS) + 1
    assert [s.name for s in sequences[:2]] == ["easy-3", "easy-4"]
    sequence = sequences[-1]
    assert sequence.name == sequence.frames.name == "tiny-0"
    assert sequence.objects == [1]
    assert sequence.annotated_frames(1) == list(range(48)) == list(range(len(sequence.frames)))
    clip = embedded_clip("tiny", 0)
    assert (sequence.frames.height, sequence.frames.width) == clip.frames.shape[1:3]
    for t in (0, 20, 47):
        assert np.array_equal(sequence.frames[t], clip.frames[t])
        assert np.array_equal(sequence.target(1, t), clip.target[t])
        assert sequence.valid(t).all()


def test_sources_are_mixed(tmp_path):
    save_davis(tmp_path / "walk")
    assert [s.name for s in open_sources([str(tmp_path), "embedded:leak:4-5"])] == ["walk", "leak-4", "leak-5"]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("embedded:fast:0-1", "unknown kind 'fast' .* choose one of hard, all, easy, deformation"),
        ("embedded:easy", "write embedded:KIND:FIRST-LAST"),
        ("embedded:easy:a-b", "write embedded:KIND:FIRST-LAST"),
        ("embedded:easy:3-1", "run backwards"),
        ("nowhere", "there is no folder nowhere"),
    ],
)
def test_sources_that_are_refused(spec, reason):
    with pytest.raises(DatasetError, match=reason):
        open_sources([spec])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real sequences are not here")
def test_real_sequences():
    row = r"^\| (\w+/\S+) \| (\d+) / (\d+) / \d+ \| (\d+) \| (\d+)x(\d+) "
    table = re.findall(row, (SHARED / "README.md").read_text(), re.MULTILINE)
    sequences = {s.name: s for s in open_davis(SHARED)}
    assert len(sequences) == 16
    assert set(sequences) == {row[0] for row in table}
    for name, frames, annotated, objects, width, height in table:
        sequence = sequences[name]
        assert len(sequence.frames) == int(frames)
        assert len(sequence.annotated) == int(annotated)
        assert len(sequence.objects) == int(objects)
        assert sequence.frames[0].shape == (int(height), int(width), 3)
        first = sequence.annotated_frames(sequence.objects[-1])[0]
        assert sequence.target(sequence.objects[-1], first).any()
