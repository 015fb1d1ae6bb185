"""Ctrl-C during a benchmark, sent as a terminal sends it: to the command and all its processes."""

import os
import signal
import subprocess
import threading
import time

import pytest
from test_bench import bench, data  # noqa: F401 - a fixture


@pytest.mark.slow
def test_ctrl_c_lets_the_unit_under_way_end(data, tmp_path):  # noqa: F811
    options = ("main", "--data", data, "--strategies", "original,previous-mask", "--out", tmp_path)
    status, said = interrupted(bench(*options), lambda said: "previous-mask" in said, times=1)  # the second unit
    done = len(list(tmp_path.glob("units/*.json")))
    assert status == 130, said
    assert "\ninterrupted: the unit under way ends first; press Ctrl-C again to stop now\n" in said
    assert f"{done} of 8 units are finished, 0 failed, {8 - done} were not run (interrupted)" in said
    assert 2 <= done < 8
    assert "Traceback" not in said
    again = subprocess.run(bench(*options), capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert f" {done}/8 [" in again.stderr  # the bar begins where it was
    assert " 0/8 [" not in again.stderr
    assert "100%|" in again.stderr
    assert " · object 1 · previous-mask: " in again.stderr
    assert again.stderr.endswith("8 of 8 units finished\n")


@pytest.mark.slow
def test_ctrl_c_pressed_twice_ends_all_processes_at_once(data, tmp_path):  # noqa: F811
    command = bench("main", "--data", data, "--strategies", "original", "--workers", 2, "--out", tmp_path)
    status, said = interrupted(command, lambda said: "object 1" in said, times=2)
    assert status == 130, said
    assert "0 of 4 units are finished, 0 failed" in said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("failed/*"))


def interrupted(command, when, times):
    """Run a command and press Ctrl-C as soon as what it said and did is so; its exit status and what it said."""
    said = []
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    reader = threading.Thread(target=lambda: said.extend(iter(process.stderr.read1, b"")))
    reader.start()
    while not when(b"".join(said).decode(errors="replace")):
        assert process.poll() is None, b"".join(said).decode()
        time.sleep(0.02)
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.2)
    process.wait(60)
    reader.join()
    return process.returncode, b"".join(said).decode()
