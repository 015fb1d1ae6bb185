"""Files of an earlier version, of strangers and in use, and the doctor at the command line."""

import shutil
import sqlite3
from dataclasses import replace

import pytest
from helpers import clip, done, widget_on

from lit_widget import cli
from lit_widget.widget.store import SessionFile, SessionFileError, doctor, file
from lit_widget.widget.widget import LITWidget

MADE = clip("union")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("doctor") / "clip.lit"
    widget, _ = widget_on(session=path)
    for frame in (0, 2):
        widget.give_mask(frame, MADE.target[frame])
    done(widget).close()
    return path


@pytest.fixture
def path(written, tmp_path):
    return shutil.copy(written, tmp_path / "clip.lit")


def alter(path, *statements):
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_the_command_finds_repairs_and_keeps_every_old_file(path, capsys):
    assert cli.main(["doctor", str(path)]) == 0
    assert "is whole" in capsys.readouterr().out
    for frame in (2, 0):
        alter(path, f"UPDATE mask SET bits = x'00' WHERE frame = {frame}")
        assert cli.main(["doctor", str(path)]) == 1
        assert f"the mask of object 1 on frame {frame} is damaged" in capsys.readouterr().out
        assert cli.main(["doctor", str(path), "--repair"]) == 0
        assert f"left out: the mask of object 1 on frame {frame}" in capsys.readouterr().out
        assert cli.main(["doctor", str(path)]) == 0
        capsys.readouterr()
    kept = sorted(each.name for each in path.parent.iterdir())
    assert kept == ["clip.lit", "clip.lit.damaged", "clip.lit.damaged.1"]


def test_a_missing_file_is_named_as_it_was_given(tmp_path, capsys):
    assert cli.main(["doctor", str(tmp_path / "no.lit"), "--repair"]) == 2
    assert "no.lit;" in capsys.readouterr().err


def test_a_file_in_use_is_not_replaced(path):
    before = path.stat().st_ino
    widget = LITWidget.open(path, MADE.frames)
    with pytest.raises(SessionFileError, match="is open in another kernel or widget"):
        doctor.repair(path)
    assert path.stat().st_ino == before
    widget.give_mask(4, MADE.target[4])
    done(widget).close()
    again = LITWidget.open(path, MADE.frames)
    assert again.mask(4).any()
    again.close()


def test_a_file_of_an_earlier_version_is_brought_to_the_present_one(path):
    present = file.TABLES["object"].replace(") STRICT", ", note TEXT NOT NULL DEFAULT '') STRICT")
    tag = "CREATE TABLE tag (name TEXT) STRICT"
    tables = {**file.TABLES, "object": present, "tag": tag}
    added = "ALTER TABLE object ADD COLUMN note TEXT NOT NULL DEFAULT ''"
    now = file.VERSION
    migrations = {now: (added, "UPDATE object SET note = 'old'"), now + 1: (tag,)}
    later = replace(file.VIDEO, version=now + 2, tables=tables, migrations=migrations)
    opened = SessionFile(path, new=False, kind=later)
    assert opened.rows("SELECT name, note FROM object") == [("object 1", "old")]
    assert opened.rows("PRAGMA user_version") == [(now + 2,)]
    opened.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(path):
    now = file.VERSION
    later = replace(file.VIDEO, version=now + 1, migrations={now: ("DELETE FROM mask", "nonsense")})
    with pytest.raises(SessionFileError):
        SessionFile(path, new=False, kind=later)
    opened = SessionFile(path, new=False)
    assert opened.rows("SELECT count(*) FROM mask") == [(2,)]
    opened.close()


@pytest.mark.parametrize(
    "hidden",
    ["CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM mask; END", "CREATE VIEW v AS SELECT * FROM mask"],
)
def test_what_a_stranger_hid_in_the_schema_never_runs(path, hidden):
    alter(path, hidden)
    with pytest.raises(SessionFileError, match="has other tables than a session file"):
        SessionFile(path, new=False)


def test_damage_next_to_the_word_locked_is_not_called_another_kernel(path):
    damaged = path.read_bytes().replace(b"locked INTEGER NOT NULL", b"locked IN(EGER NOT NULL")
    path.write_bytes(damaged)
    with pytest.raises(SessionFileError, match="is damaged or no session file"):
        SessionFile(path, new=False)
