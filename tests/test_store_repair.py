"""Looking at a session file changes nothing, and a damaged one is mended as far as it can be read."""

import hashlib
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import clip, done
from store_helpers import alter, written_in

from lit_widget import LITWidget, cli
from lit_widget.widget.store import SessionFileError
from lit_widget.widget.store.doctor import examine, repair

FRAMES = clip("union").frames


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return written_in(tmp_path_factory.mktemp("saved"))


@pytest.fixture
def copy(saved, tmp_path):
    return Path(shutil.copy(saved[0], tmp_path))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def beside(path):
    return sorted(each.name for each in path.parent.iterdir())


def test_looking_at_a_file_changes_nothing(copy):
    before = digest(copy)
    assert cli.main(["doctor", str(copy)]) == 0
    assert digest(copy) == before


@pytest.mark.parametrize("content", [b"", b"no database", None], ids=["empty", "text", "database"])
def test_a_file_that_is_not_ours_stays_as_it_is(content, tmp_path):
    path = tmp_path / "other.lit"
    if content is None:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE t (x)")
        connection.close()
    else:
        path.write_bytes(content)
    before = digest(path)
    assert "is no session file of lit-widget" in examine(path)[0]
    for use in (LITWidget.open, repair):
        with pytest.raises(SessionFileError, match="is no session file of lit-widget"):
            use(path)
    assert digest(path) == before
    assert beside(path) == ["other.lit"]


def test_a_folder_or_no_path_is_refused(tmp_path):
    for given, reason in ((tmp_path, "is a folder; give a file in it"), ("a\0b.lit", "give one like 'clip.lit'")):
        with pytest.raises(SessionFileError, match=reason):
            LITWidget.open(given)
        with pytest.raises(SessionFileError, match=reason):
            LITWidget(FRAMES, session=given)


def test_a_folder_that_cannot_be_written_is_refused(copy, monkeypatch):
    monkeypatch.setattr("lit_widget.widget.store.file._may_write", lambda _: False)
    with pytest.raises(SessionFileError, match="cannot be written to; choose one in which you may write"):
        LITWidget(FRAMES, session=copy.with_name("new.lit"))
    copy.write_bytes(copy.read_bytes()[:-1000])
    with pytest.raises(SessionFileError, match="cannot be written to; choose one in which you may write"):
        repair(copy)
    assert beside(copy) == ["clip.lit"]


def test_a_table_that_sqlite_does_not_understand_is_read_all_the_same(copy, saved):
    raw = copy.read_bytes()
    at = raw.index(b"frame INTEGER NOT NULL")
    copy.write_bytes(raw[: at + 8] + b"V" + raw[at + 9 :])
    assert examine(copy)
    assert len(repair(copy)) == 1, "nothing is left out"
    widget = LITWidget.open(copy, FRAMES)
    assert np.array_equal(done(widget).masks(object_id=1), saved[1]["masks"][1])
    widget.close()


def test_a_text_that_is_none_costs_no_more_than_its_row(copy, saved):
    alter(copy, "UPDATE action SET by = CAST(x'ff' AS TEXT) WHERE id = 2")
    assert examine(copy)
    repair(copy)
    widget = LITWidget.open(copy, FRAMES)
    assert np.array_equal(done(widget).masks(object_id=1), saved[1]["masks"][1])
    widget.close()


def test_files_cut_short_are_mended_or_left_as_they_were(saved, tmp_path):
    whole = saved[0].read_bytes()
    mended = 0
    for share in (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.97):
        path = tmp_path / str(share) / "short.lit"
        path.parent.mkdir()
        path.write_bytes(whole[: int(share * len(whole))])
        before = digest(path)
        try:
            repair(path)
        except SessionFileError as error:
            assert "too little of it can be read" in str(error)  # noqa: PT017
            assert digest(path) == before
            assert beside(path) == ["short.lit"]
        else:
            mended += 1
            assert examine(path) == []
            LITWidget.open(path, FRAMES).close()
    assert mended >= 4


LIMITED = """
import resource, signal, sys
from lit_widget import cli
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
sys.exit(cli.main(["doctor", sys.argv[1], "--repair"]))
"""


def test_a_disk_that_is_full_does_not_pass_for_damage(copy):
    alter(copy, "UPDATE mask SET bits = x'00' WHERE frame = 4")
    before, room = digest(copy), copy.stat().st_size // 2
    command = [sys.executable, "-c", LIMITED, str(copy), str(room)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "is not repaired, since" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert digest(copy) == before
    assert beside(copy) == ["clip.lit"]


def test_most_files_with_flipped_bits_are_mended(saved, tmp_path):
    draw, whole, lost = random.Random(0), saved[0].read_bytes(), 0
    for number in range(30):
        path = tmp_path / f"{number}.lit"
        raw = bytearray(whole)
        for _ in range(10):
            raw[draw.randrange(100, len(raw))] ^= 1 << draw.randrange(8)
        path.write_bytes(raw)
        try:
            if examine(path):
                repair(path)
                assert examine(path) == []
        except SessionFileError:
            lost += 1
    assert lost <= 1
