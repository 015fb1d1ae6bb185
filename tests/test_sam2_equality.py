"""Our typed tracker gives the same logits as the `sam2` package's own video predictor on the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sam2.sam2_video_predictor import SAM2VideoPredictor

from lit_widget.video.adaptation import VideoItem
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.models import load_model
from lit_widget.video.pocket.architecture import SAM21_BEHAVIOUR, build_pocket
from lit_widget.video.pocket.clips import embedded_clip
from lit_widget.video.propagate import propagate
from lit_widget.video.sam2 import Points, Sam2

FRAMES = 12
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    clip = embedded_clip("distractor", 3, frames=FRAMES)
    for index, frame in enumerate(clip.frames):
        Image.fromarray(frame).save(folder / f"{index:05d}.jpg", quality=95)
    return folder


@pytest.fixture(scope="module")
def targets() -> list[np.ndarray]:
    """Three masks on the first frame: the true object, and two rectangles."""
    first = embedded_clip("distractor", 3, frames=FRAMES).target[0]
    left, right = np.zeros_like(first), np.zeros_like(first)
    left[20:90, 10:80] = True
    right[100:170, 150:240] = True
    return [first, left, right]


class Pair:
    """Both trackers on one clip, asked the same."""

    def __init__(self, folder: Path, model: Sam2 | None = None) -> None:
        model = model or load_model("pocket", device="cpu")
        self.theirs = build_pocket(SAM2VideoPredictor)
        self.theirs.load_state_dict(model.module.state_dict())
        self.state = self.theirs.init_state(str(folder))
        self.ours = VideoLearner(model, open_frames(folder))

    def compare(self, theirs: torch.Tensor, *outputs) -> None:
        ours = torch.nn.functional.interpolate(
            torch.stack([output.logits for output in outputs]), size=self.ours.size, mode="bilinear"
        )
        assert theirs.shape == ours.shape
        assert torch.isfinite(ours).all()
        assert float((theirs - ours).abs().max()) <= TOLERANCE

    def points(self, item: VideoItem, points: Points, **kwargs) -> torch.Tensor:
        _, ids, masks = self.theirs.add_new_points_or_box(
            self.state,
            item.frame,
            item.object,
            points=np.array(points.xy, dtype=np.float32) if points.xy else None,
            labels=np.array(points.labels, dtype=np.int32) if points.xy else None,
            box=points.box,
            **kwargs,
        )
        return masks[ids.index(item.object)][None]

    def follow(self, objects: list[int], start: int, stop: int, *, reverse: bool = False) -> int:
        """Propagate both and compare every frame; returns how many were compared."""
        pairs = zip(
            self.theirs.propagate_in_video(self.state, start, abs(stop - start), reverse=reverse),
            propagate(self.ours, objects, start, stop, reverse=reverse),
            strict=True,
        )
        compared = 0
        for (frame, ids, masks), tracked in pairs:
            assert frame == tracked.frame
            for prediction in tracked.predictions:
                row = ids.index(prediction.item.object)
                self.compare(masks[row : row + 1], prediction.output)
                compared += 1
        return compared


@pytest.fixture
def pair(clip_folder: Path) -> Pair:
    return Pair(clip_folder)


@pytest.mark.parametrize("n_objects", [1, 3])
def test_first_frame_mask_then_tracking(pair: Pair, targets: list[np.ndarray], n_objects: int) -> None:
    for object_id, mask in enumerate(targets[:n_objects], start=1):
        _, ids, masks = pair.theirs.add_new_mask(pair.state, 0, object_id, mask)
        output = pair.ours.from_mask(0, mask)
        pair.compare(masks[ids.index(object_id)][None], output)
        pair.ours.prompt(VideoItem(0, object_id), output)
    objects = list(range(1, n_objects + 1))
    assert pair.follow(objects, 0, FRAMES - 1) == (FRAMES - 1) * n_objects


@pytest.mark.parametrize(
    "points",
    [
        Points(box=(30.0, 40.0, 120.0, 130.0)),
        Points(((100.0, 90.0),), (1,)),
        Points(((100.0, 90.0), (110.0, 80.0)), (1, 0)),
        Points(((100.0, 90.0), (110.0, 80.0), (90.0, 95.0)), (1, 0, 1)),
        Points(((100.0, 90.0),), (1,), (30.0, 40.0, 120.0, 130.0)),
    ],
    ids=["box", "click", "two clicks", "three clicks", "box and click"],
)
def test_first_frame_points_then_tracking(pair: Pair, points: Points) -> None:
    item = VideoItem(0, 1)
    theirs = pair.points(item, points)
    ours = pair.ours.segment(item, points)
    pair.compare(theirs, ours)
    pair.ours.prompt(item, ours)
    assert pair.follow([1], 0, FRAMES - 1) == FRAMES - 1


def test_the_first_sam_2_behaves_as_its_package_has_it(
    clip_folder: Path, targets: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    for switch in ("no_obj_embed_spatial", "add_tpos_enc_to_obj_ptrs", "proj_tpos_enc_in_obj_ptrs"):
        monkeypatch.setitem(SAM21_BEHAVIOUR, switch, False)
    monkeypatch.setitem(SAM21_BEHAVIOUR, "use_signed_tpos_enc_to_obj_ptrs", False)
    torch.manual_seed(0)
    pair = Pair(clip_folder, Sam2(build_pocket(), "first"))
    pair.theirs.add_new_mask(pair.state, 0, 1, targets[0])
    pair.ours.prompt(VideoItem(0, 1), pair.ours.from_mask(0, targets[0]))
    assert pair.follow([1], 0, FRAMES - 1) == FRAMES - 1


def test_clicks_one_by_one_refine_the_mask(pair: Pair) -> None:
    item, points, previous = VideoItem(0, 1), Points(), None
    for x, y, positive in ((100.0, 90.0, True), (110.0, 80.0, False), (95.0, 100.0, True)):
        points = points.plus(x, y, positive=positive)
        newest = Points(((x, y),), (int(positive),))
        theirs = pair.points(item, newest, clear_old_points=False)
        previous = pair.ours.segment(item, points, previous=previous)
        pair.compare(theirs, previous)


@pytest.mark.parametrize("n_objects", [1, 3])
def test_click_in_the_middle_then_tracking(pair: Pair, targets: list[np.ndarray], n_objects: int) -> None:
    objects = list(range(1, n_objects + 1))
    for object_id in objects:
        pair.theirs.add_new_mask(pair.state, 0, object_id, targets[object_id - 1])
        pair.ours.prompt(VideoItem(0, object_id), pair.ours.from_mask(0, targets[object_id - 1]))
    pair.follow(objects, 0, FRAMES - 1)
    item, points = VideoItem(6, 1), Points(((100.0, 90.0),), (1,))
    theirs = pair.points(item, points)
    tracked = pair.ours.predict_one(item)
    ours = pair.ours.segment(item, points, previous=tracked.output, evidence=tracked.evidence)
    pair.compare(theirs, ours)
    pair.ours.settle_one(item, ours, verdict="corrected")
    assert pair.follow(objects, 7, FRAMES - 1) == (FRAMES - 7) * n_objects


def test_mask_in_the_middle_then_tracking(pair: Pair, targets: list[np.ndarray]) -> None:
    pair.theirs.add_new_mask(pair.state, 0, 1, targets[0])
    pair.ours.prompt(VideoItem(0, 1), pair.ours.from_mask(0, targets[0]))
    pair.follow([1], 0, 5)
    # Frame 6 has not been tracked, so the mask makes it a conditioning frame in both.
    _, _, masks = pair.theirs.add_new_mask(pair.state, 6, 1, targets[1])
    output = pair.ours.from_mask(6, targets[1])
    pair.compare(masks, output)
    pair.ours.settle_one(VideoItem(6, 1), output, verdict="corrected", full=True)
    assert pair.follow([1], 7, FRAMES - 1) == FRAMES - 7


def test_backward_from_the_last_frame(pair: Pair, targets: list[np.ndarray]) -> None:
    pair.theirs.add_new_mask(pair.state, FRAMES - 1, 1, targets[0])
    pair.ours.prompt(VideoItem(FRAMES - 1, 1), pair.ours.from_mask(FRAMES - 1, targets[0]))
    assert pair.follow([1], FRAMES - 1, 0, reverse=True) == FRAMES - 1


def test_tracked_objects_are_really_there(pair: Pair, targets: list[np.ndarray]) -> None:
    """The comparisons above would be empty if every mask were the absent one."""
    pair.ours.prompt(VideoItem(0, 1), pair.ours.from_mask(0, targets[0]))
    masks = [
        pair.ours.mask(p.output) for tracked in propagate(pair.ours, [1], 0, FRAMES - 1) for p in tracked.predictions
    ]
    assert sum(mask.any() for mask in masks) >= FRAMES // 2


def test_locked_frames_differ_on_purpose(pair: Pair, targets: list[np.ndarray]) -> None:
    """SAM 2 infers a click-corrected frame again without its clicks; here it stays as the user left it."""
    pair.ours.prompt(VideoItem(0, 1), pair.ours.from_mask(0, targets[0]))
    list(propagate(pair.ours, [1], 0, FRAMES - 1))
    item = VideoItem(5, 1)
    tracked = pair.ours.predict_one(item)
    fixed = pair.ours.segment(item, Points(((60.0, 60.0),), (1,)), previous=tracked.output, evidence=tracked.evidence)
    pair.ours.settle_one(item, fixed, verdict="corrected")
    list(propagate(pair.ours, [1], 0, FRAMES - 1))
    assert torch.equal(pair.ours.bank(1).records[5].output.logits, fixed.logits)


def test_batching_objects_changes_only_last_bits(
    pair: Pair, targets: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    for object_id, mask in enumerate(targets, start=1):
        pair.ours.prompt(VideoItem(0, object_id), pair.ours.from_mask(0, mask))
    one_by_one = pair.ours.predict_many(1, [1, 2, 3])
    monkeypatch.setattr(type(pair.ours.model), "batches_objects", True)
    for alone, together in zip(one_by_one, pair.ours.predict_many(1, [1, 2, 3]), strict=True):
        assert float((alone.output.logits - together.output.logits).abs().max()) < 1e-3
