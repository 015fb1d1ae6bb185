"""What the browser tests are written with: a notebook in JupyterLab or Notebook 7, and one view of the widget.

Both are driven through `window.jupyterapp`, and the widget's state is read from the `data-` attributes
that the view publishes, so that no test waits for a fixed time or looks for a prompt such as `[*]`.
"""

import ast
import json
from pathlib import Path

from playwright.sync_api import TimeoutError as PlaywrightTimeout
from server import TIMEOUT_S

KERNEL_IS_READY = """() => {
    const panel = window.jupyterapp?.shell?.currentWidget;
    const kernel = panel?.sessionContext?.session?.kernel;
    return kernel?.status === "idle" && panel.context.isReady && panel.content.widgets.length > 0;
}"""

NOTEBOOKS_OWN = (
    "Cannot read properties of undefined (reading 'schema')",
    "Command 'filebrowser:open-path' not registered.",
)
"""Notebook 7 raises these when it opens a notebook, whatever is in it."""

RUN_CELL = """async (index) => {
    const notebook = jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = index;
    notebook.deselectAll();
    await jupyterapp.commands.execute("notebook:run-cell");
    const outputs = notebook.widgets[index].model.outputs?.toJSON() ?? [];
    return outputs.filter((output) => output.output_type === "error").map((output) => output.traceback.join("\\n"));
}"""

EXECUTE = """async ([code, value]) => {
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const request = { code, user_expressions: { value }, store_history: false };
    const { content } = await kernel.requestExecute(request).done;
    if (content.status !== "ok") throw new Error(content.traceback.join("\\n"));
    const answer = content.user_expressions.value;
    if (answer.status !== "ok") throw new Error(`${answer.ename}: ${answer.evalue}`);
    return answer.data["text/plain"];
}"""


class Lab:
    """A page with one notebook open in it.

    Args:
        page: an empty page.
        server: the server.
        name: of the notebook, without its extension.
        cells: the source of its cells.
        host: what opens it, "lab" or "notebook".
        kernel: the name of its kernel.
    """

    def __init__(self, page, server, name, cells, *, host="lab", kernel="python3"):
        self.page, self.server, self.path = page, server, f"{name}.ipynb"
        self.trouble = []
        page.on("pageerror", self._note)
        page.set_default_timeout(TIMEOUT_S * 1000)
        (server.notebooks / self.path).write_text(json.dumps(notebook(cells, kernel)))
        page.goto(server.address_of(self.path, host))
        self._wait_for_kernel()

    def show(self, index=0, nth=0):
        """Run a cell that shows the widget; returns its view, the `nth` of the page."""
        self.start(index)
        self.finish()
        return self.view(nth)

    def start(self, index):
        """Start a cell and do not wait for its end."""
        self.page.evaluate(f"(index) => {{ window.cellRun = ({RUN_CELL})(index); }}", index)

    def finish(self):
        """Wait for the end of the cell that was started, which must be free of errors."""
        errors = self.page.evaluate("() => window.cellRun")
        assert not errors, errors[0]

    def view(self, nth=0):
        """The `nth` view of the page, once it shows a frame."""
        return View(self.page, nth).until("d.ready === 'true'")

    def do(self, code):
        """Run code in the kernel, in no cell."""
        self.page.evaluate(EXECUTE, [code, "None"])

    def ask(self, expression):
        """The value of an expression in the kernel."""
        return ast.literal_eval(self.page.evaluate(EXECUTE, ["", expression]))

    def command(self, name, **arguments):
        """Run a command of JupyterLab."""
        self.page.evaluate(
            "([name, args]) => jupyterapp.commands.execute(name, args).then(() => null)", [name, arguments]
        )

    def cells(self):
        """Sources of the notebook's cells, which of them is active, and of what kind and how often run they are."""
        return self.page.evaluate("""() => {
            const notebook = jupyterapp.shell.currentWidget.content;
            const models = notebook.widgets.map((cell) => cell.model);
            return [
                models.map((model) => model.sharedModel.source),
                notebook.activeCellIndex,
                models.map((model) => `${model.type} ${model.executionCount}`),
            ];
        }""")

    def reload(self):
        """Save the notebook and load the page anew; the kernel lives on."""
        self.command("docmanager:save")
        self.page.reload()
        self._wait_for_kernel()

    def close(self):
        """End the kernel, so that tests after this one have its memory and its core."""
        for session in self.server.api("GET", "sessions"):
            self.server.api("DELETE", f"sessions/{session['id']}")

    def _note(self, error):
        if str(error) not in NOTEBOOKS_OWN:
            self.trouble.append(str(error))

    def _wait_for_kernel(self):
        self.page.wait_for_function(KERNEL_IS_READY)


def notebook(cells, kernel):
    code = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": spec},
        "cells": [code | {"id": f"cell-{i}", "source": source} for i, source in enumerate(cells)],
    }


