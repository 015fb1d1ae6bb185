"""Tensors that are kept for later: in memory up to a bound, and in a temporary file beyond it."""

from __future__ import annotations

import tempfile
import threading
import warnings
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import torch
from torch import Tensor

MEMORY_BYTES = 128 * 2**20
"""Default bound on what is kept in memory."""


class Shelf:
    """Keeps tensors, those used last in memory and the others in a file that vanishes with the shelf.

    What is read back equals what was put, bit for bit. May be used from any thread. Where the file cannot grow, tensors
    stay in memory, with a warning.

    Args:
        max_bytes: bound on what is kept in memory; the tensor used last is always kept.
    """

    def __init__(self, max_bytes: int = MEMORY_BYTES) -> None:
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._books: OrderedDict[int, _Book] = OrderedDict()  # those in memory, the least recently used first
        self._used, self._numbers, self._lent = 0, 0, 0
        self._file: IO[bytes] | None = None
        self._file_bytes, self._free = 0, dict[int, list[int]]()
        self._returned: deque[_Book] = deque()
        self._full = False

    @property
    def used_bytes(self) -> int:
        """How much is kept in memory."""
        return self._used

    @property
    def file_bytes(self) -> int:
        """Length of the file."""
        return self._file_bytes

    def put(self, tensor: Tensor) -> Shelved:
        """Keep a tensor, which must not be changed afterwards, as long as what is returned lives."""
        if tensor.untyped_storage().nbytes() > tensor.nbytes:
            tensor = tensor.clone()  # or the whole that it is a part of would be kept
        with self._lock:
            self._take_back()
            self._numbers += 1
            self._lent += 1
            book = _Book(self._numbers, tensor, tensor.dtype, tensor.shape, tensor.device)
            self._hold(book)
        return Shelved(self, book)

    def get(self, book: _Book) -> Tensor:
        """The tensor of a book, from the file if it is there."""
        with self._lock:
            self._take_back()
            tensor = book.tensor
            if tensor is None:
                tensor = book.tensor = self._read(book)
                self._hold(book)
            else:
                self._books.move_to_end(book.number)
        return tensor

    def clear_memory(self) -> None:
        """Move all to the file, as far as it can grow."""
        with self._lock:
            self._take_back()
            self._make_room(0)

    def halve(self) -> None:
        """Move all to the file, and keep half as much in memory from now on: the machine has run out of it."""
        self.max_bytes //= 2
        self.clear_memory()

    def give_back(self, book: _Book) -> None:
        """Let go of a tensor; may be called in the middle of anything, so that it only enqueues."""
        self._returned.append(book)

    # --- With the lock held -------------------------------------------------------------------

    def _take_back(self) -> None:
        while self._returned:
            book = self._returned.popleft()
            if book.tensor is not None:
                del self._books[book.number]
                self._used -= book.n_bytes
            if book.place is not None:
                self._free.setdefault(book.n_bytes, []).append(book.place)
            self._lent -= 1
        if not self._lent and self._file is not None:
            self._file.close()
            self._file, self._file_bytes, self._free = None, 0, {}

    def _hold(self, book: _Book) -> None:
        self._books[book.number] = book
        self._used += book.n_bytes
        self._make_room(self.max_bytes, least=1)

    def _make_room(self, max_bytes: int, *, least: int = 0) -> None:
        while self._used > max_bytes and len(self._books) > least:
            book = next(iter(self._books.values()))
            try:
                self._write(book)
            except OSError as error:
                if not self._full:
                    self._full = True
                    warnings.warn(
                        f"no more can be kept in a file of {tempfile.gettempdir()} ({error}), so that frames and masks "
                        f"stay in memory; free some space there, or let TMPDIR name a folder with more",
                        stacklevel=4,
                    )
                return
            del self._books[book.number]
            self._used -= book.n_bytes
            book.tensor = None

    def _write(self, book: _Book) -> None:
        if book.place is not None or book.tensor is None:
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="lit-widget-", buffering=0)  # noqa: SIM115 - lives with the shelf
        free = self._free.get(book.n_bytes)
        place = free[-1] if free else self._file_bytes
        data = book.tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
        self._file.seek(place)
        written = 0
        while written < len(data):
            written += self._file.write(data[written:])
        if free:
            free.pop()
        else:
            self._file_bytes += len(data)
        book.place = place

    def _read(self, book: _Book) -> Tensor:
        data = torch.empty(book.n_bytes, dtype=torch.uint8)
        view, done = data.numpy().data, 0
        assert self._file is not None, "what is not in memory was written"
        assert book.place is not None, "where it was written is known"
        self._file.seek(book.place)
        while done < len(view):
            read = self._file.readinto(view[done:])  # pyright: ignore[reportAttributeAccessIssue]
            if not read:
                raise OSError(f"the temporary file ends after {book.place + done} of {self._file_bytes} bytes")
            done += read
        return data.view(book.dtype).reshape(book.shape).to(book.device)


class Shelved:
    """A tensor on a shelf; the shelf lets go of it when this goes."""

    def __init__(self, shelf: Shelf, book: _Book) -> None:
        self._shelf, self._book = shelf, book

    @property
    def tensor(self) -> Tensor:
        """It, read back if it was moved to the file."""
        return self._shelf.get(self._book)

    @property
    def n_bytes(self) -> int:
        """What it takes, in memory or in the file."""
        return self._book.n_bytes

    def __del__(self) -> None:
        self._shelf.give_back(self._book)


class Memo:
    """A tensor that is made of others when it is first asked for, and kept from then on.

    Args:
        shelf: keeps it; without one it stays in memory.
    """

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._shelf = shelf
        self._kept: Tensor | Shelved | None = None

    def get(self, make: Callable[[], Tensor]) -> Tensor:
        """It, from `make` the first time."""
        kept = self._kept
        if kept is None:
            made = make()
            self._kept = made if self._shelf is None else self._shelf.put(made)
            return made
        return kept.tensor if isinstance(kept, Shelved) else kept


@dataclass(eq=False)
class _Book:
    """What is known of a tensor while it is not in memory: what it was like, and where it lies in the file."""

    number: int
    tensor: Tensor | None
    dtype: torch.dtype
    shape: torch.Size
    device: torch.device
    place: int | None = None

    @property
    def n_bytes(self) -> int:
        return self.shape.numel() * self.dtype.itemsize
