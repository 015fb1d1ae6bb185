"""Draw the figures of `method.md`, light and dark: `make figures`, or python docs/figures.py.

The loop is a diagram; what one update changes is computed with the bundled model on an embedded clip.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

FOLDER = Path(__file__).parent / "figures"


@dataclass(frozen=True)
class Theme:
    """Colours that can be told apart on a light or on a dark page."""

    name: str
    ground: str
    ink: str
    frozen: str
    learning: str
    person: str


THEMES = (
    Theme("light", "#ffffff", "#1f2328", "#0072B2", "#B45F06", "#007A59"),
    Theme("dark", "#1e2129", "#e6e8ee", "#56B4E9", "#F0B040", "#3CC9A0"),
)

STYLE = {"svg.fonttype": "none", "svg.hashsalt": "lit-widget", "font.family": "sans-serif", "font.size": 9}


@contextmanager
def drawn(name: str, theme: Theme, size: tuple[float, float]) -> Iterator[Figure]:
    """A figure in the theme's colours, written when it is done: SVG where it is lines, WebP where it is pictures."""
    ink = {"text.color": theme.ink, "axes.edgecolor": theme.ink, "axes.labelcolor": theme.ink}
    ticks = {"xtick.color": theme.ink, "ytick.color": theme.ink, "axes.facecolor": theme.ground}
    with mpl.rc_context({**STYLE, **ink, **ticks}):
        figure = Figure(size, facecolor=theme.ground)
        yield figure
        path = FOLDER / f"{Path(name).stem}-{theme.name}{Path(name).suffix}"
        if path.suffix == ".svg":
            figure.savefig(path, metadata={"Date": None, "Creator": None})
            return
        pixels = io.BytesIO()
        figure.savefig(pixels, format="png", dpi=130)
        Image.open(pixels).convert("RGB").save(path, quality=82, method=6)


def loop(theme: Theme) -> None:
    """What happens on one frame: who is asked, and what follows from the verdict."""
    with drawn("loop.svg", theme, (7.6, 3.6)) as figure:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, 76), ylim=(0, 36))
        axes.axis("off")

        def box(x: float, y: float, title: str, text: str, colour: str) -> None:
            shape = FancyBboxPatch((x - 9, y - 4), 18, 8, boxstyle="round,pad=0,rounding_size=1.2")
            shape.set(facecolor=theme.ground, edgecolor=colour, linewidth=1.6)
            axes.add_patch(shape)
            axes.text(x, y + 1.6, title, ha="center", va="center", color=colour, weight="bold")
            axes.text(x, y - 1.5, text, ha="center", va="center", fontsize=7.5)

        def arrow(start: tuple[float, float], end: tuple[float, float], text: str, at: tuple[float, float]) -> None:
            axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=theme.ink, lw=1.1))
            axes.text(*at, text, ha="center", va="center", fontsize=8, style="italic")

        box(11, 27, "frozen SAM 2", "tracks frame t", theme.frozen)
        box(38, 27, "adapter", "is asked, same features", theme.learning)
        box(65, 27, "user", "corrects SAM 2's mask", theme.person)
        box(65, 8, "update", "trains the adapter on it", theme.learning)
        box(11, 8, "memory", "gets the mask; t + 1", theme.frozen)
        arrow((20, 27), (29, 27), "wrong", (24.3, 28.4))
        arrow((47, 27), (56, 27), "wrong", (51.3, 28.4))
        arrow((11, 23), (11, 12), "right", (7.6, 17.5))
        arrow((38, 23), (20, 10.2), "right: accepted, not trained on", (41.5, 15.3))
        arrow((65, 23), (65, 12), "", (0, 0))
        arrow((56, 8), (20, 8), "the corrected mask", (38, 6.4))
        axes.text(67, 17.5, "a correction", ha="left", va="center", fontsize=8, style="italic")
        axes.text(38, 32.4, "once it has learned anything", ha="center", fontsize=7.5)


CLIP = ("distractor", 315)
LEARNED, LAST = 31, 47
SHOWN = (31, 33, 35, 39)
TRACKED, PROPOSED = "#0072B2", "#E69F00"
"""Of masks on the pictures, which are the same on any page."""


@dataclass(frozen=True)
class Update:
    """What one update on frame `LEARNED` does: masks (T, H, W) that were tracked and that the adapter proposes."""

    frames: np.ndarray
    truth: np.ndarray
    tracked: np.ndarray
    proposed: np.ndarray
    losses: tuple[float, ...]

    def iou(self, masks: np.ndarray, frame: int) -> float:
        """Agreement with the truth on a frame."""
        mask, truth = masks[frame], self.truth[frame]
        return float((mask & truth).sum() / (mask | truth).sum())


