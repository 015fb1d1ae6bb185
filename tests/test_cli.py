"""The `lit-widget` command: whole runs in a process of their own, and every way to be refused."""

import json
import os
import pty
import subprocess
import sys

import av
import numpy as np
import pytest
from helpers import clip
from PIL import Image

from lit_widget import cli
from lit_widget.simulation.bench.catalogue import HELP
from lit_widget.simulation.bench.experiments import EXPERIMENTS
from lit_widget.simulation.options import strategy_names
from lit_widget.simulation.runner import SimulationResult
from lit_widget.video.learner import VideoLearner

FRAMES = 6


def command(*arguments, cwd):
    call = [sys.executable, "-m", "lit_widget.cli", *arguments]
    return subprocess.run(call, capture_output=True, text=True, check=False, cwd=cwd, timeout=300)


@pytest.mark.slow
def test_the_demo_shows_its_progress_in_a_terminal_that_does_not_say_how_large_it_is(tmp_path):
    ours, its = pty.openpty()
    call = [sys.executable, "-m", "lit_widget.cli", "demo"]
    with subprocess.Popen(call, cwd=tmp_path, stdout=its, stderr=its) as running:
        os.close(its)
        shown = ""
        while "1/40 [" not in shown:
            shown += os.read(ours, 4096).decode(errors="replace")  # ends with an error if the demo does
        running.kill()
    os.close(ours)
    assert shown.startswith("Loading the pocket model")
    assert "easy-300 · object 1 · original" in shown


def save_davis(folder, *, target=None):
    """A short clip as JPEG frames and PNG masks."""
    made = clip("union", 0, FRAMES)
    for name in ("JPEGImages", "Annotations"):
        (folder / name).mkdir(parents=True)
    for index in range(FRAMES):
        Image.fromarray(made.frames[index]).save(folder / "JPEGImages" / f"{index:05d}.jpg", quality=95)
        mask = made.target[index] if target is None else target
        Image.fromarray(mask.astype(np.uint8)).save(folder / "Annotations" / f"{index:05d}.png")
    return folder


@pytest.fixture(scope="module")
def davis(tmp_path_factory):
    return save_davis(tmp_path_factory.mktemp("davis") / "walk")


