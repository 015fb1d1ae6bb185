"""Run the code on pages as a reader would: in an interpreter of its own, page by page in a folder with a short video.

python tests/page_code.py FOLDER PAGE... prints a JSON object: what went wrong, by page.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>.+?) -->\n)?```(?P<language>\S*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """One fence: where it stands, what is in it, and why it is not run, if it is not."""

    line: int
    language: str
    code: str
    reason: str | None

    @property
    def runs(self) -> bool:
        return self.reason is None and self.language != "text"


def blocks(page: Path) -> Iterator[Block]:
    """The fences of a page."""
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start("code")) + 1
        yield Block(line, found["language"], found["code"], found["reason"])


def run_page(page: Path) -> None:
    """Run what is to be run, Python in one namespace from the first block to the last."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.runs and block.language == "python":
            # Empty lines in front, so that a traceback has the page's own numbers.
            exec(compile("\n" * (block.line - 1) + block.code, str(page), "exec"), names)
        elif block.runs:
            for command in block.code.splitlines():
                run_command(shlex.split(command, comments=True))
    for value in names.values():
        if type(value).__name__ == "LITWidget":
            value.close()


def run_command(words: list[str]) -> None:
    """Run a line of a shell; only our own command is one that needs nothing but this package."""
    from lit_widget.cli import main

    if not words or words[0] != "lit-widget":
        raise ValueError(f"{words} is not a lit-widget command; say why it is not run: <!-- not run: REASON -->")
    if status := main(words[1:]):
        raise ValueError(f"{shlex.join(words)} exits with {status}")


def write_video(path: Path) -> None:
    """A video as a reader has one, but short."""
    import av

    from lit_widget import embedded_clip

    frames = embedded_clip("easy", 0, frames=8).frames
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=8)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode())


def main() -> None:
    desk, *pages = map(Path, sys.argv[1:])
    wrong = {}
    for number, page in enumerate(pages):
        folder = desk / str(number)
        folder.mkdir()
        write_video(folder / "clip.mp4")
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                run_page(page)
        except (Exception, SystemExit):  # noqa: BLE001 - whatever a page does, the next one runs
            wrong[str(page)] = traceback.format_exc()
    print(json.dumps(wrong))


if __name__ == "__main__":
    main()
