"""How good a tracked mask probably is, without its truth: measurements, and an estimator that learns from verdicts.

The model's own estimate of IoU is one measurement among several (paper section 4.5 uses it alone). The strongest of
the others asks whether the mask leads back: tracked from it, the object must be found again where it is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from scipy.ndimage import label
from scipy.special import logit
from torch import Tensor

from lit_widget.core.types import Prediction, Proposal

from .learner import VideoItem, VideoLearner
from .memory import FrameRecord, MaskOutput
from .sam2 import FrameFeatures
from .trackers import Moment, Tracker
from .verdicts import Measurement, Prior, VerdictModel

FEATURES: dict[str, str] = {
    "predicted_iou": "the model's own estimate of the mask's IoU, as log odds",
    "object_score": "the model's log odds of the object being visible",
    "confidence": "mean logit inside the mask",
    "stability": "IoU of the masks that stricter and laxer cuts of the logits give, as log odds",
    "motion": "IoU with the neighbouring frame's mask, moved to the same centre, as log odds",
    "back_to_first": "IoU of the first prompt's mask with the one tracked back to it from here, as log odds",
    "back_to_last": "the same for the nearest frame that a person settled",
    "adapter": "IoU with the adapter's mask, with the frozen single-mask token's before any training, as log odds",
    "trained": "1 once the adapter has learned anything",
    "pointer": "cosine similarity of the object pointer with that of the nearest settled frame",
    "pieces": "share of the mask that its largest connected piece takes",
    "area": "how far the area is from the first prompt's: absolute value of the logarithm of their ratio",
    "appearance": "IoU with where the image looks like the object on the settled frames, as log odds",
    "surroundings": "how much the mask's surroundings look like the object, mostly from 0 to 1",
}
"""What is measured of every tracked mask, by name."""

_CUT = 2.0
"""Logit of the stricter cut, and minus that of the laxer one, of `stability`."""
_NO_CONFIDENCE = -5.0
_SMALLEST = 4
"""Pixels added to areas before comparing them, so that an empty mask has a ratio."""
_RIDGE = 0.01
_RING = 7
"""Side in pixels at stride 8 of the square by which a mask is widened to find its surroundings."""
_SOFTEST = 0.01
"""Added to shares and their complements before taking log odds."""


@torch.no_grad()
def measure(
    learner: VideoLearner, prediction: Prediction[MaskOutput], proposal: Proposal[MaskOutput] | None = None
) -> Measurement:
    """Measure a tracked mask, before or right after it is settled: about half the work of tracking it.

    Args:
        learner: its memory holds the object's settled frames and its adapter.
        prediction: a tracked mask with its evidence.
        proposal: measured in the place of the tracked mask, which then is the other opinion.

    Raises:
        ValueError: if no person has settled the object on any other frame, so that there is nothing to compare with.
    """
    frame, object_id = prediction.item
    records = learner.bank(object_id).records
    settled = {at: record for at, record in records.items() if record.locked and at != frame}
    if not settled:
        raise ValueError(
            f"the quality of object {object_id} on frame {frame} cannot be estimated: no other frame has a prompt, "
            f"a correction or an accepted proposal; prompt the object first"
        )
    first, nearest = min(settled), min(settled, key=lambda at: abs(at - frame))
    neighbour = records.get(frame - 1 if nearest < frame else frame + 1, settled[nearest])
    if proposal is None:
        second, trained = _second_opinion(learner, prediction)
    else:
        second, trained = prediction.output, True
        prediction = replace(prediction, output=proposal.output)
    output, mask = prediction.output, _mask(prediction.output)
    back_to_first = _back(learner, prediction, first, settled[first])
    back_to_last = back_to_first if nearest == first else _back(learner, prediction, nearest, settled[nearest])
    looks, around = _appearance(learner, prediction, {at: settled[at] for at in (first, nearest)})
    values = {
        "predicted_iou": _log_odds(output.iou),
        "object_score": float(output.object_score),
        "confidence": float(output.logits[0][mask].mean()) if mask.any() else _NO_CONFIDENCE,
        "stability": _log_odds(_overlap(output.logits[0] > _CUT, output.logits[0] > -_CUT)),
        "motion": _log_odds(_overlap(mask, _centred_on(mask, _mask(neighbour.output)))),
        "back_to_first": _log_odds(back_to_first),
        "back_to_last": _log_odds(back_to_last),
        "adapter": _log_odds(_overlap(mask, _mask(second))),
        "trained": float(trained),
        "pointer": float(F.cosine_similarity(output.pointer, settled[nearest].output.pointer, dim=0)),
        "pieces": _largest_piece(mask),
        "area": abs(math.log((int(mask.sum()) + _SMALLEST) / (int(_mask(settled[first].output).sum()) + _SMALLEST))),
        "appearance": _log_odds(looks),
        "surroundings": around,
    }
    return Measurement(frame, (object_id, nearest), np.array([values[name] for name in FEATURES]))


def _second_opinion(learner: VideoLearner, prediction: Prediction[MaskOutput]) -> tuple[MaskOutput, bool]:
    """The adapter's mask, or the frozen token's while it is untrained; and which of them."""
    proposal = learner.propose_one(prediction)
    if proposal is not None:
        return proposal.output, True
    evidence = prediction.evidence
    threshold = learner.tracker.visible_above
    return learner.model.decode(evidence.fused, evidence.features, multimask=False, visible_above=threshold)[0], False


def _back(learner: VideoLearner, prediction: Prediction[MaskOutput], known: int, record: FrameRecord) -> float:
    """Track from this mask alone to a frame whose mask is known, and compare there.

    This is reverse classification accuracy (Valindria et al., IEEE TMI 2017) with the tracker as the classifier.
    """
    frame = prediction.item.frame
    model, features = learner.model, learner.features[known]
    seen = model.remember(prediction.evidence.features, prediction.output, status="tracked", conditioning=True)
    reverse = known < frame
    moment = Moment({frame: seen}, known, len(learner.frames), learner.size, model.image_size, model.name, reverse)
    fused = model.fuse(features, [Tracker().recall(moment)])
    return _overlap(_mask(model.decode(fused, features)[0]), _mask(record.output))


def _appearance(
    learner: VideoLearner, prediction: Prediction[MaskOutput], settled: dict[int, FrameRecord]
) -> tuple[float, float]:
    """Agreement with a pixel classifier, linear in the image features and fitted on settled frames.

    Returns:
        IoU of the mask with the pixels that look like the object, and the mean look of a ring around the mask.
    """
    size = prediction.evidence.features.high_res[1].shape[-2:]
    inputs = torch.cat([_pixels(learner.features[at]) for at in settled])
    labels = torch.cat([_shrunk(_mask(record.output), size).flatten() for record in settled.values()])
    # Object and background weigh the same, however small the object is.
    weights = torch.where(labels > 0.5, 0.5 / labels.sum().clamp(min=1), 0.5 / (1 - labels).sum().clamp(min=1))
    weighted = (inputs * weights[:, None]).T
    ridge = _RIDGE * torch.eye(inputs.shape[1], device=inputs.device)
    classifier = torch.linalg.solve(weighted @ inputs + ridge, weighted @ labels)
    look = (_pixels(prediction.evidence.features) @ classifier).reshape(size)
    mask = _shrunk(_mask(prediction.output), size)
    ring = F.max_pool2d(mask[None, None], _RING, 1, _RING // 2)[0, 0] - mask
    around = float((look * ring).sum() / ring.sum()) if ring.sum() > 0 else 0.0
    return _overlap(look > 0.5, mask > 0.5), around


def _pixels(features: FrameFeatures) -> Float[Tensor, "n c"]:
    """Image features at strides 8 and 16 and a constant, one row per pixel at stride 8."""
    fine = features.high_res[1]
    coarse = F.interpolate(features.top, size=fine.shape[-2:], mode="bilinear", align_corners=False)
    constant = torch.ones_like(fine[:, :1])
    return torch.cat([fine / fine.std(), coarse / coarse.std(), constant], 1)[0].flatten(1).T


def _shrunk(mask: Bool[Tensor, "h w"], size: torch.Size) -> Float[Tensor, "y x"]:
    """A mask at a lower resolution: the share of each pixel that it covers."""
    return F.interpolate(mask[None, None].float(), size=size, mode="area")[0, 0]


def _mask(output: MaskOutput) -> Bool[Tensor, "h w"]:
    """A mask at the decoder's own resolution."""
    return output.logits[0] > 0


