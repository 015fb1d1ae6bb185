"""Write the committed results into README.md, the documentation and the model card, between their markers.

python -m benchmarks.publish [--check]
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable

from benchmarks.pages.classification import classification, classification_sweep, classification_times
from benchmarks.pages.learning import ablation, by_video, comparison, headline, horizon, rates, transfer
from benchmarks.pages.models import monitoring, tracking
from benchmarks.pages.speed import (
    cpu_tracking,
    cpu_update,
    first_contact,
    gpu,
    long_memory,
    long_video,
    mask_bytes,
    session_file,
    throughput,
    update_time,
    view_speed,
)
from benchmarks.pages.text import ROOT
from benchmarks.pages.trust import attacks, provenance

PAGES = (
    ROOT / "README.md",
    ROOT / "docs" / "results.md",
    ROOT / "docs" / "strategies.md",
    ROOT / "docs" / "monitoring.md",
    ROOT / "docs" / "performance.md",
    ROOT / "docs" / "classification.md",
    ROOT / "docs" / "security.md",
    ROOT / "lit_widget" / "video" / "pocket" / "MODEL_CARD.md",
)

BLOCKS: dict[str, Callable[[], str]] = {
    "headline": lambda: headline("compare-embedded-0.5", "compare-real-0.5"),
    "comparison": lambda: comparison("compare-embedded-0.5", "compare-embedded-0.75", "compare-real-0.5"),
    "by-video": lambda: by_video("compare-embedded-0.5", "compare-embedded-0.75", "compare-real-0.5"),
    "provenance": provenance,
    "session": session_file,
    "ablation": lambda: ablation("compare-embedded-0.5"),
    "horizon": lambda: horizon("horizon-embedded", "horizon-real"),
    "transfer": lambda: transfer("transfer-embedded"),
    "monitoring": lambda: monitoring("monitoring-embedded", "monitoring-real"),
    "tracking": tracking,
    "rates": rates,
    "update": update_time,
    "cpu-update": cpu_update,
    "cpu-tracking": cpu_tracking,
    "gpu": gpu,
    "view": view_speed,
    "mask-bytes": mask_bytes,
    "long-video": long_video,
    "long-memory": long_memory,
    "first-contact": first_contact,
    "throughput": throughput,
    "classification": classification,
    "classification-times": classification_times,
    "classification-sweep": classification_sweep,
    "attacks": attacks,
}


def filled(text: str) -> str:
    """A page with every `<!-- result: NAME -->` block written anew."""

    def block(match: re.Match[str]) -> str:
        return f"{match[1]}\n{BLOCKS[match[2]]()}\n{match[3]}"

    return re.sub(r"(<!-- result: ([\w-]+) -->)\n.*?(<!-- end -->)", block, text, flags=re.DOTALL)


def main() -> int:
    """Write the pages, or with `--check` say which are stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = [page for page in PAGES if filled(page.read_text()) != page.read_text()]
    for page in stale:
        if check:
            print(f"{page.relative_to(ROOT)} is stale: run python -m benchmarks.publish", file=sys.stderr)
        else:
            page.write_text(filled(page.read_text()))
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
