"""The annotation as masks of one video, and masks of others in the annotation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from lit_widget.video.adaptation import VideoItem
from lit_widget.video.formats.mask_set import Event, FormatError, Key, Mask, MaskObject, MaskSet
from lit_widget.video.formats.matching import video_frames
from lit_widget.video.frames import Frames

from .activity import Activity
from .limits import AnnotationError
from .to_view import Error

if TYPE_CHECKING:
    from .annotation import Annotation


class Stopped(Exception):  # noqa: N818 - no error, but a wish
    """The user cancelled a transfer."""


class AnnotationMasks(Mapping[Key, Mask]):
    """The masks of an annotation as they are now, at video size."""

    def __init__(self, annotation: Annotation) -> None:
        self._annotation = annotation
        records = ((each, annotation.learner.bank(each).records) for each in annotation.names)
        self._keys = dict.fromkeys((frame, each) for each, frames in records for frame in frames)

    def __getitem__(self, key: Key) -> Mask:
        if key not in self._keys:
            raise KeyError(key)
        mask = self._annotation.mask_of(VideoItem(*key))
        assert mask is not None
        return mask

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


class ObjectMasks(Mapping[int, Mask]):
    """The masks of one object by frame, decoded when asked for."""

    def __init__(self, masks: Mapping[Key, Mask], keys: Mapping[int, Key]) -> None:
        self._masks, self._keys = masks, keys

    def __getitem__(self, frame: int) -> Mask:
        return self._masks[self._keys[frame]]

    def __iter__(self) -> Iterator[int]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def watched(activity: Activity, note: str, done: int, total: int) -> None:
    """Tell the views how far a transfer is.

    Raises:
        Stopped: if it is to stop.
    """
    if activity.cancelled():
        raise Stopped
    if activity.note != note or activity.total != total:
        activity.enter("predict", total, note)
    activity.step(done)


def mask_set_of(annotation: Annotation) -> MaskSet:
    """All masks of an annotation."""
    frames = annotation.learner.frames
    return MaskSet(
        frames.name,
        annotation.learner.size,
        len(frames),
        tuple(MaskObject(each, thing.name, thing.colour) for each, thing in sorted(annotation.objects.things.items())),
        AnnotationMasks(annotation),
        frames.frame_names,
        frames.fps,
        frames,
        tuple(_events(annotation)),
    )


def _events(annotation: Annotation) -> Iterator[Event]:
    for each in annotation.names:
        update_s = _update_s(annotation, each)
        records = annotation.learner.bank(each).records
        for frame in sorted(frame for frame, record in records.items() if record.locked):
            item, record = VideoItem(frame, each), records[frame]
            standing = annotation.pending.get(item)
            n_clicks = annotation.clicks.get(item, 0) if standing is None else standing.points.n_clicks
            painted = record.output.given is not None
            yield Event(frame, each, record.status, n_clicks, painted, update_s.get(item, 0.0))


def _update_s(annotation: Annotation, object_id: int) -> dict[VideoItem, float]:
    """Seconds of the update that learned each item; reports are kept by the number of updates before them."""
    learned = [item for adapter in annotation.learner.adapters.of(object_id) for item in adapter.learned_from]
    reports = [annotation.reports.get((object_id, place)) for place in range(1, len(learned) + 1)]
    return {item: report.update_s for item, report in zip(learned, reports, strict=True) if report is not None}


def on_frames(masks: MaskSet, frames: Frames) -> dict[int, dict[int, Key]]:
    """Where masks belong in a video: by object and frame of the video the key of the mask.

    Raises:
        AnnotationError: if the masks are of another video.
    """
    try:
        places = video_frames(masks, frames)
    except FormatError as error:
        raise AnnotationError(str(error)) from None
    found: dict[int, dict[int, Key]] = {each.id: {} for each in masks.objects}
    for frame, object_id in sorted(masks.masks):
        found[object_id][places[frame]] = frame, object_id
    return found


def give_prompts(annotation: Annotation, activity: Activity, masks: MaskSet) -> int:
    """Make masks prompts, in one step that undo takes back; returns how many.

    Raises:
        AnnotationError: if they are of another video, or of an object that is locked.
        Stopped: if the user cancels; the masks until then stay, and the views are told how many.
    """
    learner, places = annotation.learner, on_frames(masks, annotation.learner.frames)
    owners = _owners(annotation, masks.objects)
    for owner in owners.values():
        if owner is not None and annotation.objects[owner].locked:
            raise AnnotationError(f"object {owner} is locked; unlock it to load its masks")
    if annotation.proposal is not None:
        annotation.reject()
    annotation.session.checkpoint()
    done, total = [], sum(len(by_frame) for by_frame in places.values())
    try:
        for each in masks.objects:
            owner = _add(annotation, each) if (found := owners[each.id]) is None else found
            for frame, key in places[each.id].items():
                watched(activity, f"Prompting {each.name}", len(done), total)
                item, mask = VideoItem(frame, owner), masks.masks[key]
                annotation.pending.pop(item, None)
                learner.prompt(item, replace(learner.from_mask(frame, mask), given=mask))
                done.append(item)
    except Stopped:
        text = f"Stopped: {len(done)} of {total} masks were loaded"
        annotation.tell(Error(f"{text}; undo takes them back in one step." if done else f"{text}."))
        raise
    finally:
        annotation.feed.show_changed(done)
        annotation.publish()
    return len(done)


def _owners(annotation: Annotation, objects: tuple[MaskObject, ...]) -> dict[int, int | None]:
    """For each object of a file one of the same name here, each at most once; `None` where there is none left."""
    owners, free = dict[int, int | None](), dict(annotation.names)
    for each in objects:
        same = [known for known, name in free.items() if name == each.name]
        owner = each.id if each.id in same else next(iter(same), None)
        owners[each.id] = owner
        if owner is not None:
            del free[owner]
    return owners


def _add(annotation: Annotation, each: MaskObject) -> int:
    """A new object that looks like this one; the first, if nothing was done with it."""
    untouched = len(annotation.names) == 1 and not annotation.learner.bank(annotation.active).records
    owner = annotation.active if untouched else annotation.place_object(each.name)
    annotation.objects = annotation.objects.edit(owner, name=each.name, colour=each.colour)
    return owner
