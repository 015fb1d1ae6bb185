"""Blocks about what learning saves, and what it costs in quality."""

from __future__ import annotations

from benchmarks.paper import ABLATION

from .text import interval, load, origin, place, sources, table

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


def headline(*names: str) -> str:
    """What the README shows: corrections and quality by strategy, and what of it is learning."""
    rows = [[strategy, proposes] for strategy, proposes in PROPOSES.items()]
    head = ["strategy", "proposes at an error"]
    for name in names:
        result = load(name)
        summary = {row["strategy"]: row for row in result["tables"]["summary"]}
        head += [f"{sources(result)}, {summary['original']['pairs']} pairs: corrections", "fewer", "J"]
        for row in rows:
            each = summary[row[0]]
            fewer = "–" if row[0] == "original" else interval(each, "reduction_low", "reduction_high")
            row += [f"{each['corrections']:.2f}", fewer, f"{each['j_mean']:.3f}"]
    return "\n".join([table(head, rows), "", *map(control, names), "", origin(*names)])


def comparison(*names: str) -> str:
    """The strategies side by side, one block of rows per result."""
    rows = []
    for name in names:
        result = load(name)
        pairs = result["tables"]["summary"][0]["pairs"]
        for each in result["tables"]["summary"]:
            if each["strategy"] not in COMPARED:
                continue
            first = each["strategy"] == result["settings"]["strategies"][0]
            rows.append(
                [
                    f"{place(result)}, {pairs} pairs" if first else "",
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


def by_video(*names: str) -> str:
    """Mean corrections by kind of clip, or by real sequence, and strategy."""
    rows = []
    for name in names:
        result = load(name)
        for each in result["tables"]["groups"]:
            values = [each.get(strategy) for strategy in COMPARED]
            rows.append([place(result), each["group"], *("–" if v is None else f"{v:.2f}" for v in values)])
    return f"{table(['videos', 'kind or sequence', *COMPARED], rows)}\n\n{origin(*names)}"


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


def rates() -> str:
    """The sweep that chose the learning rate."""
    rows = [
        [f"{r['learning_rate']:g}", f"{r['corrections']:.2f}", f"{r['accepted']:.2f}"]
        for r in load("learning-rate")["tables"]["rates"]
    ]
    head = ["learning rate", "corrections", "accepted proposals"]
    return f"{table(head, rows)}\n\n{origin('learning-rate')}"


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
