"""`lit-widget export`: masks from one format to another, without a notebook."""

from __future__ import annotations

import argparse
import sys


def add_export(commands: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    """Add the command to the parser's."""
    export = commands.add_parser("export", help="write masks in another format")
    export.add_argument("masks", metavar="MASKS", help="file or folder of the masks of one video")
    export.add_argument("--to", required=True, metavar="FORMAT", help="see `lit-widget list`")
    export.add_argument("--out", required=True, metavar="PATH", help="file or folder to appear")
    export.add_argument("--from", dest="source", metavar="FORMAT", help="what it looks like by default")
    export.add_argument("--video", metavar="PATH", help="for formats that show it")
    export.add_argument("--overwrite", action="store_true", help="replace a file, or a folder of such an export")
    export.set_defaults(run=_export)


def _export(parsed: argparse.Namespace) -> int:
    from tqdm import tqdm

    from lit_widget.video.formats.registry import check_export, export_masks, read_masks, with_video
    from lit_widget.video.frames import open_frames

    check_export(parsed.out, parsed.to, overwrite=parsed.overwrite)
    try:
        with tqdm(desc="reading", disable=None) as bar:

            def step(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            masks = read_masks(parsed.masks, parsed.source, step=step)
            if parsed.video is not None:
                masks = with_video(masks, open_frames(parsed.video))
            bar.reset()
            bar.set_description("writing")
            report = export_masks(masks, parsed.out, parsed.to, overwrite=parsed.overwrite, step=step)
    except KeyboardInterrupt:
        sys.stderr.write("lit-widget: stopped; nothing was written\n")
        return 130
    sys.stdout.write(f"{report}\n")
    return 0