class View:
    """One view of the widget, used as a person does: mouse, keys and eyes.

    Args:
        page: the page.
        nth: which of the page's views.
    """

    def __init__(self, page, nth=0):
        self.page = page
        self.root = page.locator(".lit-widget").nth(nth)
        self.canvas = self.root.locator("canvas.lit-frame")

    @property
    def data(self):
        """What the view publishes about itself, by name."""
        return self.root.evaluate("(root) => ({ ...root.dataset })")

    def until(self, condition, timeout_s=TIMEOUT_S):
        """Wait until a JavaScript condition holds of `d`, what the view publishes; returns the view."""
        self.root.wait_for(state="attached")
        handle = self.root.element_handle()
        try:
            self.page.wait_for_function(
                f"(root) => {{ const d = root.dataset; return {condition}; }}", arg=handle, timeout=timeout_s * 1000
            )
        except PlaywrightTimeout:
            raise AssertionError(f"waited for {condition} while the view said {self.data}") from None
        return self

    def text(self, part):
        """The text that a part of the view shows, by its class without the prefix."""
        return self.root.locator(f".lit-{part}").inner_text()

    def focus(self):
        """Click where nothing happens but that the widget gets the keys."""
        self.root.locator(".lit-about").click()

    def press(self, *keys):
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def go_to(self, frame):
        """Walk to a frame with the arrow keys and wait until it is on the screen."""
        step = frame - int(self.data["frame"])
        self.press(*["ArrowRight" if step > 0 else "ArrowLeft"] * abs(step))
        return self.until(f"d.frame === '{frame}' && d.painted === '{frame}'")

    def place_of(self, x, y, size=(256, 192)):
        """Where a pixel of the video is on the canvas: the whole frame, as large as it fits, in the middle."""
        box = self.canvas.bounding_box()
        scale = min(box["width"] / size[0], box["height"] / size[1])
        left, top = (box["width"] - size[0] * scale) / 2, (box["height"] - size[1] * scale) / 2
        return {"x": left + (x + 0.5) * scale, "y": top + (y + 0.5) * scale}

    def click(self, x, y, **options):
        """Click a pixel of the video."""
        self.canvas.click(position=self.place_of(x, y), **options)

    def remember(self):
        """Keep what the canvas shows, to compare with `changed`."""
        self.canvas.evaluate("""(canvas) => {
            canvas.kept = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        }""")

    def changed(self):
        """How many pixels of the canvas look different from what was remembered."""
        return self.canvas.evaluate("""(canvas) => {
            const now = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            let count = 0;
            for (let i = 0; i < now.length; i += 4) {
                if ([0, 1, 2].some((channel) => Math.abs(now[i + channel] - canvas.kept[i + channel]) > 20)) count++;
            }
            return count;
        }""")


def answers_within(view, condition, seconds):
    """Whether a view comes to a condition within so many seconds."""
    try:
        view.until(condition, seconds)
    except AssertionError:
        return False
    return True


AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"

# What is wrong for people who cannot see it, or not well.
AUDIT = """async (root) => (await axe.run(root)).violations.map(({ id, help, nodes }) => ({
    id, help, at: nodes.map((node) => `${node.html.slice(0, 160)} ${node.any.map((check) => check.message)}`),
}))"""

# Deepest inside the object, and deepest inside where a mask is wrong (or, where nothing is, inside the object).
DEEPEST = """
import numpy as np
from scipy.ndimage import distance_transform_edt

def deepest(area):
    y, x = np.unravel_index(distance_transform_edt(np.pad(area, 1))[1:-1, 1:-1].argmax(), area.shape)
    return int(x), int(y)

def correction(frame):
    wrong = w.mask(frame) ^ clip.target[frame]
    x, y = deepest(wrong if wrong.any() else clip.target[frame])
    return x, y, bool(clip.target[frame, y, x])
"""


def prompt(lab, view):
    """Click the object on the first frame and wait for its mask."""
    lab.do(DEEPEST)
    view.click(*lab.ask("deepest(clip.target[0])"))
    view.until("d.prompts === '1' && Number(d.maskPixels) > 0 && d.status === 'idle'")


def track(view, frames):
    """Track to the end of a video with so many frames."""
    view.press("t")
    view.until(f"d.job === 'track:done' && d.masks === '{frames}'")


TEACH = """
def teach(*frames):
    for frame in frames:
        w.give_mask(frame, clip.target[frame])
        w.learn(frame)

def proposed(i):
    return w._annotation.learner.mask(w._annotation.proposal.proposals[i].output)
"""


def candidates(lab, view, frame):
    """Correct three frames, each for an adapter of its own, and open the proposal of all of them for another frame."""
    prompt(lab, view)
    track(view, frames=16)
    lab.do(TEACH + "teach(4, 6, 8)")
    view.until("d.adapterVersion === '3' && d.status === 'idle'")
    view.go_to(frame)
    view.press("w")
    view.until(f"d.proposal === '{frame}:1' && d.status === 'idle'")


def correct(lab, view, frame):
    """Click where the mask is most wrong; with the Alt key where it has too much."""
    x, y, positive = lab.ask(f"correction({frame})")
    view.click(x, y, modifiers=[] if positive else ["Alt"])
    view.until("d.prompts === '1' && d.status === 'idle'")
