"""Train the pocket CLIP from scratch on procedural pictures, on one CPU core, resumable at any moment.

    python -m lit_widget.images.pocket.train --out DIR --minutes 20

Every step draws new pictures in the plain style. Stopping and starting again continues from the last checkpoint; the
schedule counts minutes of processor time, not of the calendar. In the end the model is in `DIR/weights`.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from .architecture import TEMPLATES, build_pocket, build_processor, build_tokenizer
from .pictures import LOOKS, Look, picture

BATCH = 192
PEAK_RATE = 1e-3
LOG_STEPS = 50
CHOICES = [sorted(set(values), key=values.index) for values in map(list, zip(*LOOKS, strict=True))]
KNOWN = [look for look in LOOKS if not look.held_out]


def batch(random: np.random.Generator) -> tuple[list[Look], list[str], list[np.ndarray]]:
    """Pictures of look-alikes with their captions: half of a batch differs in few respects from the other half."""
    half = [KNOWN[index] for index in random.integers(len(KNOWN), size=BATCH // 2)]
    looks = half + [_neighbour(look, random) for look in half]
    templates = random.choice(TEMPLATES, size=BATCH)
    captions = [str(template).replace("{}", look.name) for template, look in zip(templates, looks, strict=True)]
    return looks, captions, [picture(look, random) for look in looks]


def _neighbour(look: Look, random: np.random.Generator) -> Look:
    """A class that differs in one respect, which is never the held-out combination of its colour, texture and shape."""
    field = random.integers(len(Look._fields))
    others = [look._replace(**{Look._fields[field]: value}) for value in CHOICES[field]]
    known = [other for other in others if other != look and not other.held_out]
    return known[random.integers(len(known))]


def contrast(scores: Float[Tensor, "n n"], same: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    """CLIP's loss; pictures of one class share their captions.

    Args:
        scores: of each picture (row) with each caption.
        same: 1 where picture and caption are of one class.
    """
    wanted = same / same.sum(1, keepdim=True)
    return (F.cross_entropy(scores, wanted) + F.cross_entropy(scores.T, wanted)) / 2


def rate(share: float, step: int) -> float:
    """Warm-up over 100 steps, then a cosine down to 1 % of the peak."""
    return PEAK_RATE * min(1.0, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


def main() -> None:
    """Train until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    checkpoint = given.out / "checkpoint.pt"
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    model, tokenizer, processor = build_pocket().train(), build_tokenizer(), build_processor()
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, weight_decay=0.05, betas=(0.9, 0.98))
    step, seconds = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds = state["step"], state["seconds"]
    random = np.random.default_rng([given.seed, step])
    last = time.process_time()
    while seconds < 60 * given.minutes:
        for group in optimizer.param_groups:
            group["lr"] = rate(seconds / (60 * given.minutes), step)
        looks, captions, pictures = batch(random)
        tokens = tokenizer(captions, padding=True, return_tensors="pt")
        pixels = processor(images=pictures, return_tensors="pt", input_data_format="channels_last")["pixel_values"]
        scores = model(
            input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"], pixel_values=pixels
        ).logits_per_image
        same = torch.tensor([[one == other for other in looks] for one in looks], dtype=torch.float32)
        loss = contrast(scores, same)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=math.log(100))
        now = time.process_time()
        step, seconds, last = step + 1, seconds + now - last, now
        if step % LOG_STEPS == 0:
            right = scores.argmax(1)
            hit = same[torch.arange(BATCH), right].mean()
            print(f"{seconds / 60:5.1f} min, step {step}: loss {loss:.3f}, right caption first {hit:.2f}", flush=True)
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": seconds}
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)
    for part in (model.half(), tokenizer, processor):
        part.save_pretrained(given.out / "weights")
    print(f"{given.out / 'weights'}: {step} steps, {seconds / 60:.1f} minutes")


if __name__ == "__main__":
    main()
