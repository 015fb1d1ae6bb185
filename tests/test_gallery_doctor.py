"""Damaged files of labels: found, mended, and opened again with all that was left."""

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from gallery_helpers import CLASSES, gallery_on, look_alikes

from lit_widget import LITClassifier, cli


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A file of labels with at least one adapter, and its labels."""
    path = tmp_path_factory.mktemp("written") / "labels.lit"
    gallery = gallery_on(session=path)
    for image in range(8):
        gallery.label(image, CLASSES - 1)
    gallery.wait()
    assert gallery.labels.learned.any()
    held = gallery.labels
    gallery.close()
    return path, held


@pytest.fixture
def saved(written, tmp_path):
    """A copy of the file, to be damaged, and its labels."""
    path, held = written
    return Path(shutil.copy(path, tmp_path)), held


def alter(path, *statement):
    with sqlite3.connect(path) as connection:
        connection.execute(*statement)
    connection.close()


def test_a_whole_file_is_whole(saved, capsys):
    path, _ = saved
    assert cli.main(["doctor", str(path)]) == 0
    assert capsys.readouterr().out == f"{path} is whole\n"


def test_damaged_rows_are_left_out_and_the_rest_opens(saved, capsys):
    path, held = saved
    first = int(np.flatnonzero(held.verdict != "open")[0])
    alter(path, "UPDATE label SET label = 99 WHERE image = ?", (first,))
    alter(path, "UPDATE adapter SET weights = x'00'")
    with pytest.raises(ValueError, match=f"the label of image {first} is damaged"):
        LITClassifier.open(path, look_alikes(24))
    assert cli.main(["doctor", str(path)]) == 1
    assert f"the label of image {first} is damaged\nthe adapter of group" in capsys.readouterr().out

    assert cli.main(["doctor", str(path), "--repair"]) == 0
    assert f"the file as it was is {path}.damaged" in capsys.readouterr().out
    gallery = LITClassifier.open(path, look_alikes(24))
    kept = gallery.labels.verdict.drop(first)
    assert list(kept) == list(held.verdict.drop(first))
    assert gallery.labels.verdict[first] == "open"
    gallery.close()


def test_a_file_cut_short_is_told_and_never_made_worse(saved, capsys):
    path, _ = saved
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert cli.main(["doctor", str(path)]) == 1
    code = cli.main(["doctor", str(path), "--repair"])
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    if code == 2:
        assert path.read_bytes() == whole[: len(whole) // 2], "as it was"
    else:
        assert cli.main(["doctor", str(path)]) == 0
