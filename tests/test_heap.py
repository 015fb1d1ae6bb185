"""Freed memory: a worker's stays with it, though Dask asks for the contrary; a widget's goes back to the system."""

import os
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from threading import Thread
import torch
from lit_widget.core.heap import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        torch.ones(1 << 18)  # freed at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def measure():
    given_back = faults()
    assert keep_freed_memory()
    torch.ones(1 << 18)
    print(given_back, faults())

thread = Thread(target=measure)  # as Dask's tasks
thread.start()
thread.join()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the GNU C library is Linux's")
def test_freed_memory_is_taken_again():
    env = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536"}  # as Dask starts its workers
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], check=False, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    given_back, kept = map(int, done.stdout.split())
    assert given_back > 20_000
    assert kept < 2_000


GAPS = """
import resource
from lit_widget.core.heap import give_back_freed_memory

def now():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20

blocks = [bytearray(b"x") * 8192 for _ in range(20_000)]
del blocks[:-1]
before = now()
assert give_back_freed_memory()
print(before - now())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the GNU C library is Linux's")
def test_gaps_are_given_back():
    done = subprocess.run([sys.executable, "-c", GAPS], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 100
