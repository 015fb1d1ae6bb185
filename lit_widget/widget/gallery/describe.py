"""The labelling as the views see it: everything but pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lit_widget.images.learner import Ranking

from .book import Book
from .messages import PROTOCOL
from .to_view import Card, Cards, GalleryState, Group, GroupAdapter, Guess, Tile

if TYPE_CHECKING:
    from .labelling import Labelling

GUESSES = 9
"""As many as there are keys."""

BEFORE, AFTER = 12, 24
"""Neighbours that a view gets of the image to label."""

AHEAD = 4
"""Images after the one to label whose guesses a view has already, so that it goes on without asking."""


def describe(labelling: Labelling) -> GalleryState:
    """Build the state message."""
    groups, book, image = labelling.groups, labelling.book, labelling.image
    group = int(groups.of[image]) if image >= 0 else -1
    counts, history = book.counts.copy(), labelling.session.history
    versions = {key: version for (key, _), (version, _) in labelling.learner.adapters.versions().items()}
    return GalleryState(
        protocol=PROTOCOL,
        model=labelling.model,
        title=labelling.title,
        n_images=len(labelling.names),
        image=image,
        group=group,
        place=groups.place(image) if image >= 0 else -1,
        tiles=[tile(labelling, each, book) for each in groups.near(image, BEFORE, AFTER)] if image >= 0 else [],
        groups=[
            Group(each, len(queue), groups.n_done[each], versions.get(each, 0)) for each, queue in groups.queues.items()
        ],
        adapter=adapter_of(labelling, group),
        top=labelling.top,
        learning=labelling.learning,
        n_confirmed=counts["confirmed"],
        n_accepted=counts["accepted"],
        n_corrected=counts["corrected"],
        n_skipped=counts["skipped"],
        n_flagged=counts["flagged"],
        can_undo=history.can_undo,
        can_redo=history.can_redo,
    )


def tile(labelling: Labelling, image: int, book: Book) -> Tile:
    """An image of the strip."""
    entry = book[image]
    return Tile(image, labelling.names[image], entry.verdict, entry.label, entry.flagged)


def adapter_of(labelling: Labelling, group: int) -> GroupAdapter:
    """What a group's adapter has learned, and how its last update went."""
    adapter = labelling.learner.adapters.trained(group)
    if adapter is None:
        return GroupAdapter()
    report = labelling.reports.get((group, adapter.version))
    images = [item.image for item in adapter.learned_from]
    return GroupAdapter(
        adapter.version,
        images,
        [labelling.book[image].label for image in images],
        [] if report is None else [round(loss, 5) for loss in report.losses],
        0.0 if report is None else round(report.update_s, 4),
    )


def cards_of(labelling: Labelling) -> Cards:
    """Guesses for the image in sight and the open ones after it."""
    image = labelling.image
    if image < 0:
        return Cards([])
    following = labelling.groups.following(image, labelling.book)
    upcoming = [image, *(each for each, _ in zip(following, range(AHEAD), strict=False))]
    if len(upcoming) <= AHEAD and (beyond := labelling.groups.next_open(upcoming[-1], labelling.book)) is not None:
        upcoming.append(beyond)
    return Cards([card(labelling, each) for each in dict.fromkeys(upcoming)])


def card(labelling: Labelling, image: int) -> Card:
    """What the base model and the group's adapter think of an image."""
    prediction, proposal = labelling.opinions(image)
    base, first = prediction.output, prediction.output.top(1)[0]
    adapted = None if proposal is None else proposal.output
    order = (base if adapted is None else adapted).top(GUESSES)
    if first not in order:
        order[-1] = first
    known = {*base.top(labelling.top), *([] if adapted is None else adapted.top(labelling.top))}
    shares, adapted_shares = percent(base), None if adapted is None else percent(adapted)
    return Card(
        image,
        prediction.item.group,
        0 if proposal is None else proposal.version,
        first,
        -1 if adapted is None else adapted.top(1)[0],
        [
            Guess(each, shares[each], -1.0 if adapted_shares is None else adapted_shares[each], each in known)
            for each in order
        ],
    )


def percent(ranking: Ranking) -> list[float]:
    """The share of probability of each class, in per cent."""
    return [round(share, 1) for share in (100 * ranking.scores.softmax(-1)).tolist()]
