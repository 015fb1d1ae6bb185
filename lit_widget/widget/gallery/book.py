"""What was said of each image, with every change kept so that it can be taken back, however many images there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .to_view import Verdict

NO_LABEL = -1


@dataclass(frozen=True)
class Entry:
    """What was said of one image.

    Attributes:
        label: the class, `NO_LABEL` for none.
        verdict: how the label came about, or that the image was skipped; "open" while neither.
        flagged: whether someone should look at it again.
        learned: whether an adapter was trained on it.
        took_s: seconds that the update took.
        at: seconds since 1970.
    """

    label: int = NO_LABEL
    verdict: Verdict = "open"
    flagged: bool = False
    learned: bool = False
    took_s: float = 0.0
    at: float = 0.0

    @property
    def done(self) -> bool:
        """Whether the image is behind the user."""
        return self.verdict != "open"


NOTHING = Entry()


class Book:
    """Entries by image, and every change of them in order; a state is a position among the changes.

    Args:
        heard: told of every change, with the image and its entry before and after.
    """

    def __init__(self, heard: Callable[[int, Entry, Entry], None]) -> None:
        self._heard = heard
        self._entries: dict[int, Entry] = {}
        self._changes: list[tuple[int, Entry, Entry]] = []
        self._at = 0
        self.counts: Counter[str] = Counter()
        self.changed: set[int] = set()

    def __getitem__(self, image: int) -> Entry:
        return self._entries.get(image, NOTHING)

    def items(self) -> Iterator[tuple[int, Entry]]:
        """Images of which anything was said, and what, in their order."""
        # A copy in one step: the worker may write while another thread reads.
        return iter(sorted(self._entries.copy().items()))

    def write(self, image: int, entry: Entry) -> None:
        """Say something of an image; what was taken back before can come back no more."""
        del self._changes[self._at :]
        self._changes.append((image, self[image], entry))
        self._at += 1
        self._put(image, entry)

    def fill(self, entries: Mapping[int, Entry]) -> None:
        """Begin with what was said earlier, which cannot be taken back."""
        for image, entry in entries.items():
            self._put(image, entry)
        self.changed.clear()

    def snapshot(self) -> int:
        """The present position."""
        return self._at

    def restore(self, position: int) -> list[int]:
        """Go to a position; returns the images whose entry that changed, the latest first."""
        touched: list[int] = []
        while self._at > position:
            self._at -= 1
            image, before, _ = self._changes[self._at]
            self._put(image, before)
            touched.append(image)
        while self._at < position:
            image, _, after = self._changes[self._at]
            self._put(image, after)
            touched.insert(0, image)
            self._at += 1
        return touched

    def _put(self, image: int, entry: Entry) -> None:
        before = self[image]
        self.counts.subtract(before.verdict for _ in range(before.done))
        self.counts.update(entry.verdict for _ in range(entry.done))
        self.counts["flagged"] += int(entry.flagged) - int(before.flagged)
        self._entries[image] = entry
        self.changed.add(image)
        self._heard(image, before, entry)
