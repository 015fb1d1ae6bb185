"""A worker's freed memory stays with it, though Dask asks for the contrary."""

import os
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from threading import Thread
import torch
from lit_widget.simulation.bench.heap import keep_freed_memory

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
