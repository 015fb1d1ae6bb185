"""Frames read in a thread, ahead of the model."""

import threading

import numpy as np
import pytest
import torch

from lit_widget.video.feature_cache import FeatureCache
from lit_widget.video.frames import Frames, VideoError, open_frames
from lit_widget.video.read_ahead import ReadAhead
from tests.helpers import clip, pocket


class Reader:
    """Tells which frames were read, and waits where it is told to."""

    def __init__(self, n_frames=6, damaged=()):
        self.read, self.damaged = [], damaged
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.arrived = threading.Semaphore(0)
        self.ahead = ReadAhead(self._read, n_frames)

    def _read(self, frame):
        self.read.append(frame)
        self.arrived.release()
        assert self.may_go_on.wait(10)
        if frame in self.damaged:
            raise VideoError(f"frame {frame} is damaged")
        return 10 * frame

    def has_read(self, count):
        """Wait for so many more reads to begin."""
        return all(self.arrived.acquire(timeout=10) for _ in range(count))


@pytest.mark.parametrize(("asked", "read"), [((1, 2), [1, 2, 3]), ((3, 2), [3, 2, 1]), ((5, 4, 5), [5, 4, 3, 5])])
def test_the_next_frame_of_those_asked_for_in_order_is_read(asked, read):
    reader = Reader()
    assert [reader.ahead[frame] for frame in asked] == [10 * frame for frame in asked]
    assert reader.has_read(len(read))
    assert reader.read == read


def test_it_is_read_while_the_one_who_asked_goes_on():
    reader = Reader()
    assert reader.ahead[0] == 0
    assert reader.ahead[1] == 10
    assert reader.has_read(3)
    reader.may_go_on.clear()
    assert reader.ahead[2] == 20  # frame 3 now waits in the thread
    assert reader.has_read(1)
    assert reader.read == [0, 1, 2, 3]
    reader.may_go_on.set()
    assert reader.ahead[3] == 30
    assert reader.has_read(1)
    assert reader.read == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("asked", [(0, 2, 5, 3), (4, 4, 4), (4, 5), (1, 0)])
def test_nothing_is_read_ahead_out_of_order_or_beyond_the_video(asked):
    reader = Reader()
    for frame in asked:
        assert reader.ahead[frame] == 10 * frame
    assert reader.has_read(len(asked))
    assert not reader.arrived.acquire(timeout=0.2)
    assert reader.read == list(asked)


def test_a_damaged_frame_is_an_error_only_where_it_is_asked_for():
    reader = Reader(damaged=(2,))
    assert [reader.ahead[frame] for frame in (0, 1)] == [0, 10]
    for _ in range(2):
        with pytest.raises(VideoError, match="frame 2 is damaged"):
            reader.ahead[2]
    assert reader.ahead[1] == 10


def test_features_are_those_of_frames_read_one_by_one():
    frames = open_frames(np.stack(clip().frames[:4]))
    features = FeatureCache.of(pocket(), frames)
    for frame in (0, 1, 2, 3, 2):
        assert torch.equal(features[frame].top, pocket().encode(frames[frame]).top)


def test_what_was_read_ahead_goes_with_the_encoded_frames():
    read = []

    class Noted(Frames):
        name, fps, height, width = "noted", 24.0, 90, 120

        def __len__(self):
            return 4

        def _read(self, index):
            read.append(index)
            return np.zeros((90, 120, 3), np.uint8)

    features = FeatureCache.of(pocket(), Noted())
    for frame in (0, 1):
        features[frame]
    features.clear()
    for frame in (2, 0):  # 2 had been read ahead, and now is read for the one who asks
        features[frame]
    assert read == [0, 1, 2, 2, 0]


def test_a_video_that_is_closed_or_dropped_leaves_no_thread_behind():
    before = set(threading.enumerate())
    ahead = ReadAhead(abs, 6)
    assert ahead[0] + ahead[1] == 1
    (thread,) = set(threading.enumerate()) - before
    ahead.clear()
    assert not thread.is_alive()
    assert ahead[2] + ahead[3] == 5
    (thread,) = set(threading.enumerate()) - before
    del ahead
    thread.join(10)
    assert not thread.is_alive()
