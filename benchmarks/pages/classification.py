"""Blocks about live classification."""

from __future__ import annotations

from .text import interval, load, origin, table


def classification() -> str:
    """Corrections per group of live classification."""
    tables = load("classification")["tables"]
    found = {(row["strategy"], row["placement"]): row for row in tables["summary"]}
    shown = {
        "nothing learned (original)": found["original", "projection"],
        "control: the group's most frequent labels": found["frequent-labels", "projection"],
        "LIT-LoRA on the projection": found["lit-lora", "projection"],
        "LIT-LoRA on the residual": found["lit-lora", "residual"],
    }
    rows = [
        [
            name,
            f"{row['corrections']:.2f}",
            "–" if row["strategy"] == "original" else interval(row, "reduction_low", "reduction_high"),
        ]
        for name, row in shown.items()
    ]
    head = [
        "proposals",
        f"corrections per group, {tables['summary'][0]['groups']} groups",
        "fewer corrections",
    ]
    own = next(row for row in tables["control"] if row["placement"] == "projection")
    saved = f"{own['estimate']:.0f} % [{own['low']:.0f}, {own['high']:.0f}]"
    said = f"On the projection, against the control: {saved} fewer corrections. "
    said += f"The images' own order and {load('classification')['settings']['shuffles']} random. "
    return f"{table(head, rows)}\n\n{said}{origin('classification')}"


def classification_times() -> str:
    """How long a step of live classification takes with features as wide as ViT-B/32's."""
    rows = [
        [
            f"{row['step']}, {row['threads']} thread(s)",
            *(f"{row[key]:.1f}" for key in ("median_ms", "p90_ms", "processor_median_ms", "processor_p90_ms")),
        ]
        for row in load("classification")["tables"]["times"]
    ]
    head = ["step, 768 to 512 numbers, 200 classes", "median ms", "90 %", "of the processor, median ms", "90 %"]
    return f"{table(head, rows)}\n\n{origin('classification')}"


def classification_sweep() -> str:
    """What the sweep tried for live classification."""
    rows = [
        [row["varied"].replace("_", " "), f"{row[row['varied']]:g}", f"{row['reduction_pct']:.1f} %"]
        for row in load("classification-sweep")["tables"]["settings"]
    ]
    head = ["varied", "value", "fewer corrections"]
    return f"{table(head, rows)}\n\n{origin('classification-sweep')}"
