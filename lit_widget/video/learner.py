"""Live learning for video: one mask per object and frame, one adapter per object."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool

from lit_widget.core.adapter import Adapter, AdapterBank
from lit_widget.core.learner import Verdict
from lit_widget.core.options import require
from lit_widget.core.recipes import Lora, Recipe
from lit_widget.core.recording import Recording
from lit_widget.core.shelf import Shelf
from lit_widget.core.types import Correction, Prediction, Proposal, Snapshot, UpdateReport
from lit_widget.core.update import Stepper, UpdateConfig, limited_threads, online_update

from .adaptation import Evidence, Sample, TrainingPass, VideoItem, consult
from .feature_cache import FeatureCache, default_memory
from .frames import Frames
from .losses import mask_iou
from .memory import FrameRecord, FrameStatus, MaskOutput, MemoryBank, Recall
from .quirks import Quirks
from .sam2 import Points, Sam2
from .shelved import ShelvedEvidence, ShelvedRecord
from .trackers import Moment, Tracker, TrackerError, find_tracker


class VideoLearner:
    """SAM 2 on one video, with a memory bank and an adapter per object.

    Args:
        model: the frozen model.
        frames: the video.
        recipe: what an adapter trains; the paper's LoRA by default.
        update: how a correction is learned.
        seed: of initial adapter weights and dropout.
        quirks: deviations from the method as published, none by default.
        features: encoded frames to share with other learners of the same model and video.
        memory: bytes of encoded frames and of masks to keep in memory, a quarter of it for masks.
        tracker: a name from `lit_widget.trackers()`, or a tracker.

    Raises:
        TrackerError: if there is no such tracker.
        ValueError: if `features` is something else.
    """

    def __init__(
        self,
        model: Sam2,
        frames: Frames,
        *,
        recipe: Recipe | None = None,
        update: UpdateConfig | None = None,
        seed: int = 123,
        quirks: Quirks | None = None,
        features: FeatureCache | None = None,
        memory: int | None = None,
        tracker: str | Tracker = "sam2",
    ) -> None:
        if features is not None:
            require("features", features, FeatureCache, "a FeatureCache")
        self.tracker = find_tracker(tracker)
        self.model, self.frames, self.seed = model, frames, seed
        self.update_config, self.quirks = update or UpdateConfig(), quirks or Quirks()
        memory = default_memory(model.device) if memory is None else memory
        # Apart, so that the file of the frames can go while masks are still read.
        self.shelf = Shelf(memory // 4)
        self.features = features or FeatureCache.of(model, frames, memory=memory - memory // 4)
        model.shelves.update(self.shelves)
        self.adapters = AdapterBank(model.decoder, recipe or Lora(keep_bias=self.quirks.lora_keep_bias), seed=seed)
        self.banks: dict[int, MemoryBank] = {}
        self.cancelled: Callable[[], bool] = lambda: False
        self._double: tuple[Adapter, Recording] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the video in pixels."""
        return self.frames.height, self.frames.width

    @property
    def shelves(self) -> tuple[Shelf, Shelf]:
        """Where masks, and encoded frames, are kept."""
        return self.shelf, self.features.shelf

    def bank(self, object_id: int) -> MemoryBank:
        """The memory of an object, empty at first."""
        return self.banks.setdefault(object_id, MemoryBank())

    def records(self) -> dict[VideoItem, FrameRecord]:
        """All records of all objects; may be asked from any thread."""
        return {
            VideoItem(frame, object_id): record
            for object_id, bank in list(self.banks.items())
            for frame, record in dict(bank.records).items()
        }

    # --- Asking -----------------------------------------------------------------------------------

    def predict_one(self, item: VideoItem) -> Prediction[MaskOutput]:
        """Track one object to one frame, in the direction it was tracked before or must be now.

        Raises:
            ValueError: if the object has no prompt yet.
        """
        return self.predict_many(item.frame, [item.object], reverse=self.goes_back(item))[0]

    def predict_many(
        self, frame: int, objects: Sequence[int], *, reverse: bool = False
    ) -> list[Prediction[MaskOutput]]:
        """Track several objects to one frame, in one batch where `Sam2.batches_objects`.

        Raises:
            ValueError: if one of them has no prompt yet, or the tracker cannot track backwards.
        """
        if reverse:
            self.require_reverse()
        for object_id in objects:
            if not self.bank(object_id).has_conditioning:
                raise ValueError(f"object {object_id} has no prompt yet; click it or give its mask on some frame first")
        batches = [list(objects)] if self.model.batches_objects else [[object_id] for object_id in objects]
        return [each for batch in batches for each in self._predict_batch(frame, batch, reverse=reverse)]

    def _predict_batch(self, frame: int, objects: list[int], *, reverse: bool) -> list[Prediction[MaskOutput]]:
        features = self.model.with_room(self.features.__getitem__, frame)
        moments = [self._moment(VideoItem(frame, object_id), reverse=reverse) for object_id in objects]
        fused = self.model.fuse(features, [self.tracker.recall(moment) for moment in moments])
        offered = self.model.candidates(fused, features, visible_above=self.tracker.visible_above)
        predictions = []
        for row, (object_id, moment) in enumerate(zip(objects, moments, strict=True)):
            output = self.model.chosen(offered[row], *self.tracker.choose(offered[row], moment))
            evidence = Evidence(fused[row : row + 1], features)
            predictions.append(Prediction(VideoItem(frame, object_id), output, evidence))
        return predictions

    def _moment(self, item: VideoItem, *, reverse: bool) -> Moment:
        records, n_frames = self.bank(item.object).records, len(self.frames)
        return Moment(records, item.frame, n_frames, self.size, self.model.image_size, self.model.name, reverse)

    def segment(
        self, item: VideoItem, points: Points, *, previous: MaskOutput | None = None, evidence: Evidence | None = None
    ) -> MaskOutput:
        """The mask that clicks or a box give, before anything is settled.

        Args:
            item: the object and frame.
            points: all prompts that stand on this frame.
            previous: the mask that the newest click refines.
            evidence: of the tracked prediction being corrected; without it the frame is a first prompt.
        """
        first = evidence is None
        if evidence is None:
            features = self.features[item.frame]
            evidence = Evidence(self.model.fuse(features, [Recall()]), features)
        offered = self.model.prompted(
            evidence.fused,
            evidence.features,
            points,
            self.size,
            previous=previous,
            most_points=self.tracker.most_points,
            visible_above=self.tracker.visible_above,
        )
        if first and len(offered.ious) > 1:
            return self.model.chosen(offered, *self.tracker.choose(offered, self._moment(item, reverse=False)))
        return self.model.chosen(offered, offered.best)

    def from_mask(self, frame: int, mask: Bool[np.ndarray, "h w"]) -> MaskOutput:
        """A mask given by hand, as an output."""
        return self.model.from_mask(self.features[frame], mask, visible_above=self.tracker.visible_above)

    @torch.no_grad()
    def propose_one(self, prediction: Prediction[MaskOutput], *, slot: int = 0) -> Proposal[MaskOutput] | None:
        """The adapter's mask on the same evidence, or `None` while the adapter is untrained."""
        item = prediction.item
        adapter = self.adapters.trained(item.object, slot)
        if adapter is None:
            return None
        visible = self.tracker.visible_above
        output = self.model.with_room(consult, self.model, adapter, prediction, self.quirks, visible_above=visible)
        return Proposal(item, output, "adapter", adapter.version, adapter.learned_from)

    @torch.no_grad()
    def mask(self, output: MaskOutput) -> Bool[np.ndarray, "h w"]:
        """An output at video size."""
        if (given := output.given) is not None:
            return given
        logits = F.interpolate(output.logits[None], size=self.size, mode="bilinear", align_corners=False)
        return (logits[0, 0] > 0).cpu().numpy()

    def put_aside(self, prediction: Prediction[MaskOutput]) -> Prediction[MaskOutput]:
        """The same prediction for one who keeps it: its evidence lies in the file once memory is needed."""
        return replace(prediction, evidence=ShelvedEvidence(self.shelf, prediction.evidence))

    # --- Settling ---------------------------------------------------------------------------------

    def prompt(self, item: VideoItem, output: MaskOutput) -> None:
        """Start an object (or restart it) from this frame.

        Raises:
            TrackerError: if it is a second object and the tracker follows one only.
        """
        others = [each for each, bank in self.banks.items() if each != item.object and bank.has_conditioning]
        if others and not self.tracker.several_objects:
            raise TrackerError(
                f"the tracker {self.tracker.name!r} follows one object, and object {item.object} would be another "
                f"beside object {others[0]}; annotate each in a session of its own, or use tracker='sam2'"
            )
        self._settle(item, output, "prompted", conditioning=True, reverse=False)

    def settle_one(self, item: VideoItem, output: MaskOutput, *, verdict: Verdict = "kept", full: bool = False) -> None:
        """Write a mask to memory; a mask painted in full becomes permanent memory, as in the authors' code."""
        status: FrameStatus = "tracked" if verdict == "kept" else verdict
        before = self.bank(item.object).records.get(item.frame)
        painted = full and self.quirks.mask_correction_as_cond
        given = verdict == "corrected" and (painted or self.tracker.clicked_is_permanent)
        conditioning = given or (before is not None and before.conditioning and before.locked)
        self._settle(item, output, status, conditioning=conditioning, reverse=self.goes_back(item))

    def settle_tracked(self, prediction: Prediction[MaskOutput], *, reverse: bool) -> None:
        """Keep a tracked mask and remember in which direction it was tracked."""
        self._settle(prediction.item, prediction.output, "tracked", conditioning=False, reverse=reverse)

    def _settle(
        self, item: VideoItem, output: MaskOutput, status: FrameStatus, *, conditioning: bool, reverse: bool
    ) -> None:
        note = self.tracker.note(output, status, self._moment(item, reverse=reverse))
        record = self.model.remember(
            self.features[item.frame],
            output.noted(note),
            status=status,
            conditioning=conditioning or (note is not None and note.permanent),
            reverse=reverse,
        )
        self.bank(item.object).records[item.frame] = ShelvedRecord(self.shelf, record)

    def require_reverse(self) -> None:
        """Refuse to track backwards where the tracker cannot.

        Raises:
            TrackerError: naming what can be done instead.
        """
        if not self.tracker.reverse:
            raise TrackerError(
                f"the tracker {self.tracker.name!r} tracks forward only; prompt the object on the first frame you "
                f"need and track forward, or use tracker='sam2'"
            )

    def goes_back(self, item: VideoItem) -> bool:
        """Whether this frame lies on the backward side: as tracked before, else before every conditioning frame."""
        records = self.bank(item.object).records
        if item.frame in records:
            return records[item.frame].reverse
        anchors = [frame for frame, record in records.items() if record.conditioning]
        return bool(anchors) and item.frame < min(anchors)

    # --- Learning ---------------------------------------------------------------------------------

    def learn_one(
        self,
        prediction: Prediction[MaskOutput],
        correction: Correction[MaskOutput],
        *,
        slot: int = 0,
        also: Sequence[tuple[Prediction[MaskOutput], Correction[MaskOutput]]] = (),
    ) -> UpdateReport | None:
        """Train the object's adapter on a correction (paper section 3.2).

        An empty target teaches nothing, as in SAM 2's own training, and returns `None`.

        Args:
            prediction: what was wrong.
            correction: what is right.
            slot: which of the object's adapters.
            also: other views of the same correction, learned in the same update and not repeated in later ones.
        """
        target = correction.target
        if target is None or not target.shown.any():
            return None
        item, config = prediction.item, self.update_config
        adapter = self.adapters.get(item.object, slot)
        samples = (*adapter.samples, Sample(prediction.evidence, target))[-config.samples :]
        views = [Sample(other.evidence, given.target) for other, given in also]
        report = self.model.with_room(self._update, adapter, (*views, *samples))
        if report.stopped == "non-finite":
            warnings.warn(
                f"the update on frame {item.frame} gave a non-finite loss and was rolled back; "
                f"a lower learning rate than {config.rate:g} may help",
                stacklevel=2,
            )
        if not report.rolled_back:
            adapter.version = report.version
            adapter.learned_from = (*adapter.learned_from, item)
            adapter.samples = samples if config.samples > 1 else ()
        return report

    def _update(self, adapter: Adapter, samples: Sequence[Sample]) -> UpdateReport:
        config, seed = self.update_config, self.seed + adapter.version
        threads = limited_threads(config.threads)
        with threads, self._trained(adapter) as (learning, stepper), torch.random.fork_rng():
            torch.manual_seed(seed)
            return online_update(
                list(learning.parameters.values()),
                [TrainingPass(self.model, learning, sample, self.quirks) for sample in samples],
                config,
                version=adapter.version + 1,
                cancelled=self.cancelled,
                stepper=stepper,
            )

    @contextmanager
    def _trained(self, adapter: Adapter) -> Iterator[tuple[Adapter, Stepper | None]]:
        """What is trained in the place of an adapter, in training mode, and how its steps are taken.

        On a CUDA device one adapter stands in for all of them, so that its steps are recorded once.
        """
        if self.model.device.type != "cuda":
            with adapter.training():
                yield adapter, None
            return
        if self._double is None:
            double = Adapter(self.model.decoder, adapter.recipe, seed=self.seed)
            self._double = double, Recording(list(double.parameters.values()), self.update_config.rate)
        double, recording = self._double
        double.take_weights(adapter)
        with double.training():
            yield double, recording
        adapter.take_weights(double)

    @torch.no_grad()
    def agreement(self, output: MaskOutput, correction: Correction[MaskOutput]) -> float:
        """IoU of a mask with a correction's target, at video size; 1 when the correction teaches nothing."""
        target = correction.target
        if target is None:
            return 1.0
        valid = None if target.valid is None else torch.from_numpy(target.valid)
        return float(mask_iou(torch.from_numpy(self.mask(output)), torch.from_numpy(target.mask), valid))

    def snapshot(self) -> Snapshot:
        """All trained adapters and all records; records are immutable, so copying the books is enough."""
        memory = {object_id: dict(bank.records) for object_id, bank in self.banks.items()}
        return Snapshot(self.adapters.snapshot(), memory)

    def restore(self, snapshot: Snapshot) -> None:
        """Exactly the adapters and records of a snapshot."""
        self.adapters.restore(snapshot.adapters)
        self.banks = {object_id: MemoryBank(dict(records)) for object_id, records in (snapshot.memory or {}).items()}

    def drop(self, object_id: int) -> None:
        """Forget an object: its masks, its memory and its adapters."""
        self.banks.pop(object_id, None)
        self.adapters.restore(
            {place: state for place, state in self.adapters.snapshot().items() if place[0] != object_id}
        )

    def reset(self) -> None:
        """Forget everything learned; masks and memory stay."""
        self.adapters.restore({})
