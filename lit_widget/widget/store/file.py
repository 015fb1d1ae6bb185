"""The SQLite file itself: its tables, who may write it, and what is refused before anything is read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .tables import MIGRATIONS, TABLES, VERSION

APPLICATION_ID = 0x4C495457
"""Marks the file as ours ("LITW")."""

PAGE = 16384
"""Bytes of a page: several masks fit into one, where SQLite's own choice would leave a third of each empty."""

LARGEST_VALUE = 256 * 2**20
"""Bytes of one value; a larger one is damage or an attack."""


@dataclass(frozen=True)
class Kind:
    """One kind of session file.

    Attributes:
        owner: the class that writes it, as users call it.
        call: how that is called to make one.
        application_id: marks such a file.
        version: of its tables.
        tables: every table, as SQLite keeps its text.
        migrations: statements that bring a file of one version to the next, by the version that they start from.
    """

    owner: str
    call: str
    application_id: int
    version: int
    tables: dict[str, str]
    migrations: dict[int, tuple[str, ...]] = field(default_factory=dict)


VIDEO = Kind("LITWidget", "LITWidget(video, session=PATH)", APPLICATION_ID, VERSION, TABLES, MIGRATIONS)


class SessionFileError(ValueError):
    """A session file that cannot be used; the sentence says why and what to do."""


class SessionInUseError(SessionFileError):
    """A session file that another kernel or widget is writing."""


class SessionFile:
    """One open session file, which nobody else can open until it is closed or its process ends.

    A file that is there and cannot be written is opened to be read; `writable` tells.

    Args:
        path: where it is.
        new: make it; else it must be there.
        fill: writes what a new file holds from the start.
        kind: what its session is of.

    Raises:
        SessionFileError: if it is missing, there already, in use, of a later version, or no session file.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        new: bool,
        fill: Callable[[SessionFile], None] = lambda _: None,
        kind: Kind = VIDEO,
    ) -> None:
        self.kind = kind
        self.path = path_of(path)
        if new and self.path.exists() and not _unbegun(self.path):
            raise SessionFileError(f"{self.path} is there already; {kind.owner}.open({str(path)!r}) goes on with it")
        if not new and not self.path.is_file():
            raise SessionFileError(f"there is no session file {self.path}; {kind.call} makes one")
        if new:
            require_folder(self.path.parent)
        else:
            require_kind(self.path, kind)
        self.writable = new or all(map(_may_write, (self.path, self.path.parent)))
        self._connection: sqlite3.Connection | None = None
        if not self.writable:
            self._open_to_read()
            return
        with self.explained():
            if new:
                self._begin(fill)
            self._connection = connect(self.path)
            # In this mode the lock, once taken, is held until the end, and no shared memory is needed.
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self.transaction():
                self._check()

    def _open_to_read(self) -> None:
        """Open a file that cannot be written, or that lies where no lock can be made."""
        if any(path.stat().st_size for path in [self.path.with_name(self.path.name + "-wal")] if path.exists()):
            raise SessionFileError(
                f"{self.path} is open in another kernel or was not closed, and its folder cannot be written; copy it "
                f"and {self.path.name}-wal to a folder in which you may write, and open the copy"
            )
        with self.explained():
            self._connection = connect(f"{self.path.as_uri()}?mode=ro&immutable=1")
            self._check()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing is written; within another it is a part of that one.

        Raises:
            sqlite3.Error: if it cannot be written.
        """
        connection = self.connection
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection.

        Raises:
            SessionFileError: if the file was closed.
        """
        if self._connection is None:
            raise SessionFileError(f"the session file {self.path} was closed")
        return self._connection

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._connection is None

    def rows(self, query: str, *values: object) -> list[tuple]:
        """The rows of a query with values in the place of its marks.

        Raises:
            SessionFileError: if the file is damaged.
        """
        with self.explained():
            return self.connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Let go of the file, which is complete by itself from then on."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _begin(self, fill: Callable[[SessionFile], None]) -> None:
        """Make the file under another name and give it its own once it is whole: a crash leaves it or nothing."""
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        try:
            self._connection = connect(draft)
            self._connection.execute(f"PRAGMA page_size = {PAGE}")
            with self.transaction() as connection:
                for sql in self.kind.tables.values():
                    connection.execute(sql)
                connection.execute(f"PRAGMA application_id = {self.kind.application_id}")
                connection.execute(f"PRAGMA user_version = {self.kind.version}")
                fill(self)
            self.close()
            draft.replace(self.path)
        finally:
            self.close()
            draft.unlink(missing_ok=True)

    def _check(self) -> None:
        connection, kind = self.connection, self.kind
        (mark,), (version,) = (
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        if mark != kind.application_id or version < 1:
            raise SessionFileError(
                f"{self.path} is no session file of lit-widget ({kind.owner}); give one that it wrote"
            )
        if version > kind.version:
            raise SessionFileError(
                f"{self.path} was written by a later version of lit-widget (its tables are of version {version}, known "
                f"are 1 to {kind.version}); update lit-widget to open it"
            )
        # Triggers and views of a stranger would run with our statements.
        query = "SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index')"
        if odd := [name for (name,) in connection.execute(query)]:
            raise SessionFileError(f"{self.path} has other tables than a session file ({odd[0]}); it cannot be opened")
        if version < kind.version and not self.writable:
            raise SessionFileError(
                f"{self.path} was written by an earlier version of lit-widget and must be changed to be opened; copy "
                "it to a folder in which you may write"
            )
        for statement in (each for step in range(version, kind.version) for each in kind.migrations[step]):
            connection.execute(statement)
        if version < kind.version:
            connection.execute(f"PRAGMA user_version = {kind.version}")
        found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        if found != kind.tables:
            odd = ", ".join(
                sorted(name for name in found.keys() | kind.tables.keys() if found.get(name) != kind.tables.get(name))
            )
            raise SessionFileError(f"{self.path} has other tables than a session file ({odd}); it cannot be opened")

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what goes wrong in reading a damaged file into a sentence, and let go of the file.

        Where SQLite finds values of another type than a table has, they fail wherever they are used.
        """
        try:
            yield
        except (sqlite3.Error, UnicodeError, TypeError, OverflowError) as error:
            self.close()
            kind = SessionInUseError if in_use(error) else SessionFileError
            raise kind(explain(self.path, error)) from None
        except SessionFileError:
            self.close()
            raise


