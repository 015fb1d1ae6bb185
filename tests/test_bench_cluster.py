"""Benchmarks on a Dask cluster: real scheduler and worker processes, some of which are killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from test_bench import Log, data, rows, serial, units  # noqa: F401 - fixtures

from lit_widget import cli
from lit_widget.simulation.bench import cluster
from lit_widget.simulation.bench.cluster import Seats, anywhere, connect
from lit_widget.simulation.bench.compute import Setup, pinned
from lit_widget.simulation.bench.store import UnitStore
from lit_widget.simulation.bench.watch import Watch
from lit_widget.simulation.bench.work import run_units
from lit_widget.simulation.datasets import absolute_source


def dask(*arguments):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *map(str, arguments)], stderr=subprocess.DEVNULL, env=environment
    )


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler of its own process, and its address."""
    file = tmp_path / "scheduler.json"
    process = dask("scheduler", "--host", "127.0.0.1", "--port", 0, "--no-dashboard", "--scheduler-file", file)
    while not file.exists() or not file.read_text():
        assert process.poll() is None
        time.sleep(0.05)
    yield process, json.loads(file.read_text())["address"]
    process.kill()
    process.wait()


@pytest.fixture
def worker(scheduler, tmp_path):
    """Starts workers, each without a nanny, so that its process is the one that computes."""
    _, address = scheduler
    started = []

    def start():
        folder = tmp_path / f"worker{len(started)}"
        options = ["--nthreads", 1, "--no-nanny", "--no-dashboard", "--local-directory", folder]
        started.append(dask("worker", address, *options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def client(scheduler):
    with connect(scheduler[1]) as made:
        yield made


def kill_whoever_works(client, times):
    """Kill that many workers, each as soon as it has a unit; returns the thread that does, and what it killed."""
    killed = []

    def kill():
        while len(killed) < times:
            busy = [each for each, tasks in client.processing().items() if tasks and each not in killed]
            for pid in client.run(os.getpid, workers=busy[:1], on_error="ignore").values() if busy else []:
                os.kill(pid, signal.SIGKILL)
                killed.append(busy[0])
            time.sleep(0.02)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread, killed


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_loses_and_doubles_nothing(units, serial, client, worker, tmp_path):  # noqa: F811
    """Nor does a worker with other versions, which would give other numbers."""
    log, out, counts = Log(), tmp_path / "out", []
    worker()
    worker()
    client.wait_for_workers(2)
    thread, killed = kill_whoever_works(client, 1)
    run_units(units, UnitStore(out), log, client=client, watch=Watch(workers=counts.append))
    thread.join()
    assert len(killed) == 1
    assert counts == [2, 1]
    assert not log.failed
    assert sorted(unit.key for unit in log.ran) == sorted(unit.key for unit in units)
    assert rows(out, units) == rows(serial, units)
    assert len(list(out.glob("units/*.json"))) == len(units)
    run_units(units, UnitStore(out), log, client=client)
    assert len(log.ran) == len(units)
    refusal = r"the worker tcp://.* cannot run units: it has torch .* instead of 0\.4\.1"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "environment", lambda: {"torch": "0.4.1"})
        with pytest.raises(ValueError, match=refusal):
            run_units(units, UnitStore(tmp_path / "other"), log, client=client)


@pytest.mark.slow
def test_a_unit_on_which_workers_keep_dying_has_failed(units, client, worker, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(cluster, "DEATHS", 2)
    log, store = Log(), UnitStore(tmp_path / "out")
    worker()
    worker()
    thread, killed = kill_whoever_works(client, 2)
    run_units(units[:1], store, log, client=client)
    thread.join()
    assert len(killed) == len(set(killed)) == 2
    assert log.failed == {units[0]: "2 workers died on it; perhaps memory did not suffice"}
    assert "2 workers died" in (store.folder / "failed" / f"{units[0].key}.txt").read_text()


@pytest.mark.slow
def test_the_command_goes_on_after_the_scheduler_is_gone(data, scheduler, worker, tmp_path, capfd):  # noqa: F811
    process, address = scheduler
    out = tmp_path / "out"
    options = ["bench", "main", "--data", str(data), "--strategies", "original,previous-mask", "--limit", "1", "--json"]
    worker()

    def kill():
        while not list(out.glob("units/*.json")):
            time.sleep(0.02)
        process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    assert cli.main([*options, "--out", str(out), "--scheduler", address]) == 1
    killer.join()
    said = capfd.readouterr()
    cut = json.loads(said.out)
    assert cut["stopped"] == "the Dask scheduler is gone"
    assert 1 <= cut["finished"] < cut["units"] == 4
    lines = [line for line in said.err.splitlines() if line and "unit/s" not in line and "s/unit" not in line]
    assert len(lines) == 1, said.err
    assert "were not run (the Dask scheduler is gone); the same command goes on" in lines[0]
    assert cli.main([*options, "--out", str(out)]) == 0
    whole = json.loads(capfd.readouterr().out)
    assert whole["complete"]
    assert len(whole["table"]) == 4
    assert [path.split(".")[-1] for path in whole["files"]] == ["csv", "png", "json", "parquet", "parquet"]


def test_what_is_refused_before_anything_runs(units, data, tmp_path, monkeypatch, capsys):  # noqa: F811
    monkeypatch.setattr(cluster, "CONNECT_S", 0.2)
    options = ["--data", str(data), "--out", str(tmp_path), "--scheduler", "tcp://127.0.0.1:9"]
    assert cli.main(["bench", "main", *options]) == 2
    assert "there is no Dask scheduler at 'tcp://127.0.0.1:9'" in capsys.readouterr().err
    with pytest.raises(ValueError, match="processes of this machine or on a Dask cluster"):
        run_units(units, UnitStore(tmp_path), Log(), workers=2, client=object())


def test_workers_of_a_machine_take_its_gpus_in_turn():
    seats = Seats()
    here, there = [f"tcp://10.0.0.1:{port}" for port in (40, 41, 42)], "tcp://10.0.0.2:40"
    assert [seats.take(each) for each in (*here, there, here[1])] == [0, 1, 2, 0, 1]
    seats.free(here[1])
    assert [seats.take(f"tcp://10.0.0.1:{port}") for port in (50, 51)] == [1, 3]
    assert [pinned({"name": "pocket", "device": None}, seat, 2)["device"] for seat in range(4)] == [
        *("cuda:0", "cuda:1", "cuda:0", "cuda:1")
    ]
    for model, seat, n_devices in (({"device": "cuda:1"}, 0, 2), ({"device": "cpu"}, 1, 2), ({}, 1, 0), ({}, None, 2)):
        assert pinned(model, seat, n_devices) == model


def test_a_setup_is_found_from_other_folders(units, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.pt").touch()
    assert absolute_source("data/lab") == f"{tmp_path}/data/lab"
    assert absolute_source("sav/test:data") == f"sav/test:{tmp_path}/data"
    assert absolute_source("embedded:easy:0-2") == "embedded:easy:0-2"
    moved = anywhere(Setup({"weights": "own.pt", "config": None, "name": "pocket"}), units)
    assert moved.model == {"weights": f"{tmp_path}/own.pt", "config": None, "name": "pocket"}
    assert moved.places == {unit.source: unit.source for unit in units}
