"""Hosts that the environment does not hold: run as a script, this installs them beside it; `make hosts` does.

Each lies in a folder of its own under `LIT_WIDGET_HOSTS`, which comes first where its kernel or its server looks for
packages; all else is the environment's. They are kept between runs.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(os.environ.get("LIT_WIDGET_HOSTS", "no such folder"))

KERNELS = {
    "ipykernel-6.17": ["ipykernel==6.17.1", "ipython==7.34.0"],  # what Colab has
    "ipykernel-6.31": ["ipykernel==6.31.0"],
    "ipykernel-7.3": ["ipykernel==7.3.0"],
    "ipykernel-7.4": ["ipykernel==7.4.0"],
}
MARIMO = {"marimo": ["marimo==0.25.2"]}


def search_path(name):
    """What `PYTHONPATH` must be for a host."""
    return os.pathsep.join(filter(None, [str(FOLDER / name), os.environ.get("PYTHONPATH")]))


def missing(name):
    """Whether a host has not been installed."""
    return not (FOLDER / name).is_dir()


def write_kernelspecs(folder):
    """Make the installed kernels known to a server whose data are in `folder`."""
    for name in KERNELS:
        if missing(name):
            continue
        place = folder / "kernels" / name
        place.mkdir(parents=True)
        launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": launch, "display_name": name, "language": "python", "env": {"PYTHONPATH": search_path(name)}}
        (place / "kernel.json").write_text(json.dumps(spec))


def install(name, requirements):
    """Install a host, whole or not at all."""
    draft = FOLDER / f"{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-warn-conflicts"]
    subprocess.run([*pip, "--target", draft, *requirements], check=True)
    draft.rename(FOLDER / name)


if __name__ == "__main__":
    for each, needed in (KERNELS | MARIMO).items():
        if missing(each):
            print(f"== hosts: {each} -> {FOLDER / each}", flush=True)
            install(each, needed)
