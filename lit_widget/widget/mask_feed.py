"""Masks on their way to the views, each with a version, so that a stale one is never painted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Bool

from lit_widget.video.adaptation import VideoItem
from lit_widget.video.memory import MaskOutput

from .codec import encode_mask
from .to_view import FrameStatus, MaskInfo, Masks, ToView

Post = Callable[[ToView, list[bytes]], None]


class MaskFeed:
    """Sends what an item's mask is now.

    Args:
        current: the present output of an item and its status, or `None` where there is none.
        mask: an output at video size.
        post: sends a message and its buffers to the views.
    """

    def __init__(
        self,
        current: Callable[[VideoItem], tuple[MaskOutput, FrameStatus] | None],
        mask: Callable[[MaskOutput], Bool[np.ndarray, "h w"]],
        post: Post,
    ) -> None:
        self._current, self._mask, self._post = current, mask, post
        self._versions: dict[VideoItem, int] = {}
        self._stamp = 0

    def touch(self, item: VideoItem) -> None:
        """Note that an item's mask has changed; it is sent with the next `show`."""
        self._stamp += 1
        self._versions[item] = self._stamp

    def show(self, items: Iterable[VideoItem]) -> None:
        """Send the present masks of these items, and which of them are gone."""
        infos, buffers, gone = [], [], []
        for item in items:
            # Read before the mask: a mask settled meanwhile must not be outlived by an older one.
            version = self._versions.get(item, 0)
            current = self._current(item)
            if current is None:
                gone.append((item.frame, item.object))
                continue
            infos.append(MaskInfo(item.frame, item.object, version, current[1]))
            buffers.append(encode_mask(self._mask(current[0])))
        if infos or gone:
            self._post(Masks(infos, gone), buffers)

    def show_changed(self, items: Iterable[VideoItem]) -> None:
        """Note that these masks have changed, and send them."""
        changed = list(items)
        for item in changed:
            self.touch(item)
        self.show(changed)
