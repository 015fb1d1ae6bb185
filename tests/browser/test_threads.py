"""That the page goes on answering while the model learns, and the kernel while a cell runs."""

import statistics
from functools import partial
from importlib.metadata import version

import pytest
from lab import DEEPEST

pytestmark = [pytest.mark.browser, pytest.mark.slow]

IPYKERNEL = tuple(int(part) for part in version("ipykernel").split(".")[:2])

BAR_MS = 100
"""What people feel as at once."""

# So many frames that some are never fetched ahead; only the last ones are tracked, and corrected again and again.
LONG = """
import numpy as np
frames = np.tile(clip.frames, (30, 1, 1, 1))
FIRST, CORRECTED = 440, range(474, 480)
w = LITWidget(frames)
w.frame_index = FIRST
w
"""
LEARN = """
def learn_on(rounds):
    for round in range(rounds):
        for frame in CORRECTED:
            x, y = deepest(clip.target[frame % 16])
            w.click(frame, x + round % 3, y)
            w.learn(frame)
"""

# Times from the event to the first animation frame that finds its effect on the canvas, all in milliseconds.
PROBE = """(root) => {
    const canvas = root.querySelector("canvas.lit-frame");
    const probe = (window.probe = { gaps: [], times: { click: [], scrub: [] }, jobs: {}, waiting: null });
    const at = (event) => {
        const box = canvas.getBoundingClientRect();
        const scale = canvas.width / box.width;
        const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
        return () => canvas.getContext("2d").getImageData(x - 4, y - 4, 8, 8).data.join();
    };
    const expect = (kind, event, seen) => { probe.waiting = { kind, since: event.timeStamp, seen }; };
    const expectFrame = (event) => {
        const before = root.dataset.frame;
        expect("scrub", event, () => root.dataset.frame !== before && root.dataset.painted === root.dataset.frame);
    };
    root.addEventListener("keydown", (event) => event.key.startsWith("Arrow") && expectFrame(event), true);
    root.querySelector(".lit-track").addEventListener("pointerdown", expectFrame, true);
    canvas.addEventListener("pointerdown", (event) => {
        const pixels = at(event);
        const before = pixels();
        expect("click", event, () => pixels() !== before);
    }, true);
    let last = performance.now();
    const tick = () => {
        const now = performance.now();
        probe.gaps.push(now - last);
        last = now;
        probe.jobs[root.dataset.job] = true;
        if (probe.waiting?.seen()) {
            probe.times[probe.waiting.kind].push(now - probe.waiting.since);
            probe.waiting = null;
        }
        requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
}"""


class Probe:
    """Measures one view from inside the page."""

    def __init__(self, view):
        self.page = view.page
        view.root.evaluate(PROBE)

    def measured(self, kind, acts):
        """Do one act after the other and wait for the effect of each; returns the times."""
        for act in acts:
            act()
            self.page.wait_for_function("() => window.probe.waiting === null")
        times = self.page.evaluate("(kind) => window.probe.times[kind].splice(0)", kind)
        assert len(times) == len(acts)
        return times

    def read(self, what):
        return self.page.evaluate(f"() => window.probe.{what}")


def report(name, times):
    middle = statistics.median(times)
    print(f"{name}: median {middle:.0f} ms, worst {max(times):.0f} ms, n = {len(times)}")
    return middle


def test_page_answers_while_learning(open_lab):
    lab = open_lab(LONG)
    view = lab.show()
    lab.do(DEEPEST + LEARN)
    lab.do("w.click(FIRST, *deepest(clip.target[FIRST % 16])); w.track(FIRST)")
    # The view went with the tracking; sent back to where no job begins, it stays there.
    view.until("d.job === 'track:done' && d.masks === '40'")
    view.focus()
    view.go_to(440)
    view.until("Number(d.framesCached) >= 56")
    probe = Probe(view)
    lab.do("learn_on(rounds=20)")
    # The first update also loads what training needs.
    view.until("d.adapterVersion === '1'")

    def click(i):
        return lambda: view.click(20 + 40 * (i % 6), 30 + 40 * (i // 6))

    def jump(frame):
        track = view.root.locator(".lit-track")
        x = (frame + 0.5) / 480 * track.bounding_box()["width"]
        return lambda: track.click(position={"x": x, "y": 12})

    keys = ["ArrowRight"] * 12 + ["ArrowLeft"] * 12
    scrubs, clicks = [], []
    for row in range(4):
        scrubs += probe.measured("scrub", [partial(view.press, key) for key in keys])
        clicks += probe.measured("click", [click(i) for i in range(6 * row, 6 * row + 6)])
    jumps = probe.measured("scrub", [jump(frame) for frame in (0, 100, 200, 300)])
    gaps, jobs = probe.read("gaps"), probe.read("jobs")
    busy, updates = lab.ask("(w._model_worker.busy, w.adapter_version)")
    view.press("Escape")
    view.until("d.status === 'idle'")
    # What was clicked meanwhile may still be answered; what was to be learned is not.
    assert lab.ask("w.wait(60) and w.adapter_version") < 120
    print(f"\n{updates - 1} updates meanwhile")
    assert busy
    assert updates > 1
    assert {"learn:running", "track:running"} <= jobs.keys()
    assert report("click to marker", clicks) < BAR_MS
    assert report("key to fetched frame", scrubs) < BAR_MS
    assert report("between animation frames", gaps) < BAR_MS
    assert report("jump to a frame that the kernel must send", jumps) < 10 * BAR_MS


@pytest.mark.skipif(IPYKERNEL < (7, 1), reason="before ipykernel 7.1 messages wait for the running cell")
@pytest.mark.hosts
def test_kernel_answers_while_a_cell_runs(open_lab, record_property):
    waiting = """
import time
until = time.monotonic() + 60
while not w.masks().any((1, 2)).all():
    assert time.monotonic() < until, "no click and no key came through while this cell ran"
    time.sleep(0.05)
"""
    lab = open_lab("w = LITWidget(clip.frames)\nw", waiting)
    view = lab.show()
    lab.do(DEEPEST)
    place = lab.ask("deepest(clip.target[0])")
    lab.start(1)
    view.click(*place)
    view.until("d.prompts === '1' && Number(d.maskPixels) > 0")
    view.press("t")
    lab.finish()
    view.until("d.job === 'track:done' && d.masks === '16'")
    record_property("host", f"JupyterLab {version('jupyterlab')}")
    record_property("click", "answered at once")
