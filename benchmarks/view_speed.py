"""How fast the view paints: playback and scrubbing with three masks, a mask from its message to the screen, its bytes.

python -m benchmarks.view_speed --json benchmarks/results/view-speed.json

A Chromium on this machine shows frames and masks that are in the page already, so that no kernel and no network counts.
Masks are tracked by the pocket model on embedded clips enlarged to the size of the video.
"""

from __future__ import annotations

import argparse
import base64
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.result import write_result
from lit_widget import LITWidget, embedded_clip
from lit_widget.widget.codec import encode_jpeg, encode_mask
from lit_widget.widget.messages import PROTOCOL

STATIC = Path(__file__).parents[1] / "lit_widget" / "widget" / "static"
KINDS = ("easy", "deformation", "distractor", "union")
FRAMES = 48
SIZES = {"480p": (854, 480), "720p": (1280, 720)}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-renderer-backgrounding"]
HTML = '<!doctype html><link rel="stylesheet" href="widget.css"><main id="host"></main>'

OPEN = """async ({ state, frames, masks }) => {
    const bytes = (text) => new DataView(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer);
    const [jpegs, packed] = [frames.map(bytes), masks.map((all) => all.map(bytes))];
    const listeners = new Set();
    const tell = (content, buffers = []) => { for (const each of listeners) each(content, buffers); };
    let version = 1;
    const info = (frame, i) => ({ frame, object: i + 1, version: version++, status: "tracked" });
    const answer = {
        hello: () => tell(state),
        requestFrames: ({ indices }) => tell({ type: "frames", indices }, indices.map((index) => jpegs[index])),
        requestMasks: ({ indices }) => tell(
            { type: "masks", forget: [], items: indices.flatMap((at) => packed.map((_, i) => info(at, i))) },
            indices.flatMap((at) => packed.map((all) => all[at])),
        ),
    };
    const traits = { frame_index: 0, transport: "push", view_height: state.video.height };
    const model = {
        get: (name) => traits[name], set: (name, value) => { traits[name] = value; }, save_changes: () => {},
        on: (event, callback) => event === "msg:custom" && listeners.add(callback), off: () => {},
        send: (content) => setTimeout(() => answer[content.type]?.(content)),
    };
    const view = (await import("/widget.js")).default();
    view.initialize({ model });
    view.render({ model, el: document.getElementById("host") });
    window.tellMask = (frame, i, from) =>
        tell({ type: "masks", forget: [], items: [info(frame, i)] }, [packed[i][from]]);
    window.root = document.querySelector(".lit-widget");
}"""

# Frames that reach the screen in a second, while it plays or while a key is held down.
PAINTED = """async ({ scrub, ms }) => {
    const frame = () => new Promise(requestAnimationFrame);
    const press = (key) => root.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    if (!scrub) { press(" "); root.dispatchEvent(new KeyboardEvent("keyup", { key: " ", bubbles: true })); }
    let [count, last, key, gaps] = [0, root.dataset.painted, "ArrowRight", []];
    const start = performance.now();
    let before = start;
    while (performance.now() - start < ms) {
        if (scrub) {
            if (Number(root.dataset.frame) >= scrub.last) key = "ArrowLeft";
            if (Number(root.dataset.frame) <= 0) key = "ArrowRight";
            press(key);
        }
        await frame();
        if (root.dataset.painted === last) continue;
        last = root.dataset.painted;
        count++;
        const now = performance.now();
        gaps.push(now - before);
        before = now;
    }
    if (!scrub) { press(" "); root.dispatchEvent(new KeyboardEvent("keyup", { key: " ", bubbles: true })); }
    gaps.sort((a, b) => a - b);
    return [count / ((performance.now() - start) / 1000), gaps[Math.floor(gaps.length * 0.95)]];
}"""

# From a message with another mask of the frame on the screen to the picture that shows it.
LATENCIES = """async ({ n, masks }) => {
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    const times = [];
    for (let i = 0; i < n; i++) {
        await pause(40 + Math.random() * 20);
        const before = root.dataset.maskPixels;
        const changed = new Promise((done) => {
            const observer = new MutationObserver(() => {
                // The view writes it with every picture, changed or not.
                if (root.dataset.maskPixels === before) return;
                observer.disconnect();
                done(performance.now());
            });
            observer.observe(root, { attributeFilter: ["data-mask-pixels"] });
        });
        const start = performance.now();
        tellMask(0, 0, masks[i % masks.length]);
        times.push(await changed - start);
    }
    return times;
}"""


