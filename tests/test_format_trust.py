"""Files from strangers: whatever they hold, they are read or refused in a sentence, and names never lead elsewhere."""

import json
from dataclasses import replace

import numpy as np
import pytest
from formats_helpers import assert_same_masks, mask_set
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from lit_widget.video.formats.limits import file_name
from lit_widget.video.formats.mask_set import CompactMasks, FormatError, MaskObject, MaskSet
from lit_widget.video.formats.registry import FORMATS, export_masks, read_masks

READ = [name for name, each in FORMATS.items() if each.read]
EXACT = [name for name in READ if name != "yolo-seg"]
HERE = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def mask_sets(draw, every=1):
    """Masks that do not overlap, on any frames of a short video, of objects with any ids, names and colours."""
    size = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    n_frames = draw(st.integers(1, 9))
    ids = sorted(draw(st.sets(st.integers(1, 254), min_size=1, max_size=3)))
    frames = draw(st.sets(st.integers(0, n_frames - 1).map(lambda at: at - at % every), min_size=1))
    masks = CompactMasks(size)
    for frame in frames:
        ids_here = draw(arrays(np.int64, size, elements=st.sampled_from([0, *ids])))
        for each in ids:
            masks.add(frame, each, ids_here == each)
    name = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
    objects = tuple(MaskObject(each, draw(name), f"#{draw(st.integers(0, 2**24 - 1)):06X}") for each in ids)
    return MaskSet("clip", size, n_frames, objects, masks)


@pytest.mark.parametrize("name", EXACT)
@HERE
@given(st.data())
def test_masks_come_back(tmp_path_factory, name, data):
    masks = data.draw(mask_sets(every=4 if name == "sa-v" else 1))
    path = tmp_path_factory.mktemp("out") / f"out{FORMATS[name].suffix}"
    report = export_masks(masks, path, name)
    back = read_masks(path, name)
    if name in ("sa-v", "cvat"):  # these have no frames without masks; the report counts them
        known = {key: back.masks[key] for key in masks.masks}
        assert not any(back.masks[key].any() for key in set(back.masks) - set(masks.masks))
        assert bool(set(back.masks) - set(masks.masks)) == any(
            "missing" in each or "gaps" in each for each in report.lost
        )
        back = replace(back, masks=known)
    if name in ("davis", "vost"):
        seen = [
            each for each in masks.objects if any(masks.masks[key].any() for key in masks.masks if key[1] == each.id)
        ]
        unseen = [each.id for each in masks.objects if each not in seen]
        said = [each for each in report.lost if each.startswith("object ")]
        assert said == [f"object {each}, which is visible on no frame" for each in unseen]
        kept = {key: masks.masks[key] for key in masks.masks if key[1] not in unseen}
        masks = replace(masks, objects=tuple(seen), masks=kept)
    assert_same_masks(masks, back)
    loses = FORMATS[name].loses
    assert [each.id for each in back.objects] == [each.id for each in masks.objects]
    if "names" not in loses:
        assert [each.name for each in back.objects] == [each.name for each in masks.objects]
    if not any("colour" in each for each in report.lost):
        assert [each.colour for each in back.objects] == [each.colour for each in masks.objects]
    if "behind" not in loses:
        assert back.n_frames == masks.n_frames


@pytest.mark.parametrize("name", READ)
def test_names_never_lead_elsewhere(tmp_path, name):
    evil = "../../" * 3 + "evil"
    masks = mask_set(name=evil, frame_names=tuple(f"{evil}{frame}" for frame in range(7)))
    home = tmp_path / "a" / "b" / "home"
    home.mkdir(parents=True)
    export_masks(masks, home / f"out{FORMATS[name].suffix}", name)
    assert all(path == home or home in path.parents or path in home.parents for path in tmp_path.rglob("*"))
    assert not [path for path in home.rglob("*") if ".." in path.parts]


@given(st.text())
def test_file_names_are_harmless(text):
    name = file_name(text)
    assert name == name.strip(".")
    assert 0 < len(name) <= 80
    assert not set(name) & set('/\\:*?"<>| \n\0')


@pytest.mark.parametrize("name", READ)
@HERE
@given(st.data())
def test_damage_is_refused_or_read(tmp_path_factory, name, data):
    path = tmp_path_factory.mktemp("damaged") / f"out{FORMATS[name].suffix}"
    export_masks(mask_set(on=(0, 4)), path, name)
    files = [each for each in sorted(path.rglob("*")) if each.is_file()] if path.is_dir() else [path]
    file = data.draw(st.sampled_from(files))
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    file.write_bytes(content)
    refused_or_read(path, data.draw(st.sampled_from([name, None])))


def refused_or_read(path, name):
    """Read all masks; whatever goes wrong must be one sentence."""
    try:
        masks = read_masks(path, name)
        assert all(each.shape == masks.size for each in masks.masks.values())
    except FormatError as error:
        assert "\n" not in str(error)  # noqa: PT017 - damage may also be harmless


STRANGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("name", ["coco", "sa-v", "mose", "lvos"])
@HERE
@given(st.data())
def test_json_of_another_shape_is_refused_or_read(tmp_path_factory, name, data):
    path = tmp_path_factory.mktemp("strange") / f"out{FORMATS[name].suffix}"
    export_masks(mask_set(on=(0, 4)), path, name)
    file = next(path.rglob("*.json")) if path.is_dir() else path
    content = json.loads(file.read_text())
    inner = content
    while data.draw(st.booleans()) and isinstance(inner, dict | list) and inner:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = data.draw(st.sampled_from(keys))
        if data.draw(st.booleans()) or not isinstance(inner[key], dict | list):
            inner[key] = data.draw(STRANGE)
            break
        inner = inner[key]
    file.write_text(json.dumps(content))
    refused_or_read(path, name)


def test_huge_pictures_are_not_decoded(tmp_path):
    Image.new("1", (10000, 10000)).save(tmp_path / "00000.png")
    with pytest.raises(FormatError, match="at most 67108864 pixels are read"):
        read_masks(tmp_path, "davis")
    for key, value in (("frame_id", 10**9), ("height", 10**9), ("height", -1), ("height", "9")):
        export_masks(mask_set(), tmp_path / "out.json", "coco", overwrite=True)
        content = json.loads((tmp_path / "out.json").read_text())
        for image in content["images"]:
            image[key] = value
        (tmp_path / "out.json").write_text(json.dumps(content))
        with pytest.raises(FormatError, match=r"must be a whole number|at most 67108864|gives no frame size"):
            read_masks(tmp_path / "out.json")


def test_deep_nesting_is_refused(tmp_path):
    (tmp_path / "out.json").write_text("[" * 100_000)
    with pytest.raises(FormatError, match="is not JSON"):
        read_masks(tmp_path / "out.json", "coco")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "0.txt").write_text("0 0 0 1 1 0 1")
    (tmp_path / "data.yaml").write_text("[" * 100_000)
    with pytest.raises(FormatError, match="is not YAML"):
        read_masks(tmp_path, "yolo-seg")