def _overlap(left: Bool[Tensor, "h w"], right: Bool[Tensor, "h w"]) -> float:
    """IoU; 1 if both masks are empty."""
    union = int((left | right).sum())
    return int((left & right).sum()) / union if union else 1.0


def _centred_on(mask: Bool[Tensor, "h w"], other: Bool[Tensor, "h w"]) -> Bool[Tensor, "h w"]:
    """`other` moved so that its centre of mass is that of `mask`, to the nearest pixel."""
    if not mask.any() or not other.any():
        return other
    down, right = (mask.nonzero().float().mean(0) - other.nonzero().float().mean(0)).round().int().tolist()
    return torch.roll(other, (down, right), (0, 1))


def _largest_piece(mask: Bool[Tensor, "h w"]) -> float:
    """Share of the mask in its largest connected piece; 0 if it is empty."""
    pieces = np.empty(mask.shape, np.int32)
    label(mask.cpu().numpy(), output=pieces)
    sizes = np.bincount(pieces.ravel())[1:]
    return float(sizes.max() / sizes.sum()) if len(sizes) else 0.0


def _log_odds(share: float) -> float:
    return float(logit((share + _SOFTEST) / (1 + 2 * _SOFTEST)))


class QualityEstimator:
    """Says of every tracked mask how probably it is right, and learns from the verdicts on the same video.

    One estimator serves all objects of a video. Scores are kept, so that `doubtful` can rank frames after later
    verdicts without tracking them again.

    Args:
        learner: the model on the video; only read.
        tau: a mask is right from this IoU on.
        prior: what is believed before the first verdict; the one shipped with the package by default.
    """

    def __init__(self, learner: VideoLearner, *, tau: float = 0.5, prior: Prior | None = None) -> None:
        self.learner = learner
        self.model = VerdictModel(tau, prior=prior)
        self._measured: dict[VideoItem, tuple[MaskOutput, Measurement]] = {}

    def score(self, prediction: Prediction[MaskOutput]) -> float:
        """Probability, from 0 to 1, that a tracked mask is right; ask before the next frame is tracked."""
        return float(self.model.score([self._measure(prediction)])[0])

    def score_proposal(self, prediction: Prediction[MaskOutput], proposal: Proposal[MaskOutput]) -> float:
        """Probability, from 0 to 1, that a proposal made for a tracked mask is right."""
        return float(self.model.score([measure(self.learner, prediction, proposal)])[0])

    def observe(self, prediction: Prediction[MaskOutput], verdict: bool | float) -> None:
        """Learn from a verdict on a tracked mask.

        Args:
            prediction: what was judged, as it was tracked and not as it was corrected.
            verdict: whether it was right (`True` or `False`), or its IoU with what the user made of it.
        """
        self.model.observe(self._measure(prediction), right=bool(verdict >= self.model.tau))

    def doubtful(self, items: Iterable[VideoItem]) -> list[tuple[VideoItem, float]]:
        """Those of `items` that were scored and not judged since, with their present scores, the lowest first."""
        measured = {item: self._measured[item][1] for item in items if item in self._measured}
        open_items = [item for item, measurement in measured.items() if not self.model.is_judged(measurement)]
        scores = self.model.score([measured[item] for item in open_items])
        return sorted(zip(open_items, scores.tolist(), strict=True), key=lambda each: each[1])

    def _measure(self, prediction: Prediction[MaskOutput]) -> Measurement:
        """Measured once per mask: a verdict must not see what was settled or learned after the score."""
        known = self._measured.get(prediction.item)
        if known is None or known[0] is not prediction.output:
            known = self._measured[prediction.item] = (prediction.output, measure(self.learner, prediction))
        return known[1]