def tracked(kind: str, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Frames of an enlarged clip, and the masks that the pocket model tracks on them."""
    clip = embedded_clip(kind, 0, frames=FRAMES)
    frames = np.stack([np.asarray(Image.fromarray(frame).resize(size)) for frame in clip.frames])
    widget = LITWidget(frames)
    widget.give_mask(0, np.asarray(Image.fromarray(clip.target[0]).resize(size)))
    widget.track()
    widget.wait()
    masks = widget.masks()
    widget.close()
    return frames, masks


def state_of(size: tuple[int, int]) -> dict[str, Any]:
    """Three objects tracked through a video of 60 frames a second, which is as fast as the screen shows any."""
    colours = ("#0072B2", "#E69F00", "#009E73")
    objects = [
        {"id": i + 1, "name": f"object {i + 1}", "colour": colour, "hidden": False, "locked": False, "changed": []}
        | {"runs": [[0, FRAMES - 1, "tracked"]]}
        for i, colour in enumerate(colours)
    ]
    video = {"name": "clip", "n_frames": FRAMES, "width": size[0], "height": size[1], "fps": 60}
    empty = {key: [] for key in ("adapters", "standing", "prompts", "palette", "range")}
    flags = {"proposes_untaught": False, "learning": True, "can_undo": False, "can_redo": False, "previews": False}
    counts = {"protocol": PROTOCOL, "active_object": 1, "n_corrections": 0, "n_accepted": 0, "saved_s": 0}
    return {"type": "state", "model": "pocket", "video": video, "objects": objects, **empty, **flags, **counts}


def opened(page: Page, frames: np.ndarray, masks: list[np.ndarray]) -> None:
    """Show the video with its masks, everything cached."""

    def serve(route: Any) -> None:
        name = route.request.url.rsplit("/", 1)[1]
        if (STATIC / name).is_file():
            route.fulfill(path=STATIC / name)
        else:
            route.fulfill(body=HTML, content_type="text/html")

    page.route("http://lit/**", serve)
    page.goto("http://lit/")
    text = [base64.b64encode(encode_jpeg(frame)).decode() for frame in frames]
    packed = [[base64.b64encode(encode_mask(mask)).decode() for mask in each] for each in masks]
    size = frames.shape[2], frames.shape[1]
    page.evaluate(OPEN, {"state": state_of(size), "frames": text, "masks": packed})
    expected = str(len(frames) * len(masks))
    page.wait_for_function("(n) => root.dataset.masks === n && root.dataset.painted === '0'", arg=expected)


def measure(browser: Any, name: str, clips: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """One row of the table."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    masks = [each for _, each in clips.values()]
    opened(page, clips[KINDS[0]][0], masks[:3])
    page.evaluate(PAINTED, {"scrub": {"last": FRAMES - 1}, "ms": 2000})  # warms up
    page.keyboard.press("Home")
    scrub, scrub_gap = page.evaluate(PAINTED, {"scrub": {"last": FRAMES - 1}, "ms": 5000})
    page.locator(".lit-about").click()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+L")
    play, play_gap = page.evaluate(PAINTED, {"scrub": None, "ms": 5000})
    page.keyboard.press("Home")
    page.wait_for_function("() => root.dataset.painted === '0'")
    # Masks of different numbers of pixels, so that every one is seen to arrive.
    counts = masks[0].sum((1, 2))
    different = [int(np.flatnonzero(counts == value)[0]) for value in np.unique(counts)]
    latency = page.evaluate(LATENCIES, {"n": 100, "masks": different[1:] if len(different) > 2 else different})
    page.close()
    sizes = [len(encode_mask(mask)) for each in masks for mask in each if mask.any()]
    return {
        "video": name,
        "playback_fps": round(play, 1),
        "playback_gap_p95_ms": round(play_gap, 1),
        "scrub_fps": round(scrub, 1),
        "scrub_gap_p95_ms": round(scrub_gap, 1),
        "message_to_paint_median_ms": round(float(np.median(latency)), 1),
        "message_to_paint_p95_ms": round(float(np.quantile(latency, 0.95)), 1),
        "mask_median_bytes": int(np.median(sizes)),
        "mask_p95_bytes": int(np.quantile(sizes, 0.95)),
    }


def main() -> None:
    """One row per size of the video."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, size in SIZES.items():
            rows.append(measure(browser, name, {kind: tracked(kind, size) for kind in KINDS}))
            print("\n".join(f"{key:28} {value}" for key, value in rows[-1].items()), end="\n\n")
        browser.close()
    if arguments.json:
        settings = {"sources": [f"embedded:{kind}:0" for kind in KINDS], "frames": FRAMES, "objects": 3}
        write_result(arguments.json, "view_speed", settings, {"view": pd.DataFrame(rows)})


if __name__ == "__main__":
    main()
