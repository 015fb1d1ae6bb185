"""One view on an empty page, without Jupyter: the real widget in this process answers it, as in a host that polls.

Opening one takes a second and not the seven of a notebook; what a notebook adds is tested in `test_lab.py`.
"""

import base64
import threading
from pathlib import Path

from lab import View

STATIC = Path(__file__).parents[2] / "lit_widget" / "widget" / "static"

PAGE = """<!doctype html><html lang="en"><title>lit-widget</title>
<link rel="stylesheet" href="widget.css">
<style>body { margin: 0; background: Canvas } #host { margin: 8px }</style>
<body data-jp-theme-light="true"><main id="host" tabindex="-1"></main></body></html>"""

# The part of a host: a model whose messages go to the process, and whose answers are what waits there.
MODEL = """async () => {
    const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    const text = (buffer) => btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""));
    const callbacks = {};
    const emit = (event, ...args) => { for (const callback of [...(callbacks[event] ?? [])]) callback(...args); };
    const traits = await litTraits();
    // What the page itself has saved comes back late, and is no news.
    const saved = new Set();
    let seen = traits.frame_index;
    const take = ([messages, frame]) => {
        if (frame !== seen) {
            seen = frame;
            if (!saved.delete(frame)) { traits.frame_index = frame; emit("change:frame_index"); }
        }
        for (const [content, buffers] of messages) {
            emit("msg:custom", content, buffers.map((each) => new DataView(bytes(each).buffer)));
        }
    };
    const model = {
        get: (name) => traits[name],
        set: (name, value) => { traits[name] = value; },
        save_changes: () => { saved.add(traits.frame_index); litSave(traits.frame_index); },
        on: (event, callback) => (callbacks[event] ??= new Set()).add(callback),
        off: (event, callback) => callbacks[event]?.delete(callback),
        send: (content, _, buffers = []) => litSend(content, buffers.map(text)).then(take),
    };
    const view = (await import("/widget.js")).default();
    view.initialize?.({ model });
    view.render({ model, el: document.getElementById("host") });
}"""


class Page:
    """A page with one view of a widget.

    Args:
        page: an empty page.
        widget: a widget that no other view shows.
        bundle: the name of its script and style sheet.
        html: what the page is but for the view.
    """

    def __init__(self, page, widget, bundle="widget", html=PAGE):
        self.page, self.widget, self.bundle, self._html = page, widget, bundle, html
        self.trouble = []
        self._messages, self._lock = [], threading.Lock()
        widget.transport, widget._outbox.polling = "poll", True
        widget._outbox._send = self._keep
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.set_default_timeout(30_000)
        page.route("http://lit/**", self._serve)
        page.expose_function("litTraits", lambda: {"frame_index": self._frame(), "transport": "poll"})
        page.expose_function("litSave", lambda frame: setattr(widget, "frame_index", frame))
        page.expose_function("litSend", self._send)
        page.goto("http://lit/")
        page.evaluate(MODEL)
        self.view = View(page).until("d.ready === 'true' && d.status === 'idle'")

    def theme(self, name):
        """Show it in the light or dark theme."""
        light = "true" if name == "light" else "false"
        self.page.emulate_media(color_scheme=name)
        self.page.evaluate("(light) => { document.body.dataset.jpThemeLight = light; }", light)

    def width(self, pixels, height=1000):
        """Make the widget so wide."""
        self.page.set_viewport_size({"width": pixels + 16, "height": height})
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def _serve(self, route):
        path = route.request.url.removeprefix("http://lit/")
        if path in ("widget.js", "widget.css"):
            route.fulfill(path=STATIC / path.replace("widget", self.bundle))
        elif path:
            route.fulfill(status=404)
        else:
            route.fulfill(body=self._html, content_type="text/html")

    def _keep(self, message, buffers):
        with self._lock:
            self._messages.append((message, [base64.b64encode(each).decode() for each in buffers]))

    def _send(self, content, buffers):
        self.widget._handle_custom_msg(content, [memoryview(base64.b64decode(each)) for each in buffers])
        with self._lock:
            waiting, self._messages = self._messages, []
        return [waiting, self._frame()]

    def _frame(self):
        return getattr(self.widget, "frame_index", 0)
