"""The worker does one thing at a time, survives what fails and can always be stopped; the outbox loses nothing."""

import threading
import time
from itertools import pairwise

import pytest

from lit_widget.widget.outbox import MAX_KEPT, Outbox
from lit_widget.widget.to_view import Error, Frames
from lit_widget.widget.worker import Worker


@pytest.fixture
def worker():
    errors = []
    worker = Worker("test", errors.append)
    worker.errors = errors
    yield worker
    worker.close()


def until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def endless(started):
    """Work that only stops when cancelled."""

    def work(job):
        started.set()
        assert job.cancelled.wait(10)

    return work


def test_jobs_run_in_order_one_at_a_time_on_one_thread(worker):
    spans, threads = [], set()

    def work(job):
        threads.add(threading.current_thread())
        began = time.monotonic()
        time.sleep(0.01)
        spans.append((job.number, began, time.monotonic()))

    jobs = [worker.submit(work) for _ in range(5)]
    assert worker.wait(5.0)
    assert [number for number, _, _ in spans] == [job.number for job in jobs]
    assert all(first[2] <= second[1] for first, second in pairwise(spans))
    assert threads == {worker._thread} != {threading.current_thread()}
    assert not worker.busy


def test_a_failure_is_reported_and_the_next_job_runs(worker):
    done = []
    worker.submit(lambda _: 1 / 0)
    worker.submit(done.append)
    assert worker.wait(5.0)
    assert [type(error) for error in worker.errors] == [ZeroDivisionError]
    assert len(done) == 1


def test_cancel_stops_the_running_job_and_drops_those_behind(worker):
    started, late = threading.Event(), []
    worker.submit(endless(started))
    worker.submit(late.append)
    assert started.wait(5)
    worker.cancel()
    assert worker.wait(5.0)
    assert not late
    worker.submit(late.append)
    assert worker.wait(5.0)
    assert len(late) == 1
    assert not worker.errors


def test_interrupting_asks_what_is_there_and_nothing_that_comes_later(worker):
    started, late = threading.Event(), []

    def work(job):
        started.set()
        assert job.interrupted.wait(10)

    worker.submit(work)
    worker.submit(late.append)
    assert started.wait(5)
    worker.interrupt()
    worker.submit(late.append)
    assert worker.wait(5.0)
    assert [(job.interrupted.is_set(), job.cancelled.is_set()) for job in late] == [(True, False), (False, False)]


def test_wait_says_whether_it_was_done_in_time(worker):
    started = threading.Event()
    assert worker.wait()
    worker.submit(endless(started))
    began = time.monotonic()
    assert not worker.wait(0.05)
    assert time.monotonic() - began < 2
    assert worker.busy
    worker.cancel()
    assert worker.wait(5.0)


def test_a_cancelled_job_may_fail(worker):
    def work(job):
        job.cancelled.wait(10)
        raise ValueError

    worker.submit(work)
    worker.cancel()
    assert worker.wait(5.0)
    worker.submit(lambda _: None)
    assert worker.wait(5.0)


def test_close_ends_the_thread_whatever_it_does(worker):
    started, late = threading.Event(), []
    worker.submit(endless(started))
    worker.submit(late.append)
    assert started.wait(5)
    worker.close()
    assert not worker._thread.is_alive()
    assert worker.wait(0.0)
    assert not late
    with pytest.raises(RuntimeError, match="the widget was closed; make a new one"):
        worker.submit(late.append)
    worker.close()


def test_a_job_may_close_its_own_worker(worker):
    worker.submit(lambda _: worker.close())
    until(lambda: not worker._thread.is_alive())
    assert not worker.errors


def test_submitting_while_closing_never_leaves_a_job_behind(worker, monkeypatch):
    """Whoever closes just when a job goes into the queue gets in behind it."""
    put, closing = worker._queue.put, threading.Thread(target=worker.close)

    def overtaken(job):
        if job is not None:
            closing.start()
            time.sleep(0.1)
        put(job)

    monkeypatch.setattr(worker._queue, "put", overtaken)
    worker.submit(lambda _: None)
    closing.join()
    assert worker.wait(5.0)


# --- The outbox -------------------------------------------------------------------------------------------------------


@pytest.fixture
def box():
    sent = []
    must_poll = []
    box = Outbox(lambda *sending: sent.append(sending), lambda: Error("everything"), lambda: bool(must_poll))
    box.sent, box.must_poll = sent, must_poll
    return box


def polled(box):
    """What one poll brings: (message, buffers) pairs."""
    box.sent.clear()
    box.poll()
    ((batch, buffers),) = box.sent
    assert batch["type"] == "batch"
    assert len(batch["messages"]) == len(batch["n_buffers"])
    assert sum(batch["n_buffers"]) == len(buffers)
    rest = iter(buffers)
    return [(message, [next(rest) for _ in range(n)]) for message, n in zip(*list(batch.values())[1:], strict=True)]


EVERYTHING = ({"type": "error", "message": "everything"}, [])


def test_messages_are_pushed_at_once(box):
    box.post(Frames([1, 2]), [b"one", b"two"])
    assert box.sent == [({"type": "frames", "indices": [1, 2]}, [b"one", b"two"])]


def test_the_first_poll_turns_pushing_off_and_brings_everything(box):
    box.post(Error("pushed into the void"))
    assert polled(box) == [EVERYTHING]
    box.sent.clear()
    box.post(Frames([1, 2]), [b"one", b"two"])
    box.post(Error("kept"))
    box.post(Frames([3]), [b"three"])
    assert not box.sent
    assert polled(box) == [
        ({"type": "frames", "indices": [1, 2]}, [b"one", b"two"]),
        ({"type": "error", "message": "kept"}, []),
        ({"type": "frames", "indices": [3]}, [b"three"]),
    ]
    assert polled(box) == []


def test_pushing_again_sends_first_what_was_kept(box):
    box.poll()
    box.post(Error("kept"))
    box.sent.clear()
    box.push()
    box.post(Error("pushed"))
    assert [message["type"] for message, _ in box.sent] == ["batch", "error"]
    assert box.sent[0][0]["messages"] == [{"type": "error", "message": "kept"}]
    box.must_poll.append(True)
    box.poll()
    box.sent.clear()
    box.push()
    box.post(Error("kept"))
    assert not box.sent


def test_after_a_loss_everything_is_sent_again(box):
    box.polling = True
    for index in range(MAX_KEPT + 2):
        box.post(Frames([index]))
    brought = polled(box)
    assert [message.get("indices") for message, _ in brought] == [*([index] for index in range(2, MAX_KEPT + 2)), None]
    assert brought[-1] == EVERYTHING
    box.post(Frames([5]))
    assert polled(box) == [({"type": "frames", "indices": [5]}, [])]


def test_no_message_is_lost_or_doubled_between_threads(box):
    box.poll()
    box.sent.clear()
    posting = [threading.Thread(target=lambda: [box.post(Frames([i])) for i in range(200)]) for _ in range(3)]
    for thread in posting:
        thread.start()
    brought = []
    while any(thread.is_alive() for thread in posting):
        brought += polled(box)
    brought += polled(box)
    assert len(brought) == 600