@pytest.mark.slow
def test_an_embedded_clip_from_end_to_end(tmp_path):
    options = ("--epochs", "2", "--tau", "0.6", "--seed", "3", "--json", "out.json")
    done = command("simulate", "embedded:easy:0-0", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Means per (video, object) over 1 pair, tau 0.6, model pocket, seed 3" in done.stdout
    data = json.loads((tmp_path / "out.json").read_text())
    assert [(row["video"], row["strategy"], row["frames"]) for row in data["records"]] == [
        ("easy-0", "original", 47),
        ("easy-0", "lit-lora", 47),
    ]
    assert data["settings"]["update"]["epochs"] == 2
    assert data["complete"] is True
    assert {path.name for path in tmp_path.iterdir()} == {"out.json"}


@pytest.mark.slow
def test_a_folder_from_end_to_end(davis, tmp_path):
    out = tmp_path / "out.json"
    options = ("--strategies", "original, token-0", "--learning-rate", "0.5", "--json", str(out))
    done = command("simulate", str(davis), *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "token-0" in done.stdout
    result = SimulationResult.load(out)
    assert result.records["strategy"].tolist() == ["original", "token-0"]
    assert set(result.records["video"]) == {"walk"}
    assert set(result.records["frames"]) == {FRAMES - 1}
    assert result.settings["update"]["learning_rate"] == 0.5


def test_list(capsys):
    assert cli.main(["list"]) == 0
    printed = capsys.readouterr().out
    for name in ("pocket", "sam2.1-large", "--precision", "box", "lit-lora", "token-0", "union", "hard", "all"):
        assert f"  {name} " in printed


def test_what_can_be_chosen_for_machines(capsys):
    assert cli.main(["models", "--json"]) == 0
    assert "pocket" in json.loads(capsys.readouterr().out)
    assert cli.main(["list", "--json"]) == 0
    assert "lit-lora" in json.loads(capsys.readouterr().out)["strategies"]
    assert cli.main(["trackers"]) == 0
    assert "samurai" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere"], "there is no folder nowhere; expected JPEGImages/"),
        (["embedded:esay:0"], "unknown kind 'esay'"),
        (["embedded:easy:0", "--model", "pockt"], "unknown model 'pockt'; did you mean pocket?"),
        (["nowhere", "--model", "sam2.1-large"], "there is no folder nowhere"),
        (
            ["embedded:easy:0", "--model", "sam2.1-tiny"],
            "use --model sam2.1-tiny --weights PATH/TO/",
        ),
        (["embedded:easy:0", "--model", "sam2.1-tiny"], " or --model pocket"),
        (["embedded:easy:0", "--weights", "no.pt"], "there is no checkpoint at no.pt"),
        (["embedded:easy:0", "--config", "no.yaml"], "use --config no.yaml --weights PATH"),
        (["embedded:easy:0", "--device", "cuda:99"], "use --device auto"),
        (["embedded:easy:0", "--precision", "half"], "unknown precision 'half'; choose from auto, float32, bfloat16"),
        (
            ["embedded:easy:0", "--strategies", "lit"],
            "unknown strategy 'lit'; did you mean lit-ft or lit-plus or lit-lora?",
        ),
        (["embedded:easy:0", "--monitor", "learnt"], "unknown monitor 'learnt'; did you mean learned or user?"),
        (["embedded:easy:0", "--automatic"], "automatic validation needs a monitor"),
        (["embedded:easy:0", "--tau", "2"], "tau is an IoU from 0 to 1, got 2.0"),
        ([__file__], "which has no true masks to compare with; give them with --gt PATH"),
        (["embedded:easy:0", "--json", "no/such/out.json"], "there is no folder to write no/such/out.json in"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments, reason, capsys):
    assert cli.main(["simulate", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("lit-widget: ")
    assert reason in line
    assert "load_model(" not in line


@pytest.mark.slow
def test_a_video_file_with_masks_in_another_format(davis, tmp_path, capsys):
    """A video without loss and COCO come to what the folder in DAVIS layout comes to."""
    masks = tmp_path / "truth.json"
    assert cli.main(["export", str(davis / "Annotations"), "--to", "coco", "--out", str(masks)]) == 0
    options = ["--strategies", "original", "--tau", "0.9", "--json"]
    video = davis / "JPEGImages"
    assert cli.main(["simulate", str(video), "--gt", str(masks), *options, str(tmp_path / "one.json")]) == 0
    assert cli.main(["simulate", str(davis), *options, str(tmp_path / "other.json")]) == 0
    one, other = (SimulationResult.load(tmp_path / f"{name}.json").records.iloc[0] for name in ("one", "other"))
    columns = ["object", "corrections", "clicks", "j_mean", "frames"]
    assert one[columns].tolist() == other[columns].tolist()
    assert one["frames"] == FRAMES - 1
    film = tmp_path / "film.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.height, stream.width = clip("union", 0, FRAMES).frames[0].shape[:2]
        for frame in clip("union", 0, FRAMES).frames[:FRAMES]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    capsys.readouterr()
    assert cli.main(["simulate", str(film), "--gt", str(masks), "--strategies", "original"]) == 0
    assert "over 1 pair" in capsys.readouterr().out


def test_ground_truth_that_does_not_fit(davis, tmp_path, capsys):
    frames, masks = davis / "JPEGImages", davis / "Annotations"
    small = tmp_path / "small"
    small.mkdir()
    Image.new("RGB", (8, 8)).save(small / "00000.png")
    for arguments, reason in (
        ([frames, "--gt", "nowhere"], "the ground truth cannot be used: there is no file or folder nowhere"),
        ([frames, "--gt", small], "the ground truth cannot be used:"),
        (["nothing.mp4", "--gt", masks], "the video cannot be used:"),
        ([small, "--gt", masks], "but the video has 8 × 8; give the video that they belong to"),
        ([frames, frames, "--gt", masks], "--gt has the masks of one video, got 2; give one"),
    ):
        assert cli.main(["simulate", *map(str, arguments)]) == 2
        assert reason in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["simulate"], ["fly"], ["simulate", "x", "--tau", "low"]])
def test_what_cannot_be_parsed(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert "usage: lit-widget" in capsys.readouterr().err


def test_help_names_defaults_and_experiments(capsys):
    for command, expected in (
        ("bench", ["main ", "predicted-iou ", "results; finished units here are not run again (default: bench)"]),
        ("simulate", ["(default: original,lit-lora)", "(default: 0.5)"]),
    ):
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
        said = " ".join(capsys.readouterr().out.split())
        assert all(each in said for each in expected)
        assert "default: None" not in said
        assert "default: False" not in said
    assert {name: each.help for name, each in EXPERIMENTS.items()} == HELP


def test_a_strategy_named_twice_is_said(capsys):
    assert strategy_names("a, b,a") == ["a", "b"]
    assert "--strategies has a more than once; it runs once" in capsys.readouterr().err


def test_a_demonstration_needs_a_folder(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert cli.main(["demo", "--out", str(tmp_path / "file")]) == 2
    assert f"results cannot be written to {tmp_path / 'file'} (" in capsys.readouterr().err


def test_nothing_to_annotate(tmp_path, capsys):
    folder = save_davis(tmp_path / "empty", target=np.zeros(clip().target[0].shape, bool))
    assert cli.main(["simulate", str(folder)]) == 2
    reason = f"the ground truth of {folder.name} shows no object before the last frame; give masks that are not empty"
    assert reason in capsys.readouterr().err
    assert cli.main(["bench", "main", "--data", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert reason in capsys.readouterr().err


def test_an_interruption_keeps_what_is_done(davis, tmp_path, capsys, monkeypatch):
    """Ctrl-C during the second pass."""
    predict, frames = VideoLearner.predict_one, []

    def interrupted(learner, item):
        frames.append(item.frame)
        if frames.count(3) == 2:
            raise KeyboardInterrupt
        return predict(learner, item)

    monkeypatch.setattr(VideoLearner, "predict_one", interrupted)
    out = tmp_path / "out.json"
    assert cli.main(["simulate", str(davis), "--strategies", "original,token-0", "--json", str(out)]) == 130
    assert "Interrupted" in capsys.readouterr().out
    result = SimulationResult.load(out)
    assert not result.complete
    assert result.records["strategy"].tolist() == ["original"]
