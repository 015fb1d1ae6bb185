"""A Jupyter server with JupyterLab 4 and Notebook 7, and a Chromium to look at it."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from host_packages import write_kernelspecs

TIMEOUT_S = 90
"""For anything that ends at all; generous, because a busy machine is slow and not wrong."""

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    # Nobody looks at the window, yet its animation frames are what some tests measure.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
]

QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
"""Notification settings: the first-run question of JupyterLab would lie over the page."""


@dataclass(frozen=True)
class Server:
    """A running Jupyter server, its notebooks in a folder."""

    port: int
    token: str
    notebooks: Path

    def address_of(self, path, host):
        """Where a browser opens a notebook in a host, with JupyterLab in a workspace of its own."""
        place = {"lab": "lab/tree", "notebook": "notebooks"}[host]
        return f"http://127.0.0.1:{self.port}/{place}/{path}?token={self.token}&reset"

    def api(self, method, path):
        """Ask the server's own interface."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")


@contextmanager
def lab_server(folder):
    """A server of this Python with JupyterLab and Notebook, apart from all settings and kernels of the user."""
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    write_kernelspecs(folder / "data")
    server = Server(free_port(), secrets.token_hex(16), folder / "notebooks")
    server.notebooks.mkdir()
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    # Threads of the model must not take the cores that the browser needs.
    environment = os.environ | {key: str(folder / name) for key, name in places.items()} | {"OMP_NUM_THREADS": "1"}
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={server.port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={server.token}",
        f"--ServerApp.root_dir={server.notebooks}",
        "--ServerApp.terminals_enabled=False",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
    ]
    log = folder / "server.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "jupyter", "lab", *options]
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_for_server(server, process, log)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_server(server, process, log):
    for _ in range(TIMEOUT_S * 5):
        try:
            server.api("GET", "status")
        except OSError:
            try:
                process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                continue
            break
        else:
            return
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")


def launch(playwright):
    """The system's Chromium without a window."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