def one_update() -> Update:
    """Track a clip, learn one correction on the way, and ask the adapter on all frames from there on."""
    from lit_widget import UpdateConfig, embedded_clip, load_model
    from lit_widget.core.types import Correction
    from lit_widget.video.adaptation import MaskTarget, VideoItem
    from lit_widget.video.frames import open_frames
    from lit_widget.video.learner import VideoLearner

    clip = embedded_clip(*CLIP)
    update = UpdateConfig(1e-3, threads=1)
    learner = VideoLearner(load_model("pocket", device="cpu"), open_frames(clip.frames), update=update)
    learner.prompt(VideoItem(0, 1), learner.from_mask(0, clip.target[0]))
    tracked, proposed, losses = np.zeros_like(clip.target), np.zeros_like(clip.target), ()
    for frame in range(1, LAST + 1):
        item = VideoItem(frame, 1)
        prediction = learner.predict_one(item)
        tracked[frame] = learner.mask(prediction.output)
        if frame == LEARNED:
            corrected = learner.from_mask(frame, clip.target[frame])
            report = learner.learn_one(
                prediction, Correction(item, corrected, MaskTarget(clip.target[frame], None), full=True)
            )
            assert report is not None
            losses = report.losses
            learner.settle_one(item, corrected, verdict="corrected", full=True)
        else:
            learner.settle_tracked(prediction, reverse=False)
        proposal = learner.propose_one(prediction)
        if proposal is not None:
            proposed[frame] = learner.mask(proposal.output)
    return Update(np.asarray(clip.frames), clip.target, tracked, proposed, losses)


def masks(theme: Theme, update: Update) -> None:
    """The tracked and the proposed mask on the frame that was learned and on later ones."""
    with drawn("masks.webp", theme, (7.6, 3.4)) as figure:
        figure.set_layout_engine("constrained")
        rows = (("tracked", update.tracked, TRACKED), ("proposed", update.proposed, PROPOSED))
        grid = figure.subplots(2, len(SHOWN))
        for line, (name, stack, colour) in zip(grid, rows, strict=True):
            for axes, frame in zip(line, SHOWN, strict=True):
                axes.imshow(painted(update.frames[frame], stack[frame], colour))
                axes.contour(update.truth[frame], levels=[0.5], colors="white", linewidths=1.0)
                axes.set(xticks=[], yticks=[])
                axes.set_xlabel(f"IoU {update.iou(stack, frame):.2f}", fontsize=8, labelpad=2)
            line[0].set_ylabel(name, weight="bold")
        for axes, frame in zip(grid[0], SHOWN, strict=True):
            axes.set_title(f"frame {frame}" + (", learned" if frame == LEARNED else ""), fontsize=9)


def painted(frame: np.ndarray, mask: np.ndarray, colour: str) -> np.ndarray:
    """A frame (H, W, 3) with a mask (H, W) in a colour over it."""
    tint = 255 * np.array(mpl.colors.to_rgb(colour))
    return np.where(mask[..., None], 0.25 * frame + 0.75 * tint, frame).astype(np.uint8)


def reach(theme: Theme, update: Update) -> None:
    """How the loss falls in the update, and the IoU of both masks on the frames after it."""
    with drawn("reach.svg", theme, (7.6, 2.4)) as figure:
        figure.set_layout_engine("constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1, 2))
        left.plot(update.losses, color=theme.learning)
        left.set(xlabel="step", ylabel="loss on the correction", ylim=(0, None))
        later = range(LEARNED, LAST + 1)
        rows = (("tracked", update.tracked, theme.frozen), ("proposed", update.proposed, theme.learning))
        for name, stack, colour in rows:
            right.plot(later, [update.iou(stack, frame) for frame in later], color=colour, marker=".", label=name)
        right.axhline(0.5, color=theme.ink, linewidth=0.8, linestyle=":")
        right.set(xlabel="frame", ylabel="IoU with the truth", ylim=(0, 1))
        right.legend(frameon=False, loc="upper right", ncols=2)
        for axes in (left, right):
            plain(axes)


def plain(axes: Axes) -> None:
    """Take away the lines that say nothing."""
    axes.spines[["top", "right"]].set_visible(False)


def main() -> None:
    """Draw them all."""
    FOLDER.mkdir(exist_ok=True)
    update = one_update()
    for theme in THEMES:
        loop(theme)
        masks(theme, update)
        reach(theme, update)


if __name__ == "__main__":
    main()