def path_of(given: object) -> Path:
    """The path of a session file as users give it.

    Raises:
        SessionFileError: if it is no path, or that of a folder.
    """
    if not isinstance(given, str | os.PathLike) or "\0" in str(given):
        raise SessionFileError(f"a session file is given by its path, got {given!r}; give one like 'clip.lit'")
    path = Path(given).expanduser().absolute()
    if path.is_dir():
        raise SessionFileError(f"{path} is a folder; give a file in it, like {Path(given) / 'clip.lit'}")
    return path


def require_folder(folder: Path) -> None:
    """Refuse a folder that is missing or cannot be written to."""
    if not folder.is_dir():
        raise SessionFileError(f"there is no folder {folder} to put the session file in; make it first")
    if not _may_write(folder):
        raise SessionFileError(f"the folder {folder} cannot be written to; choose one in which you may write")


def require_kind(path: Path, kind: Kind) -> None:
    """Refuse a file whose first bytes are not those of such a session, before SQLite may change anything in it."""
    try:
        with path.open("rb") as file:
            head = file.read(72)
    except OSError as error:
        raise SessionFileError(f"{path} cannot be read ({error.strerror}); choose a file that you may read") from None
    if head[:16] != b"SQLite format 3\0" or head[68:] != kind.application_id.to_bytes(4, "big"):
        raise SessionFileError(f"{path} is no session file of lit-widget ({kind.owner}); give one that it wrote")


def explain(path: Path, error: Exception) -> str:
    """What went wrong with a file, and what to do."""
    text = str(error)
    if in_use(error):
        return f"{path} is open in another kernel or widget, which alone may write it; close it there first"
    if "readonly" in text or "unable to open" in text:
        return f"{path} cannot be written ({text}); choose a folder in which you may write"
    if "locking protocol" in text or "disk I/O" in text:
        return (
            f"{path} cannot be written safely ({text}): its disk fails, or is a network or synchronised folder without "
            "file locks; choose a folder on this machine's own disk"
        )
    if "full" in text:
        return f"{path} cannot be written because the disk is full; make room, and it is saved with the next action"
    return f"{path} is damaged or no session file ({text}); `lit-widget doctor {path.name} --repair` saves what it can"


def in_use(error: Exception) -> bool:
    """Whether somebody else has the file; a damaged one can have an error that quotes the word "locked"."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _unbegun(path: Path) -> bool:
    """Whether a file holds nothing at all, because its process died before the first commit."""
    if not path.is_file():
        return False
    try:
        connection = sqlite3.connect(path, timeout=1.0)
        try:
            return connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        finally:
            connection.close()
    except sqlite3.Error:
        return False


def connect(path: Path | str) -> sqlite3.Connection:
    """A connection, by path or URI, that trusts nothing in the file."""
    connection = sqlite3.connect(
        path, timeout=1.0, isolation_level=None, check_same_thread=False, uri=isinstance(path, str)
    )
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
    return connection
