"""What all tests share: which of them this machine can run, and that none of them downloads anything."""

import os
import shutil

import hypothesis
import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

# A busy machine is slow, not wrong; and CI must not fail on an example that no change brought about.
hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("house")


def pytest_collection_modifyitems(items):
    """Skip what needs a GPU or Chromium where there is none, but never let CI pass without a browser."""
    if in_need("browser", items) and shutil.which("chromium") is None:
        if "CI" in os.environ:
            raise pytest.UsageError("CI runs the browser tests, but there is no chromium on PATH")
        skip("browser", items, reason="no chromium on PATH")
    if in_need("gpu", items):
        import torch

        if not torch.cuda.is_available():
            skip("gpu", items, reason="no CUDA device")


def in_need(marker, items):
    return [item for item in items if item.get_closest_marker(marker)]


def skip(marker, items, reason):
    for item in in_need(marker, items):
        item.add_marker(pytest.mark.skip(reason=reason))
