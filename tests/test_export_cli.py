"""`lit-widget export`, as a shell runs it."""

import subprocess
import sys

import numpy as np
from formats_helpers import mask_set
from helpers import widget_on
from PIL import Image

from lit_widget.cli import main
from lit_widget.video.formats.registry import export_masks, read_masks


def test_masks_change_their_format(tmp_path, capsys):
    masks = mask_set(overlapping=False)
    export_masks(masks, tmp_path / "in.json", "coco")
    out = str(tmp_path / "out")
    assert main(["export", str(tmp_path / "in.json"), "--to", "mose", "--out", out]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"8 masks on 4 frames written to {out} as mose; not in it: frames per second\n")
    assert np.array_equal(read_masks(out).masks[2, 4], masks.masks[2, 4])
    assert main(["export", str(tmp_path / "in.json"), "--to", "mose", "--out", out]) == 2
    assert "is not empty; give another path" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "in.json"), "--to", "mose", "--out", out, "--overwrite"]) == 0


def test_the_video_is_shown(tmp_path, capsys):
    export_masks(mask_set(), tmp_path / "in.npz", "npz")
    (tmp_path / "video").mkdir()
    for frame in range(9):
        Image.new("RGB", (17, 13)).save(tmp_path / "video" / f"{frame}.png")
    words = ["export", str(tmp_path / "in.npz"), "--from", "npz", "--to", "gif", "--out", str(tmp_path / "out.gif")]
    assert main(words) == 2
    assert "gif shows the video, which is not here" in capsys.readouterr().err
    assert main([*words, "--video", str(tmp_path / "video")]) == 0
    (tmp_path / "other").mkdir()
    Image.new("RGB", (16, 13)).save(tmp_path / "other" / "0.png")
    assert main([*words, "--video", str(tmp_path / "other"), "--overwrite"]) == 2
    assert "but the video has 16 × 13; give the video that they belong to" in capsys.readouterr().err


def test_export_needs_no_torch(tmp_path):
    export_masks(mask_set(), tmp_path / "in.json", "coco")
    code = (
        "import sys; from lit_widget.cli import main; "
        f"main(['export', {str(tmp_path / 'in.json')!r}, '--to', 'npz', '--out', {str(tmp_path / 'out.npz')!r}]); "
        "print(sorted({'torch', 'ipywidgets', 'matplotlib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_a_session_and_events_are_explained(tmp_path, capsys):
    widget, _ = widget_on(frames=2, session=tmp_path / "a.lit")
    widget.close()
    words = ["export", str(tmp_path / "a.lit"), "--to", "coco", "--out", str(tmp_path / "out.json")]
    assert main(words) == 2
    assert f"is a session, not masks in a file; export its masks with LITWidget.open('{tmp_path}/a.lit').export(" in (
        capsys.readouterr().err
    )
    export_masks(mask_set(), tmp_path / "in.json", "coco")
    assert main(["export", str(tmp_path / "in.json"), "--to", "events", "--out", str(tmp_path / "e.csv")]) == 2
    assert "nothing is known of how these masks came about" in capsys.readouterr().err
    assert not (tmp_path / "e.csv").exists()
