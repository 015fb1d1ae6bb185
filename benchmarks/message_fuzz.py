"""Messages from strangers: real ones with values, fields and buffers changed at random, sent to a real widget.

python -m benchmarks.message_fuzz --messages 10000 --json benchmarks/results/message-fuzz.json
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.result import write_result
from lit_widget.core.update import UpdateConfig
from lit_widget.video.models import load_model
from lit_widget.video.pocket.clips import embedded_clip
from lit_widget.widget.codec import encode_mask
from lit_widget.widget.widget import LITWidget

CLIP = embedded_clip("union", 0, frames=4)
CONTRACT = Path(__file__).parents[1] / "tests" / "contract"

PER_WIDGET = 250
"""Messages until a new widget takes over, so that no state becomes so odd that everything is refused."""

HANDLED_WITHIN_S = 1.0
"""A handler only puts work in a queue; the kernel answers nothing else meanwhile."""

DONE_WITHIN_S = 60.0

ODD: list[Any] = [
    *(None, True, False, 0, 1, 2, 3, 4, -1, 2**31, 2**63, -(2**70), 10**400, 0.5, 1e308, -1e-300),
    *(float("nan"), float("inf"), "", "1", "\0", "x" * 10_000, "#ffffff", "<img src=x onerror=alert(1)>", "../../etc"),
    *("'; DROP TABLE object; --", "\ud800", [], {}, [[]], [0] * 100_000, {"type": "undo"}, [None, 1.5, "a"]),
]


def samples() -> list[dict[str, Any]]:
    """A real message of every type that a view sends."""
    read = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(CONTRACT.glob("*.json"))]
    return [sample["message"] for sample in read if sample["direction"] == "to_kernel"]


def changed(message: dict[str, Any], draw: random.Random) -> Any:
    """A message that a stranger could have sent."""
    # Inside the clip more often than not, so that what is sent is not all refused for its frame.
    message = {key: draw.randrange(4) if key in ("frame", "start") else value for key, value in message.items()}
    message |= {"object": draw.randrange(1, 3)} if "object" in message else {}
    for _ in range(draw.choice((0, 1, 1, 2))):
        key = draw.choice(list(message)) if draw.random() < 0.9 else draw.choice(("extra", "__class__", ""))
        message[key] = draw.choice(ODD)
        if draw.random() < 0.1:
            message.pop(key)
        if not message:
            break
    return draw.choice(ODD) if draw.random() < 0.03 else message


def buffers(kind: object, draw: random.Random) -> list[bytes]:
    """What travels beside it: for a mask mostly one: whole, damaged, of another size or inflating without end."""
    if kind != "giveMask":
        return [draw.randbytes(8)] if draw.random() < 0.05 else []
    mask = bytearray(encode_mask(CLIP.target[draw.randrange(4)]))
    damage = draw.randrange(6)
    if damage == 0:
        mask[draw.randrange(len(mask))] = draw.randrange(256)
    elif damage == 1:
        del mask[draw.randrange(len(mask)) :]
    elif damage == 2:
        mask = bytearray(encode_mask(np.ones((draw.randrange(1, 400), 256), bool)))
    elif damage == 3:
        mask = bytearray(zlib.compress(bytes(20_000_000), 9))
    return [bytes(mask)] * draw.choice((1, 1, 1, 1, 0, 2))


def outcome(widget: LITWidget, heard: list[dict[str, Any]], content: object, sent: list[bytes]) -> str:
    """What became of one message; whatever is neither a sentence nor works is named."""
    heard.clear()
    began = time.perf_counter()
    try:
        widget._receive(widget, content, sent)  # noqa: SLF001
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        return f"TRACEBACK: {type(error).__name__}: {str(error)[:80]}"
    if time.perf_counter() - began > HANDLED_WITHIN_S:
        return "HANDLED IN MORE THAN 1 s"
    if not all(worker.wait(DONE_WITHIN_S) for worker in (widget._model_worker, widget._pixel_worker)):  # noqa: SLF001
        return "HANGS"
    errors = [message["message"] for message in heard if message["type"] == "error"]
    odd = [text for text in errors if text.startswith("Unexpected") or "\n" in text or len(text) > 500]
    if odd:
        return f"NO SENTENCE: {odd[0][:120]}"
    return "refused with a sentence" if errors else "works"


def outcomes(folder: Path, count: int, seed: int) -> Iterator[str]:
    """What became of each message, and at the end of each widget whether its session file opens."""
    draw, real, model = random.Random(seed), samples(), load_model("pocket", device="cpu")
    for first in range(0, count, PER_WIDGET):
        path, heard = folder / f"{first}.lit", []
        widget = LITWidget(CLIP.frames, model=model, session=path, update=UpdateConfig(epochs=1))
        widget._outbox._send = lambda message, _, heard=heard: heard.append(message)  # noqa: SLF001
        widget.give_mask(0, CLIP.target[0])
        widget.track()
        widget.wait()
        for _ in range(min(PER_WIDGET, count - first)):
            content = changed(draw.choice(real), draw)
            kind = content.get("type") if isinstance(content, dict) else None
            yield outcome(widget, heard, content, buffers(kind, draw))
        widget.close()
        LITWidget.open(path, video=CLIP.frames).close()
        path.unlink()


def main() -> None:
    """Counts of what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        counted = Counter(outcomes(Path(name), arguments.messages, arguments.seed))
    rows = [{"outcome": outcome, "messages": count} for outcome, count in counted.most_common()]
    for row in rows:
        print(f"{row['messages']:6d} {row['outcome']}", flush=True)
    print(f"{time.perf_counter() - began:.0f} s")
    if arguments.json:
        settings = {"messages": arguments.messages, "seed": arguments.seed, "sources": ["embedded:union:0"]}
        write_result(arguments.json, "message-fuzz", settings, {"messages": pd.DataFrame(rows)})


if __name__ == "__main__":
    main()
