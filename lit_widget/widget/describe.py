"""The annotation as the views see it: everything but pixels in one message, the open proposal in another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lit_widget.core.shelf import Shelf
from lit_widget.core.strategy import Original

from .codec import encode_mask
from .messages import PROTOCOL
from .objects import PALETTE
from .to_view import (
    AdapterInfo,
    Candidate,
    FrameStatus,
    MemoryInfo,
    ObjectInfo,
    Prompt,
    ProposalInfo,
    Standing,
    State,
    VideoInfo,
)

if TYPE_CHECKING:
    from lit_widget.video.learner import VideoLearner

    from .annotation import Annotation
    from .pending import OpenProposal

LOCATE_S, CLICK_S = 1.0, 1.5
"""Seconds that the paper counts for finding an error and for one click; they price what a proposal saved."""


def describe(annotation: Annotation) -> State:
    """Build the state message."""
    learner = annotation.learner
    frames = learner.frames
    # Copies: the worker may add records while another thread describes.
    statuses = [record.status for bank in list(learner.banks.values()) for record in list(bank.records.values())]
    n_accepted = statuses.count("accepted")
    clicked = [n_clicks for n_clicks in annotation.clicks.values() if n_clicks]
    # Painting takes anything from a second to minutes: nothing is claimed of it.
    correction_s = LOCATE_S + CLICK_S * float(np.mean(clicked)) if clicked else 0.0
    return State(
        protocol=PROTOCOL,
        model=learner.model.name,
        video=VideoInfo(frames.name, len(frames), frames.height, frames.width, float(frames.fps)),
        objects=[
            ObjectInfo(
                each,
                thing.name,
                thing.colour,
                runs(annotation, each),
                thing.hidden,
                thing.locked,
                annotation.changes.runs(each),
            )
            for each, thing in annotation.objects.things.items()
        ],
        adapters=[adapter_info(annotation, each) for each in annotation.names],
        standing=[
            Standing(item.frame, item.object, pending.full, [*(pending.points.box or ())], pending.prediction is None)
            for item, pending in list(annotation.pending.items())
        ],
        prompts=[
            Prompt(item.frame, item.object, x, y, bool(label))
            for item, pending in list(annotation.pending.items())
            for (x, y), label in zip(pending.points.xy, pending.points.labels, strict=True)
        ],
        palette=list(PALETTE.items()),
        learning=annotation.learning,
        range=[*(annotation.range or ())],
        active_object=annotation.active,
        proposes=not isinstance(annotation.strategy, Original),
        proposes_untaught=annotation.session.strategy.proposes_untaught,
        panel=annotation.tells_learning and not isinstance(annotation.strategy, Original),
        saved=annotation.saved,
        can_undo=annotation.session.history.can_undo,
        can_redo=annotation.session.history.can_redo,
        n_corrections=statuses.count("corrected"),
        n_accepted=n_accepted,
        saved_s=round(n_accepted * correction_s, 1),
        memory=memory_info(learner.shelves),
        previews=annotation.previews,
    )


def memory_info(shelves: Sequence[Shelf]) -> MemoryInfo:
    """How full shelves are together."""
    figures = zip(*((shelf.used_bytes, shelf.max_bytes, shelf.file_bytes) for shelf in shelves), strict=True)
    return MemoryInfo(*(round(sum(each) / 2**20) for each in figures))


def describe_proposal(learner: VideoLearner, opened: OpenProposal | None) -> tuple[ProposalInfo, list[bytes]]:
    """Build the message about the open proposal, or that there is none, and its masks."""
    if opened is None:
        return ProposalInfo(-1), []
    candidates = [
        Candidate(each.source, each.version, [item.frame for item in each.learned_from]) for each in opened.proposals
    ]
    masks = [encode_mask(learner.mask(each.output)) for each in opened.proposals]
    return ProposalInfo(opened.item.frame, opened.item.object, candidates), masks


def adapter_info(annotation: Annotation, object_id: int) -> AdapterInfo:
    """What an object's adapters have learned, and how their last update went."""
    adapters = annotation.learner.adapters.of(object_id)
    version = sum(adapter.version for adapter in adapters)
    if not version:
        return AdapterInfo(object_id)
    report = annotation.reports.get((object_id, version))
    return AdapterInfo(
        object_id,
        version,
        [item.frame for adapter in adapters for item in adapter.learned_from],
        [] if report is None else [round(loss, 5) for loss in report.losses],
        0.0 if report is None else round(report.update_s, 3),
    )


def runs(annotation: Annotation, object_id: int) -> list[tuple[int, int, FrameStatus]]:
    """Runs of frames in the same status as (first, last, status), sorted."""
    found: list[tuple[int, int, FrameStatus]] = []
    records = dict(annotation.learner.bank(object_id).records)
    for frame in sorted(records):
        status = records[frame].status
        if found and found[-1][1] == frame - 1 and found[-1][2] == status:
            found[-1] = (found[-1][0], frame, status)
        else:
            found.append((frame, frame, status))
    return found
