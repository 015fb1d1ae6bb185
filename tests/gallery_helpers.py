"""What tests of the gallery share: the pocket CLIP, its look-alikes, and a widget on a few of them."""

import tempfile
import time
from functools import cache

import numpy as np

from lit_widget.images.clip import Clip
from lit_widget.images.datasets.embedded import embedded_images
from lit_widget.widget.gallery.widget import LITClassifier

CLASSES = 12


@cache
def pocket():
    return Clip.load("pocket")


@cache
def features_folder():
    """Features of the same images are computed once per run of the tests."""
    return tempfile.mkdtemp(prefix="features-")


@cache
def look_alikes(n=24):
    """Images of a few classes that are hard to tell apart."""
    made = embedded_images(0, classes=CLASSES, per_class=8)
    return made.only(range(n))


@cache
def arrays(n=12):
    return [look_alikes().read(index) for index in range(n)]


def gallery_on(images=None, classes=None, *, n=24, **options):
    """A widget on images, all of which were looked at."""
    widget = opened(images, classes, n=n, **options)
    assert widget.wait(60.0)
    return widget


def opened(images=None, classes=None, *, n=24, **options):
    images = look_alikes(n) if images is None else images
    return LITClassifier(images, classes, **{"model": pocket(), "features": features_folder(), **options})


def truth(widget):
    """The true class of each image."""
    return widget._pictures.images.labels


def label_all(widget, most=1000):
    """Give every image its class, in the order in which they come."""
    for _ in range(most):
        if not (widget.labels.verdict == "open").any():
            return
        widget.label(widget.image, truth(widget)[widget.image])
        assert widget.wait(30.0)


class Slow:
    """A model that takes its time for each image."""

    def __init__(self, seconds):
        self._clip, self._seconds = pocket(), seconds
        self.name, self.width, self.digest = "slow", self._clip.width, f"slow {time.time()}"

    def pooled(self, images):
        time.sleep(self._seconds * len(images))
        return self._clip.pooled(images)

    def head(self, class_names):
        return self._clip.head(class_names)


def grey(value):
    return np.full((40, 60, 3), value, np.uint8)
