"""A long video in the view: how soon its first frame is on the screen, and how much memory the page takes.

python -m benchmarks.long_video --json benchmarks/results/long-video.json

The real widget opens an MP4 of 2,000 frames of 854 x 480 pixels with three objects whose masks stand on every frame,
and answers a view in a Chromium on this machine. Then the playhead goes through the whole video in steps of ten, and
all frames are fetched on the way. Memory is that of the page's own process, shared pages counted by their share.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import torch
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.result import write_result
from benchmarks.view_speed import FLAGS, HTML, STATIC
from lit_widget import LITWidget, embedded_clip
from lit_widget.video.memory import FrameRecord

N_FRAMES, SIZE, OBJECTS, CLIP_FRAMES = 2000, (854, 480), 3, 48

HOST = """async () => {
    const listeners = new Set();
    const traits = { frame_index: 0, transport: "poll", view_height: 480 };
    // What waits for the view comes as one binary answer: the length of a header, the header, all buffers.
    const take = (answer) => {
        const length = new DataView(answer).getUint32(0);
        let at = 4 + length;
        for (const [content, sizes] of JSON.parse(new TextDecoder().decode(new Uint8Array(answer, 4, length)))) {
            const buffers = sizes.map((size) => new DataView(answer, (at += size) - size, size));
            for (const each of listeners) each(content, buffers);
        }
    };
    const model = {
        get: (name) => traits[name], set: (name, value) => { traits[name] = value; }, save_changes: () => {},
        on: (event, callback) => event === "msg:custom" && listeners.add(callback), off: () => {},
        send: (content) => fetch("/send", { method: "POST", body: JSON.stringify(content) })
            .then((response) => response.arrayBuffer()).then(take),
    };
    const view = (await import("/widget.js")).default();
    view.initialize({ model });
    view.render({ model, el: document.getElementById("host") });
    window.root = document.querySelector(".lit-widget");
}"""


def written(path: Path) -> np.ndarray:
    """Write the video, an embedded clip to and fro; returns the clip's masks of three objects, (o, t, h, w)."""
    clip = embedded_clip("distractor", 0, frames=CLIP_FRAMES)
    frames = [Image.fromarray(frame).resize(SIZE) for frame in clip.frames]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "18", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for index in range(N_FRAMES):
            noise = np.random.default_rng(index).integers(-6, 7, (SIZE[1], SIZE[0], 1))
            pixels = np.clip(np.asarray(frames[at(index)]).astype(int) + noise, 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())
    target = np.stack([np.asarray(Image.fromarray(mask).resize(SIZE)) for mask in clip.target])
    return np.stack([target, np.roll(target, 150, 2), np.roll(target, -150, 2)])


def at(index: int) -> int:
    """The clip's frame at a frame of the video."""
    turn = index % (2 * CLIP_FRAMES)
    return turn if turn < CLIP_FRAMES else 2 * CLIP_FRAMES - 1 - turn


def attached(page: Page, widget: LITWidget) -> None:
    """A host of the widget on an empty page, which asks for what is sent to it."""
    waiting: list[tuple[dict[str, Any], list[bytes]]] = []
    lock = threading.Lock()

    def keep(message: dict[str, Any], buffers: list[bytes]) -> None:
        with lock:
            waiting.append((message, buffers))

    def answer(content: Any) -> bytes:
        widget._receive(None, content, [])
        with lock:
            taken, waiting[:] = list(waiting), []
        header = json.dumps([(message, [len(each) for each in buffers]) for message, buffers in taken]).encode()
        return b"".join([len(header).to_bytes(4), header, *(each for _, buffers in taken for each in buffers)])

    def serve(route: Any) -> None:
        name = route.request.url.rsplit("/", 1)[1]
        if name == "send":
            route.fulfill(body=answer(route.request.post_data_json), content_type="application/octet-stream")
        elif (STATIC / name).is_file():
            route.fulfill(path=STATIC / name)
        else:
            route.fulfill(body=HTML, content_type="text/html")

    widget._outbox._send, widget._outbox.polling = keep, True
    page.route("http://lit/**", serve)
    page.goto("http://lit/")
    page.evaluate(HOST)


def megabytes(browser: Browser) -> float:
    """Of the page's process."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    pids = [each["id"] for each in processes if each["type"] == "renderer"]
    return max(_pss(int(pid)) for pid in pids)


def _pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def measure(browser: Browser, folder: Path) -> dict[str, Any]:
    """Open the video, go through it, and weigh the page."""
    path = folder / "long.mp4"
    masks = written(path)
    LITWidget(embedded_clip("easy", 0, frames=2).frames).close()  # imports, and the model's weights in the disk's cache
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(120_000)
    started = time.perf_counter()
    widget = LITWidget(path)
    attached(page, widget)
    page.wait_for_function("() => root.dataset.painted === '0'")
    first_frame_s = time.perf_counter() - started
    empty = megabytes(browser)
    for _ in range(OBJECTS - 1):
        widget.add_object()
    learner = widget._annotation.learner
    nothing = torch.zeros(0)
    for each, own in enumerate(masks, start=1):
        outputs = [learner.from_mask(0, mask) for mask in own]
        for index in range(N_FRAMES):
            record = FrameRecord(outputs[at(index)], nothing, nothing, "tracked", conditioning=False)
            learner.bank(each).records[index] = record
    widget._annotation.publish()
    page.wait_for_function("() => root.dataset.objects === '3' && root.dataset.masks !== '0'")
    root, most = page.locator(".lit-widget"), empty
    root.focus()
    for frame in range(10, N_FRAMES, 10):
        page.keyboard.press("Shift+ArrowRight")
        page.wait_for_function("(frame) => root.dataset.painted === frame", arg=str(frame))
        most = max(most, megabytes(browser))
    cached = int(root.get_attribute("data-frames-cached") or 0)
    widget.close()
    page.close()
    return {
        "frames": N_FRAMES,
        "size": f"{SIZE[0]}x{SIZE[1]}",
        "objects": OBJECTS,
        "first_frame_s": round(first_frame_s, 2),
        "page_at_first_frame_mb": round(empty),
        "page_at_most_mb": round(most),
        "frames_cached": cached,
    }


def main() -> None:
    """One row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        row = measure(browser, Path(folder))
        browser.close()
    print("\n".join(f"{key:28} {value}" for key, value in row.items()))
    if arguments.json:
        settings = {"sources": ["embedded:distractor:0"], "frames": N_FRAMES, "objects": OBJECTS}
        write_result(arguments.json, "long_video", settings, {"view": pd.DataFrame([row])})


if __name__ == "__main__":
    main()
