"""Blocks about where results come from, and what was done to break the package."""

from __future__ import annotations

from collections import Counter

from .text import RESULTS, load, origin, table


def provenance() -> str:
    """Every committed result: of what, by which code, where."""
    rows = []
    for path in sorted(RESULTS.glob("*.json")):
        result = load(path.stem)
        of, made = result["settings"], result["origin"]
        versions = ", ".join(f"{name} {each}" for name, each in made["versions"].items() if name != "machine")
        rows.append(
            [
                f"`{path.name}`",
                ", ".join("real sequences" if source == "data" else source for source in of["sources"]) or "–",
                "–" if of.get("tau") is None else f"{of['tau']:g}",
                f"{of.get('seed', 0)}",
                of.get("model", "–"),
                f"{made['commit']}, {made['date']}",
                f"{made['machine']}, {made['cores']} cores",
                versions,
            ]
        )
    return table(["file", "videos", "τ", "seed", "model", "commit, day", "machine", "versions"], rows)


def attacks() -> str:
    """What became of killed processes, changed session files and changed messages."""
    files, messages = load("session-kills"), load("message-fuzz")
    attacked = {
        "a process killed at a random moment": files["tables"]["kills"],
        "a session file with bytes changed": files["tables"]["mutations"],
        "a message with values changed": messages["tables"]["messages"],
    }
    rows = []
    for attack, outcomes in attacked.items():
        counted: Counter[str] = Counter()
        for row in outcomes:
            became = row["outcome"]
            short = "refused with a sentence" if became.startswith("refused") else became
            counted[short] += row.get("files") or row["messages"]
        rows += [[attack, became, f"{count:,}"] for became, count in counted.most_common()]
    return table(["what", "what became of it", "times"], rows) + "\n\n" + origin("session-kills", "message-fuzz")
