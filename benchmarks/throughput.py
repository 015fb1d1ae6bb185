"""How many units of a benchmark one and two workers of a Dask cluster finish, in turns, each process warm.

python -m benchmarks.throughput --json benchmarks/results/throughput.json
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import pandas as pd
from distributed import Client, LocalCluster

from benchmarks.result import write_result
from lit_widget.simulation.bench.store import UnitStore
from lit_widget.simulation.bench.units import Arm, Unit, list_units
from lit_widget.simulation.bench.work import run_units
from lit_widget.simulation.datasets import open_sources

CLIPS = 6
"""Units of a round: enough that its end, where one worker waits for the other, counts little."""


def source(number: int) -> str:
    """Clips of which no worker has encoded a frame."""
    return f"embedded:easy:{CLIPS * number}-{CLIPS * number + CLIPS - 1}"


def units(number: int) -> list[Unit]:
    """One for each clip."""
    return list_units([(source(number), open_sources([source(number)]))], [Arm("original")], [0], "pocket")


def seconds(client: Client, number: int) -> tuple[float, float]:
    """Wall-clock seconds of a round, and CPU seconds of all workers, which other programs change less."""
    with tempfile.TemporaryDirectory() as folder:
        todo, failed = units(number), []
        spent, began = sum(client.run(time.process_time).values()), time.perf_counter()
        run_units(todo, UnitStore(folder), lambda unit, why: failed.append(unit) if why else None, client=client)
        assert not failed
        return time.perf_counter() - began, sum(client.run(time.process_time).values()) - spent


def main() -> None:
    """One row per number of workers and round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows, load = [], os.getloadavg()[0]
    clusters = {n: LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address=None) for n in (1, 2)}
    clients = {n: Client(cluster, set_as_default=False) for n, cluster in clusters.items()}
    try:
        for client in clients.values():
            seconds(client, 0)
        for number in range(1, arguments.rounds + 1):
            for n, client in clients.items():
                taken, spent = seconds(client, number)
                row = {
                    "workers": n,
                    "round": number,
                    "units_per_min": 60 * CLIPS / taken,
                    "cpu_s_per_unit": spent / CLIPS,
                }
                rows.append(row)
                print(*(f"{name} {value:.3g}" for name, value in row.items()), flush=True)
    finally:
        for each in (*clients.values(), *clusters.values()):
            each.close()
    table = pd.DataFrame(rows)
    means = table.groupby("workers")["units_per_min"].sum()
    print(f"{means[2] / means[1]:.2f} times as many with two workers; the load of the machine was {load:.1f} before")
    if arguments.json:
        settings = {
            "sources": [source(i + 1) for i in range(arguments.rounds)],
            "model": "pocket",
            "load": round(load, 1),
        }
        write_result(arguments.json, "throughput", settings, {"rounds": table})


if __name__ == "__main__":
    main()
