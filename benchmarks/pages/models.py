"""Blocks about the models alone: how well they track, and know how well they do."""

from __future__ import annotations

from .text import load, origin, sources, table


def tracking() -> str:
    """Tracking quality by kind and on real sequences."""
    rows = []
    for name, title in (("tracking-embedded", "all kinds"), ("tracking-real", "real sequences")):
        groups = load(name)["tables"]["groups"]
        pairs = load(name)["tables"]["pairs"]
        rows += [[g["group"], f"{g['j']:.3f}", f"{g['f']:.3f}", f"{g['j_and_f']:.3f}"] for g in groups]
        mean = [sum(g[key] for g in groups) / len(groups) for key in ("j", "f", "j_and_f")]
        rows.append([f"**{title}** (mean of the above; {len(pairs)} pairs)", *(f"**{value:.3f}**" for value in mean)])
    return f"{table(['clips', 'J', 'F', 'J&F'], rows)}\n\n{origin('tracking-embedded', 'tracking-real')}"


def monitoring(*names: str) -> str:
    """What predicted IoU and the learned estimate of quality know, each at the threshold that suits it best."""
    rows = []
    for name in names:
        result = load(name)
        for each in result["tables"]["comparison"]:
            verdicts = each["verdicts"]
            way = each["way"] if verdicts is None else f"{each['way']}, {verdicts:.0f} verdicts"
            rows.append(
                [
                    f"{sources(result)}, τ {each['tau']}",
                    way,
                    each["monitor"],
                    f"{each['plain']:.3f}",
                    f"{each['best_accuracy']:.3f}",
                    f"{each['auroc']:.3f}",
                    f"{100 * each['fnr_at_fpr_0.1']:.0f} %",
                ]
            )
    head = ["videos", "way", "monitor", "all right", "best accuracy", "AUROC", "false alarms"]
    return f"{table(head, rows)}\n\n{origin(*names)}"
