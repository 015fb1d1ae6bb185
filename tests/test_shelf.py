"""Tensors put aside: what comes back, what stays in memory, and what happens when neither memory nor disk is left."""

import errno
import gc
import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_widget.core.shelf import Memo, Shelf

KB = 1024


def numbered(n, size=KB):
    return torch.full((size // 4,), float(n))


def in_memory(shelved):
    return shelved._book.tensor is not None


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.bool, torch.int64, torch.float16])
@pytest.mark.parametrize("shape", [(), (3,), (2, 0, 3), (1, 5, 7)])
def test_what_comes_back_from_the_file_is_what_was_put(dtype, shape):
    shelf = Shelf(0)
    tensor = (torch.randn(shape) * 4).to(dtype)
    shelved = shelf.put(tensor)
    shelf.put(numbered(0))
    shelf.clear_memory()
    back = shelved.tensor
    assert back.dtype == dtype
    assert back.shape == tensor.shape
    assert back.equal(tensor)


def test_what_was_used_last_stays_in_memory():
    shelf = Shelf(3 * KB)
    kept = [shelf.put(numbered(n)) for n in range(3)]
    assert kept[0].tensor[0] == 0
    more = shelf.put(numbered(3))
    assert [in_memory(each) for each in (*kept, more)] == [True, False, True, True]
    assert shelf.used_bytes == 3 * KB
    assert shelf.file_bytes == KB


def test_a_tensor_in_memory_is_the_very_same():
    shelf = Shelf()
    tensor = numbered(1)
    assert shelf.put(tensor).tensor is tensor


def test_what_was_read_back_is_not_written_again():
    shelf = Shelf(KB)
    first, second = shelf.put(numbered(1)), shelf.put(numbered(2))
    for _ in range(5):
        assert first.tensor[0] == 1
        assert second.tensor[0] == 2
    assert shelf.file_bytes == 2 * KB


def test_places_of_what_is_gone_are_used_again():
    shelf = Shelf(KB)
    for n in range(50):
        kept = [shelf.put(numbered(n)) for _ in range(4)]
        del kept
    gc.collect()
    assert shelf.file_bytes <= 8 * KB


def test_the_file_goes_with_the_last_that_lies_in_it():
    shelf = Shelf(KB)
    kept = [shelf.put(numbered(n)) for n in range(4)]
    assert shelf.file_bytes == 3 * KB
    kept.clear()
    shelf.clear_memory()
    assert shelf.file_bytes == 0
    again = [shelf.put(numbered(n)) for n in range(3)]
    assert [float(each.tensor[0]) for each in again] == [0, 1, 2]


def test_a_part_does_not_keep_the_whole():
    whole = torch.randn(100, 256)
    shelf = Shelf()
    part = shelf.put(whole[3:4])
    assert part.tensor.untyped_storage().nbytes() == KB
    assert part.tensor.equal(whole[3:4])


@pytest.mark.parametrize("shelf", [None, Shelf(1)])
def test_a_memo_is_made_once(shelf):
    memo, made = Memo(shelf), []

    def make():
        made.append(1)
        return numbered(7)

    for _ in range(3):
        assert memo.get(make)[0] == 7
        if shelf:
            shelf.clear_memory()
    assert len(made) == 1


def test_a_full_disk_keeps_all_in_memory_and_says_so_once(monkeypatch):
    class Full:
        def seek(self, place): ...
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())
    shelf = Shelf(KB)
    with pytest.warns(UserWarning, match=r"No space left.*TMPDIR") as told:
        kept = [shelf.put(numbered(n)) for n in range(6)]
    assert len(told) == 1
    assert [float(each.tensor[0]) for each in kept] == [0, 1, 2, 3, 4, 5]
    assert shelf.used_bytes == 6 * KB


def test_a_machine_without_memory_halves_it():
    shelf = Shelf(4 * KB)
    kept = [shelf.put(numbered(n)) for n in range(4)]
    shelf.halve()
    assert shelf.used_bytes == 0
    assert [float(each.tensor[0]) for each in kept] == [0, 1, 2, 3]
    assert shelf.used_bytes == 2 * KB


def test_threads_share_it():
    shelf = Shelf(8 * KB)
    kept = [shelf.put(numbered(n)) for n in range(32)]
    wrong = []

    def read(seed):
        order = torch.randperm(32, generator=torch.Generator().manual_seed(seed)).tolist()
        for n in order * 20:
            if not kept[n].tensor.equal(numbered(n)):
                wrong.append(n)
            shelf.put(numbered(-1))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert shelf.used_bytes <= 8 * KB


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.lists(st.tuples(st.sampled_from(["put", "get", "drop", "clear"]), st.integers(0, 9))))
def test_memory_stays_within_its_bound_whatever_is_done(most, deeds):
    shelf, kept = Shelf(most * KB), {}
    for number, (deed, n) in enumerate(deeds):
        if deed == "put":
            kept[n] = number, shelf.put(numbered(number))
        elif deed == "get" and n in kept:
            value, shelved = kept[n]
            assert shelved.tensor.equal(numbered(value))
        elif deed == "drop":
            kept.pop(n, None)
        elif deed == "clear":
            shelf.clear_memory()
        assert shelf.used_bytes <= most * KB
    assert shelf.file_bytes <= (len(deeds) + 1) * KB
