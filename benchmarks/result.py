"""What every committed result holds: where it comes from, the rows, and the check that both are there."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd

from lit_widget.simulation.datasets import Sequence, open_sources
from lit_widget.simulation.runner import environment

RESULT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["benchmark", "settings", "origin", "tables"],
    "additionalProperties": False,
    "properties": {
        "benchmark": {"type": "string"},
        "settings": {"type": "object"},
        "origin": {
            "type": "object",
            "required": ["commit", "date", "machine", "cores", "versions"],
            "properties": {
                "commit": {"type": "string", "pattern": "^[0-9a-f]{7,40}(-dirty)?$"},
                "date": {"type": "string"},
                "machine": {"type": "string"},
                "cores": {"type": "integer"},
                "versions": {"type": "object"},
            },
        },
        "tables": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": "object"}},
        },
    },
}
"""JSON schema of the files in `benchmarks/results`."""


def open_benchmark_sources(specs: list[str], exclude: str) -> list[Sequence]:
    """Open sources and leave out those whose name contains one of the comma-separated words of `exclude`."""
    words = [word for word in exclude.split(",") if word]
    return [each for each in open_sources(specs) if not any(word in each.name for word in words)]


def write_result(path: Path, benchmark: str, settings: dict[str, Any], tables: dict[str, pd.DataFrame]) -> None:
    """Check and write a result with its origin.

    Paths among the sources are shortened to their last part: a result names data, not a machine.
    """
    settings = {**settings, "sources": [_short(source) for source in settings["sources"]]}
    result = {
        "benchmark": benchmark,
        "settings": settings,
        "origin": {
            "commit": _commit(),
            "date": datetime.now(UTC).date().isoformat(),
            "machine": _processor(),
            "cores": os.cpu_count(),
            "versions": environment(),
        },
        "tables": {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()},
    }
    jsonschema.validate(result, RESULT_SCHEMA)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


def _short(source: str) -> str:
    return source if source.startswith("embedded:") else Path(source).resolve().name


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603

    dirty = git("status", "--porcelain", "--untracked-files=no", "--", "lit_widget")
    return git("rev-parse", "--short", "HEAD") + ("-dirty" if dirty else "")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
