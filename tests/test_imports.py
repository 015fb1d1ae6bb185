"""The package imports fast and lazily, and the tree holds nothing that belongs to one machine."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lit_widget

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ["torch", "numpy", "matplotlib", "peft", "sam2", "anywidget", "ipywidgets", "traitlets", "IPython"]
MEBIBYTE = 2**20

# Joined only at run time, so that this file does not hold what it looks for.
REGISTRIES = ["pypi org", "pythonhosted org", "npmjs org", "npmjs com", "download pytorch org", "deb debian org"]
REGISTRY_HOST = re.compile("|".join(name.replace(" ", r"\.") for name in REGISTRIES))
MACHINE_PATH = re.compile(r"(?<![\w.~/})\]>*$-])/(?:home|mnt|opt|root|srv|tmp|Users|var/tmp|work)/\w[^\s\"'`]*")


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def start_s(code):
    start = time.perf_counter()
    run_python(code)
    return time.perf_counter() - start


def test_import_is_fast():
    bare_s = min(start_s("pass") for _ in range(5))
    import_s = min(start_s("import lit_widget") for _ in range(5))
    assert import_s - bare_s < 0.3


def test_import_loads_nothing_heavy():
    loaded = run_python("import sys, lit_widget; print(*sys.modules)").split()
    assert not set(HEAVY) & set(loaded)


def test_a_widget_is_there_before_peft_is_loaded():
    loaded = run_python("import sys; from lit_widget import LITWidget; print(*sys.modules)").split()
    assert not {"peft", "transformers", "torchvision", "pandas", "matplotlib"} & set(loaded)


@pytest.mark.parametrize("name", lit_widget.__all__)
def test_public_name_resolves(name):
    assert getattr(lit_widget, name) is not None
    assert name in dir(lit_widget)


def test_unknown_name_suggests_near_ones():
    with pytest.raises(AttributeError, match=r"no attribute 'LitWidget'; did you mean LITWidget\?"):
        _ = lit_widget.LitWidget
    with pytest.raises(AttributeError, match="it has LITClassifier, LITWidget, "):
        _ = lit_widget.zzz
    assert not hasattr(lit_widget, "_repr_html_")


def tree():
    """Files under version control or about to be."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_tree_has_no_large_file():
    assert not [path for path in tree() if path.stat().st_size > 25 * MEBIBYTE]


@pytest.mark.parametrize("pattern", [REGISTRY_HOST, MACHINE_PATH], ids=["registry host", "machine path"])
def test_tree_names_no(pattern):
    found = []
    for path in tree():
        content = path.read_bytes()
        if b"\0" not in content:
            text = content.decode("utf-8")
            found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert not found


@pytest.mark.parametrize(
    ("text", "machine"),
    [
        ('open("@home/ada/clip.mp4")', True),
        ("see @opt/tools/bin", True),
        ("https:@@example.org@home/page", False),
        ("~@home/x and .@tmp/x", False),
        ("#!@usr/bin/env bash", False),
    ],
)
def test_machine_path_pattern(text, machine):
    # "@" stands for a slash, or these lines would be found too.
    assert bool(MACHINE_PATH.search(text.replace("@", "/"))) is machine
