"""Write the committed results into README.md, the documentation and the model card, between their markers.

python -m benchmarks.publish [--check]
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema

from benchmarks.paper import ABLATION
from benchmarks.result import RESULT_SCHEMA

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
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
PROPOSES = {
    "original": "nothing",
    "token-0": "nothing learned: the frozen decoder's single-mask token",
    "previous-mask": "nothing learned: a copy of the previous mask",
    "close-up": "nothing learned: the frozen decoder on a close-up",
    "lit-lora": "the adapter, as in the paper",
    "lit-plus": "the adapter, on a close-up as well",
}
"""What each compared strategy proposes at an error; the paper's ablations have a table of their own."""
COMPARED = tuple(PROPOSES)


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


def comparison(*names: str) -> str:
    """The strategies side by side, one block of rows per result."""
    rows = []
    for name in names:
        result = load(name)
        for each in result["tables"]["summary"]:
            if each["strategy"] not in COMPARED:
                continue
            first = each["strategy"] == result["settings"]["strategies"][0]
            rows.append(
                [
                    f"{place(result)}, {pairs(result)} pairs" if first else "",
                    each["strategy"],
                    f"{each['corrections']:.2f}",
                    f"{each['clicks']:.1f}",
                    f"{each['masks']:.1f}",
                    f"{each['annotation_s']:.0f}",
                    f"{each['j_mean']:.3f}",
                    "–" if first else interval(each, "reduction_low", "reduction_high"),
                ]
            )
    head = ["videos", "strategy", "corrections", "clicks", "masks", "annotation s", "J", "fewer corrections"]
    said = [*map(control, names), *(line for name in names for line in beyond(name)), *map(final_masks, names)]
    return "\n".join([table(head, rows), "", *said, "", origin(*names)])


def headline(*names: str) -> str:
    """What the README shows: corrections and quality by strategy, and what of it is learning."""
    rows = [[strategy, proposes] for strategy, proposes in PROPOSES.items()]
    head = ["strategy", "proposes at an error"]
    for name in names:
        result = load(name)
        summary = {row["strategy"]: row for row in result["tables"]["summary"]}
        head += [f"{sources(result)}, {pairs(result)} pairs: corrections", "fewer", "J"]
        for row in rows:
            each = summary[row[0]]
            fewer = "–" if row[0] == "original" else interval(each, "reduction_low", "reduction_high")
            row += [f"{each['corrections']:.2f}", fewer, f"{each['j_mean']:.3f}"]
    return "\n".join([table(head, rows), "", *map(control, names), "", origin(*names)])


def ablation(name: str) -> str:
    """The paper's ablations, as published and as measured here."""
    measured = {row["strategy"]: row for row in load(name)["tables"]["summary"]}
    pairs = measured["original"]["pairs"]
    rows = [
        [
            strategy,
            f"{published:.2f}",
            f"{measured[strategy]['corrections']:.2f}",
            "–" if strategy == "original" else interval(measured[strategy], "reduction_low", "reduction_high"),
            f"{measured[strategy]['annotation_s']:.0f}",
        ]
        for strategy, published in ABLATION.items()
    ]
    head = ["strategy", "paper, VOST", f"here, {pairs} embedded pairs", "fewer corrections", "annotation s"]
    return f"{table(head, rows)}\n\n{origin(name)}"


def place(result: dict[str, Any]) -> str:
    """Which videos and threshold a result is of, in words."""
    return f"{sources(result)} videos, τ {result['settings']['tau']}"


def sources(result: dict[str, Any]) -> str:
    """Whether a result is of embedded or of real videos."""
    return "embedded" if result["settings"]["sources"][0].startswith("embedded") else "real"


def pairs(result: dict[str, Any]) -> int:
    """How many (video, object) pairs a comparison is of."""
    return result["tables"]["summary"][0]["pairs"]


def control(name: str) -> str:
    """LIT-LoRA against the better learning-free control, in a sentence."""
    result = load(name)
    better = next(row for row in result["tables"]["controls"] if row["better"])
    said = interval(better, "low", "high")
    both = " and ".join(row["control"] for row in result["tables"]["controls"])
    return f"- LIT-LoRA against the better of {both} ({better['control']}), {place(result)}: {said} fewer corrections."


def beyond(name: str) -> list[str]:
    """LIT-plus against LIT-LoRA and its own learning-free part, in a sentence, where it was measured."""
    result = load(name)
    rows = result["tables"].get("beyond", [])
    said = " and ".join(f"{interval(row, 'low', 'high')} fewer corrections than {row['against']}" for row in rows)
    return [f"- LIT-plus, {place(result)}: {said}; a minus means more."] if rows else []


def final_masks(name: str) -> str:
    """What fewer corrections cost in quality, in a sentence."""
    tables = load(name)["tables"]
    j = {row["strategy"]: row["j_mean"] for row in tables["summary"]}
    (base, own) = tables["corrected_in_both"]
    return (
        f"- Final masks, {place(load(name))}: J {j['lit-lora']:.3f} with LIT-LoRA, {j[base['strategy']]:.3f} with the "
        f"frozen tracker. On the {base['frames']} frames corrected in both {own['iou']:.3f} and {base['iou']:.3f}, "
        f"of which painted, and so counted as perfect, {own['painted_pct']:.0f} % and {base['painted_pct']:.0f} %."
    )


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


