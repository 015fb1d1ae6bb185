"""What galleries ask to know; nothing here changes the labelling."""

from __future__ import annotations

import io
from collections.abc import Sequence

from lit_widget.images.sources import ImageError
from lit_widget.widget.codec import JPEG_QUALITY
from lit_widget.widget.outbox import Outbox
from lit_widget.widget.to_view import Error
from lit_widget.widget.worker import Worker

from .labelling import Labelling
from .looking import Look
from .messages import PROTOCOL
from .pictures import Pictures
from .to_view import Classes, PictureBytes

LARGE, SMALL = 1400, 128
"""Pixels of the longer side of an image on the stage, and of a thumbnail."""


class Answers:
    """Answers the questions of all views.

    Args:
        labelling: what they ask about.
        look: how far the model has looked.
        pictures: the images.
        outbox: takes the answers.
        pixels: the worker that decodes and encodes, so that a question waits for no model.
    """

    def __init__(self, labelling: Labelling, look: Look, pictures: Pictures, outbox: Outbox, pixels: Worker) -> None:
        self._labelling, self._look, self._pictures = labelling, look, pictures
        self._outbox, self._pixels = outbox, pixels

    def greet(self, protocol: int) -> None:
        """Tell a new view everything but pixels."""
        if protocol != PROTOCOL:
            self._outbox.post(Error(f"This view speaks protocol {protocol}, the kernel {PROTOCOL}: reload the page."))
            return
        self._outbox.post(Classes(self._labelling.classes))
        self._outbox.post(self._look.report())
        self._outbox.post(self._labelling.state)
        self._outbox.post(self._labelling.cards)

    def poll(self) -> None:
        """Hand over the messages that wait for a polling view."""
        self._outbox.poll()

    def pictures(self, images: Sequence[int], *, large: bool) -> None:
        """Send the images that exist."""
        known = [image for image in images if 0 <= image < len(self._pictures)]
        size = LARGE if large else SMALL
        self._pixels.submit(
            lambda _: self._outbox.post(PictureBytes(known, large), [self._jpeg(image, size) for image in known])
        )

    def _jpeg(self, image: int, size: int) -> bytes:
        """A picture; nothing where it cannot be read, which is told elsewhere."""
        buffer = io.BytesIO()
        try:
            self._pictures.shown(image, at_most=size).save(buffer, "JPEG", quality=JPEG_QUALITY)
        except ImageError:
            return b""
        return buffer.getvalue()
