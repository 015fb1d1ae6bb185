"""Which images look alike to the base model, and which of them comes next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from .book import Book, Entry

UNKNOWN, UNREADABLE = -1, -2


class Groups:
    """Images by the class that the base model ranks first, in the order in which they came.

    Args:
        n_images: how many images there are.
    """

    def __init__(self, n_images: int) -> None:
        self.of = np.full(n_images, UNKNOWN, np.int32)
        self._place = np.zeros(n_images, np.int32)
        self.queues: dict[int, list[int]] = {}
        self.n_done: Counter[int] = Counter()

    def add(self, image: int, group: int, *, done: bool) -> None:
        """Put an image at the end of a group."""
        queue = self.queues.setdefault(group, [])
        self.of[image], self._place[image] = group, len(queue)
        queue.append(image)
        self.n_done[group] += done

    def heard(self, image: int, before: Entry, after: Entry) -> None:
        """Keep count of what is done."""
        if (group := int(self.of[image])) >= 0:
            self.n_done[group] += int(after.done) - int(before.done)

    def place(self, image: int) -> int:
        """Where in its group an image is."""
        return int(self._place[image])

    def near(self, image: int, before: int, after: int) -> list[int]:
        """The image and its neighbours in the group."""
        queue, at = self.queues[int(self.of[image])], self.place(image)
        return queue[max(0, at - before) : at + after + 1]

    def following(self, image: int, book: Book) -> Iterable[int]:
        """Open images of the group, those behind `image` first, then those before it."""
        queue, at = self.queues[int(self.of[image])], self.place(image)
        for index in (*range(at + 1, len(queue)), *range(at)):
            if not book[queue[index]].done:
                yield queue[index]

    def next_open(self, image: int, book: Book) -> int | None:
        """The open image to go on with: of the same group, else of the next group that has one."""
        group = int(self.of[image])
        if self.n_done[group] < len(self.queues[group]):
            return next(iter(self.following(image, book)), None)
        order = list(self.queues)
        at = order.index(group)
        return next((self.first_open(each, book) for each in order[at + 1 :] + order[:at] if self._open(each)), None)

    def first_open(self, group: int, book: Book) -> int:
        """The first open image of a group, or its first one if none is."""
        queue = self.queues[group]
        return next((image for image in queue if not book[image].done), queue[0])

    def _open(self, group: int) -> bool:
        return self.n_done[group] < len(self.queues[group])
