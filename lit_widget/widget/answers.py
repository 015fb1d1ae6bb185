"""What views ask to know: the state, frames and masks; nothing here changes the annotation."""

from __future__ import annotations

from lit_widget.video.adaptation import VideoItem

from .annotation import Annotation
from .codec import encode_jpeg
from .hover import Hover
from .messages import PROTOCOL
from .outbox import Outbox
from .store import shown
from .to_view import Error, Frames
from .worker import Worker


class Answers:
    """Answers the questions of all views.

    Args:
        annotation: what they ask about.
        outbox: takes the answers.
        pixels: the worker that decodes and encodes, so that a question waits for no model.
        model: the worker that owns the model.

    Attributes:
        looked_at: whether there is or was a view.
    """

    looked_at = False

    def __init__(self, annotation: Annotation, outbox: Outbox, pixels: Worker, model: Worker) -> None:
        self._annotation, self._outbox, self._pixels = annotation, outbox, pixels
        self._model = model
        self.preview = Hover(annotation, model, outbox.post).ask

    def greet(self, protocol: int) -> None:
        """Tell a new view everything but pixels."""
        if protocol != PROTOCOL:
            self._outbox.post(Error(f"This view speaks protocol {protocol}, the kernel {PROTOCOL}: reload the page."))
            return
        self._outbox.push()
        self._outbox.post(self._annotation.state)
        self._annotation.show_confidence()
        self._annotation.show_proposal()
        self.looked_at = True
        self._model.nudge()

    def poll(self) -> None:
        """Hand over the messages that wait for a polling view."""
        self._outbox.poll()

    def frames(self, indices: list[int]) -> None:
        """Send the frames that exist among `indices`."""
        video = self._annotation.learner.frames
        known = [index for index in indices if 0 <= index < len(video)]

        def send() -> None:
            self._outbox.post(Frames(known), [encode_jpeg(shown(video, index)) for index in known])

        self._pixels.submit(lambda _: send())

    def masks(self, indices: list[int]) -> None:
        """Send all objects' masks on these frames."""
        n_frames = len(self._annotation.learner.frames)
        items = [VideoItem(i, each) for i in indices if 0 <= i < n_frames for each in self._annotation.names]
        self._pixels.submit(lambda _: self._annotation.feed.show(items))
