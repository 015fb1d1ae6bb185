"""Blocks about speed, memory and size."""

from __future__ import annotations

import pandas as pd

from .text import load, origin, table


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


def cpu_update() -> str:
    """A whole update on a CPU beside the plain trainer, and what the CPU could do."""
    result = load("cpu-update")
    rows = [
        [
            row["how"],
            f"{row['median_s']:.1f} [{row['p10_s']:.1f}, {row['p90_s']:.1f}]",
            f"{row['ratio']:.2f} [{row['ratio_p10']:.2f}, {row['ratio_p90']:.2f}]",
            f"{row['gflop']:.1f}",
            f"{row['gbyte']:.1f}",
            f"{row['arithmetic_s']:.1f}",
            f"{row['memory_s']:.1f}",
        ]
        for row in result["tables"]["times"]
    ]
    head = ["how", "seconds", "times as fast", "GFLOP a step", "GB a step", "arithmetic alone, s", "memory alone, s"]
    of = result["settings"]
    where = f"{of['model']}, {of['epochs']} steps, {of['threads']} threads, {of['pairs']} updates of each in turns"
    return f"{where}:\n\n{table(head, rows)}\n\n{origin('cpu-update')}"


def cpu_tracking() -> str:
    """Tracking on a CPU beside the package's predictor."""
    result = load("cpu-tracking")
    frames = pd.DataFrame(result["tables"]["frames"])
    rows = [
        [
            f"{n}",
            f"{when}",
            f"{group['predictor_s'].median():.1f}",
            f"{group['ours_s'].median():.1f}",
            f"{group['ratio'].median():.2f} [{group['ratio'].min():.2f}, {group['ratio'].max():.2f}]",
            f"{group['least_iou'].min():.3f}",
        ]
        for (n, when), group in frames.groupby(["objects", "pass"], sort=False)
    ]
    head = ["objects", "pass", "predictor, s per frame", "lit-widget", "times as fast", "least IoU"]
    of = result["settings"]
    where = f"{of['model']} with random weights, {of['threads']} threads, {of['prompted']} memories"
    return f"{where}:\n\n{table(head, rows)}\n\n{origin('cpu-tracking')}"


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


def session_file() -> str:
    """What keeping a session costs, in a sentence."""
    result = load("session-file")
    (row,), of = result["tables"]["costs"], result["settings"]
    height, width = of["size"]
    return (
        f"{of['frames']:,} frames of {width} × {height} pixels, {of['objects']} objects and {of['corrections']} "
        f"corrections: opening takes {row['open_s']:.2f} s, a save {row['autosave_ms']:.2f} ms; the file "
        f"has {row['megabytes']:.0f} MB, {row['size_by_masks']:.1f} times its masks. {origin('session-file')}"
    )


def mask_bytes() -> str:
    """What masks take on real sequences, in a sentence."""
    result = load("mask-bytes")
    *single, whole = result["tables"]["sizes"]
    most = max(single, key=lambda row: row["median_bytes"])
    return (
        f"On {len(single)} real sequences at {result['settings']['height']} lines a mask takes "
        f"{whole['median_bytes']:,.0f} bytes (median of {whole['masks']:,}; 95 %: {whole['p95_bytes']:,.0f}), and most "
        f"on {most['sequence']}, {most['median_bytes']:,.0f}. {origin('mask-bytes')}"
    )


def long_video() -> str:
    """A long video in the view, in a sentence."""
    result = load("long-video")
    (row,) = result["tables"]["view"]
    return (
        f"A video of {row['frames']:,} frames of {row['size']} pixels with {row['objects']} objects that have a mask "
        f"on every frame shows its first frame after {row['first_frame_s']:.1f} s; the page then has "
        f"{row['page_at_first_frame_mb']:.0f} MB, and {row['page_at_most_mb']:.0f} MB at most while all frames are "
        f"gone through. {origin('long-video')}"
    )


def first_contact() -> str:
    """From a cell to a frame, and from a click to a mask."""
    contacts = pd.DataFrame(load("first-contact")["tables"]["contacts"])
    steps = ["import_s", "cell_to_frame_s", "click_to_mask_s"]
    rows = [
        [
            str(model),
            str(way),
            *(f"{group[step].median():.2f} [{group[step].min():.2f}, {group[step].max():.2f}]" for step in steps),
        ]
        for (model, way), group in contacts.groupby(["model", "click"], sort=False)
    ]
    head = ["model", "click", "import, s", "cell to first frame, s", "click to its mask, s"]
    return f"{table(head, rows)}\n\n{origin('first-contact')}"


def long_memory() -> str:
    """A long video in the kernel, in a sentence."""
    result = load("long-memory")
    settings, rows = result["settings"], result["tables"]["rows"]
    seconds = {row["frames"]: row["seconds"] for row in rows}
    early, late = (sum(seconds[each] for each in frames) for frames in ((200, 300, 400), (2800, 2900, 3000)))
    return (
        f"Tracking one object with the bundled model through {settings['frames']:,} frames of "
        f"{settings['size'][0]} x {settings['size'][1]} pixels, frames 2,700 to 3,000 take {late / early:.2f} times as "
        f"long as frames 100 to 400. The process has {rows[0]['now_mb'] / 1024:.1f} GiB before the video is opened, "
        f"{rows[-1]['peak_mb'] / 1024:.1f} GiB at most, and {settings['closed_mb'] / 1024:.1f} GiB once it is closed. "
        f"{origin('long-memory')}"
    )


def throughput() -> str:
    """What a second worker brings, in a sentence."""
    rows = load("throughput")["tables"]["rounds"]
    done = {n: [row["units_per_min"] for row in rows if row["workers"] == n] for n in (1, 2)}
    one, two = (sum(each) / len(each) for each in done.values())
    return (
        f"Two workers on 2 cores, each with one thread, finish {two:.1f} units a minute and one finishes {one:.1f}: "
        f"{two / one:.2f} times as many. {origin('throughput')}"
    )
