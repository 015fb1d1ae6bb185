"""What several tests share: the pocket model, loaded once, and fresh learners on small clips."""

from functools import cache

import torch

from lit_widget.core.types import Correction
from lit_widget.core.update import UpdateConfig
from lit_widget.video.adaptation import MaskTarget, VideoItem
from lit_widget.video.feature_cache import FeatureCache
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.models import load_model
from lit_widget.video.pocket.clips import embedded_clip
from lit_widget.widget.widget import LITWidget

FRAMES = 8
QUICK = UpdateConfig(learning_rate=1e-3, epochs=3)


@cache
def pocket():
    return load_model("pocket", device="cpu")


@cache
def clip(kind="easy", seed=0, frames=FRAMES):
    return embedded_clip(kind, seed, frames=frames)


@cache
def encoded(kind, seed, frames):
    """Features of a clip's frames, which do not depend on anything that is learned."""
    images = clip(kind, seed, frames).frames
    return FeatureCache(lambda index: pocket().encode(images[index]))


def learner_on(kind="easy", seed=0, frames=FRAMES, *, objects=(1,), update=QUICK, **options):
    """A fresh learner on a clip whose objects start with the target's true mask on frame 0."""
    made = clip(kind, seed, frames)
    features = encoded(kind, seed, frames)
    learner = VideoLearner(pocket(), open_frames(made.frames), update=update, features=features, **options)
    for each in objects:
        learner.prompt(VideoItem(0, each), learner.from_mask(0, made.target[0]))
    return learner


def correction(learner, item, mask, valid=None):
    """A mask given in full by hand."""
    return Correction(item, learner.from_mask(item.frame, mask), MaskTarget(mask, valid), 0, True)


def same_output(left, right):
    """Whether two masks are equal bit for bit."""
    return torch.equal(left.logits, right.logits) and torch.equal(left.object_score, right.object_score)


def widget_on(kind="union", *, frames=FRAMES, **options):
    """A widget on a clip, without a front end, and the list of (message, buffers) that views would hear."""
    widget = LITWidget(clip(kind, 0, frames).frames, model=pocket(), **{"update": QUICK, **options})
    heard = []
    widget._outbox._send = lambda message, buffers: heard.append((message, buffers))
    return widget, heard


def done(widget):
    """Wait for both workers."""
    assert widget.wait(60.0)
    assert widget._pixel_worker.wait(60.0)
    return widget
