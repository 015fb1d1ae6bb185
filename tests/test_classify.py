"""`lit-widget classify`: from folders of images to a table, and everything that is left out is said."""

import json

import pytest
from PIL import Image

from lit_widget.cli import main
from lit_widget.images.clip import Clip
from lit_widget.images.datasets import image_set
from lit_widget.images.datasets.embedded import embedded_images
from lit_widget.simulation.classify import ClassifyOptions, classify


def save(images, folder):
    """A folder per class, as a user has them."""
    for at in range(len(images)):
        path = folder / images.class_names[images.labels[at]].replace(" ", "_") / f"{at:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images.read(at)).save(path)
    return folder


def run(capsys, *arguments):
    status = main(["classify", *map(str, arguments)])
    return status, *capsys.readouterr()


def test_folders_become_a_table(tmp_path, capsys):
    folder = save(embedded_images(1, classes=16, per_class=8), tmp_path / "shapes")
    first = next(path for path in sorted(folder.iterdir()) if path.is_dir())
    (first / "broken.png").write_bytes(b"no image")
    out = tmp_path / "out.json"
    options = ("--shuffles", 0, "--cache", tmp_path / "cache")
    status, table, said = run(capsys, folder, *options, "--json", out)
    assert status == 0
    assert all(name in table for name in ("original", "frequent-labels", "lit-lora", "fewer corrections"))
    assert "broken.png cannot be read as an image" in said
    assert "groups need fewer than 5 corrections" in said
    result = json.loads(out.read_text())
    assert result["settings"]["model"] == "pocket"
    assert {row["strategy"] for row in result["summary"]} == {"original", "frequent-labels", "lit-lora"}
    assert sum(row["images"] for row in result["records"] if row["strategy"] == "original") == 16 * 8
    own = {row["strategy"]: row["corrections"] for row in result["summary"]}
    assert own["lit-lora"] < own["original"]
    again = run(capsys, folder, *options, "--strategies", "original")[1]
    assert again.splitlines()[-1].split()[:3] == table.splitlines()[-1].split()[:3]


def test_several_sets_are_told_apart(tmp_path):
    sets = [embedded_images(seed, classes=8, per_class=3) for seed in (0, 1)]
    done = classify(sets, Clip.load(), ClassifyOptions(strategies=("original",), shuffles=0, cache=tmp_path))
    records = done.result.records
    assert set(records["source"]) == {"embedded:0", "embedded:1"}
    assert records["images"].sum() == 48
    assert len(done.result.paired()) == (records["corrections"] >= 5).sum()


def test_no_group_to_compare_is_said(tmp_path, capsys):
    folder = save(embedded_images(0, classes=2, per_class=1), tmp_path / "few")
    status, table, said = run(capsys, folder, "--shuffles", 0, "--cache", tmp_path / "cache")
    assert status == 0
    assert table.startswith("no group needs enough corrections")
    assert "groups need fewer than 5 corrections" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["embedded:0", "--placement", "nowhere"], "unknown placement 'nowhere'"),
        (["embedded:0", "--strategies", "lit-lora"], "original among them"),
        (["embedded:0", "--model", "no/such-folder/here"], "use 'pocket', which is bundled"),
        (["embedded:0", "--json", "no/such/out.json"], "there is no folder to write"),
        (["no-such-folder"], "expected one folder per class"),
    ],
)
def test_what_cannot_be_run_is_said(tmp_path, capsys, arguments, said):
    status, _, error = run(capsys, *arguments, "--cache", tmp_path)
    assert status == 2
    assert said in error


def test_images_without_labels_need_a_person(tmp_path):
    images = embedded_images(0, classes=2, per_class=1)
    bare = image_set([images.read(0)], images.class_names)
    with pytest.raises(ValueError, match="has no labels, which a simulated user needs"):
        classify([bare], Clip.load(), ClassifyOptions(cache=tmp_path))