def rates() -> str:
    """The sweep that chose the learning rate."""
    rows = [
        [f"{r['learning_rate']:g}", f"{r['corrections']:.2f}", f"{r['accepted']:.2f}"]
        for r in load("learning-rate")["tables"]["rates"]
    ]
    head = ["learning rate", "corrections", "accepted proposals"]
    return f"{table(head, rows)}\n\n{origin('learning-rate')}"


def update_time() -> str:
    """How long an update takes, in a sentence."""
    said = " and ".join(
        f"{row['median_s']:.2f} s [{row['p10_s']:.2f}, {row['p90_s']:.2f}] where torch has {row['threads']} thread(s)"
        for row in load("update-time")["tables"]["times"]
    )
    return f"One update, all 40 epochs: {said} (median, 10th and 90th percentile). {origin('update-time')}"


def gpu() -> str:
    """Updates and tracking on a GPU, beside what would be run otherwise."""
    result = load("gpu")
    rows = [
        [row["task"], row["how"], *(f"{1000 * row[key]:.1f}" for key in ("median_s", "p10_s", "p90_s"))]
        for row in result["tables"]["times"]
    ]
    head = ["task", "how", "median ms", "10 %", "90 %"]
    where = f"{result['settings']['model']} with random weights on one {result['settings']['device']}"
    return f"{where}:\n\n{table(head, rows)}\n\n{origin('gpu')}"


def view_speed() -> str:
    """How fast the view paints."""
    rows = [
        [
            row["video"],
            f"{row['playback_fps']:.0f}",
            f"{row['scrub_fps']:.0f}",
            f"{row['message_to_paint_median_ms']:.0f} ({row['message_to_paint_p95_ms']:.0f})",
            f"{row['mask_median_bytes']:,} ({row['mask_p95_bytes']:,})",
        ]
        for row in load("view-speed")["tables"]["view"]
    ]
    head = [
        "video",
        "playback, frames/s",
        "scrubbing, frames/s",
        "mask message to paint, ms (95 %)",
        "bytes of a mask (95 %)",
    ]
    return f"{table(head, rows)}\n\n{origin('view-speed')}"


def horizon(*names: str) -> str:
    """How far ahead one correction helps."""
    rows = []
    for name in names:
        result = load(name)
        for each in result["tables"]["reach"]:
            rescued = each["rescued_pct"]
            rows.append(
                [
                    place(result),
                    each["strategy"],
                    f"+{each['ahead']}",
                    f"{each['tracked']:.3f}",
                    f"{each['proposed']:.3f}",
                    f"{each['gain']:+.3f} [{each['low']:+.3f}, {each['high']:+.3f}]",
                    f"{each['errors']}",
                    "–" if rescued is None else f"{rescued:.0f} %",
                ]
            )
    head = ["videos", "strategy", "frames ahead", "IoU tracked", "proposed", "gain", "errors", "met by a proposal"]
    return f"{table(head, rows)}\n\n{origin(*names)}"


def transfer(name: str) -> str:
    """What an adapter saved after one clip brings to the next."""
    rows = [
        [each["adapter"], f"{each['corrections']:.2f}", interval(each, "low", "high")]
        for each in load(name)["tables"]["compared"]
    ]
    head = ["adapter", "corrections", "fewer than with a fresh one"]
    return f"{table(head, rows)}\n\n{origin(name)}"


def by_video(*names: str) -> str:
    """Mean corrections by kind of clip, or by real sequence, and strategy."""
    rows = []
    for name in names:
        result = load(name)
        for each in result["tables"]["groups"]:
            values = [each.get(strategy) for strategy in COMPARED]
            rows.append([place(result), each["group"], *("–" if v is None else f"{v:.2f}" for v in values)])
    return f"{table(['videos', 'kind or sequence', *COMPARED], rows)}\n\n{origin(*names)}"


def session_file() -> str:
    """What keeping a session costs, in a sentence."""
    result = load("session-file")
    (row,), of = result["tables"]["costs"], result["settings"]
    height, width = of["size"]
    return (
        f"{of['frames']:,} frames of {width} × {height} pixels, {of['objects']} objects and {of['corrections']} "
        f"corrections: opening takes {row['open_s']:.2f} s, keeping one event {row['autosave_ms']:.2f} ms; the file "
        f"has {row['megabytes']:.0f} MB, {row['size_by_masks']:.1f} times its masks. {origin('session-file')}"
    )


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


def classification() -> str:
    """Corrections per group of live classification."""
    tables = load("classification")["tables"]
    rows = [
        [
            row["placement"] if row["strategy"] == "lit-lora" else "",
            row["strategy"],
            f"{row['corrections']:.2f}",
            "–" if row["strategy"] == "original" else interval(row, "reduction_low", "reduction_high"),
        ]
        for row in tables["summary"]
        if row["strategy"] == "lit-lora" or row["placement"] == "projection"
    ]
    head = [
        "placement",
        "strategy",
        f"corrections per group, {tables['summary'][0]['groups']} groups",
        "fewer corrections",
    ]
    own = next(row for row in tables["control"] if row["placement"] == "projection")
    said = f"Against the control: {own['estimate']:.0f} % [{own['low']:.0f}, {own['high']:.0f}] fewer corrections. "
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
    "gpu": gpu,
    "view": view_speed,
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
