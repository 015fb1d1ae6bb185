"""Committed results, and how pages write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

from benchmarks.result import RESULT_SCHEMA

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"


def load(name: str) -> dict[str, Any]:
    """A committed result, checked."""
    result = json.loads((RESULTS / f"{name}.json").read_text())
    jsonschema.validate(result, RESULT_SCHEMA)
    return result


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def origin(*names: str) -> str:
    """Where results come from, in one sentence."""
    found = {(o["commit"], o["date"], o["machine"]) for o in (load(name)["origin"] for name in names)}
    said = "; ".join(f"commit {commit}, {date}, {machine}" for commit, date, machine in sorted(found))
    return f"Measured: {said}."


def interval(row: dict[str, Any], low: str, high: str) -> str:
    """A percentage with its interval."""
    return f"{row['reduction_pct']:.0f} % [{row[low]:.0f}, {row[high]:.0f}]"


def place(result: dict[str, Any]) -> str:
    """Which videos and threshold a result is of, in words."""
    return f"{sources(result)} videos, τ {result['settings']['tau']}"


def sources(result: dict[str, Any]) -> str:
    """Whether a result is of embedded or of real videos."""
    return "embedded" if result["settings"]["sources"][0].startswith("embedded") else "real"
