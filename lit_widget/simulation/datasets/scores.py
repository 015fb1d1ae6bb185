"""What each benchmark reports of one object, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lit_widget.simulation.metrics import davis_object, mosev2_object, sav_object, vost_object

from .sequence import Judged, Mask

Pairs = Iterable[tuple[Mask, Mask]]


def scored(by: Callable[[Pairs], dict[str, float]]) -> Callable[[int, Iterable[Judged]], dict[str, float]]:
    """A `Sequence.score` that is the same for all objects and takes all frames."""
    return lambda _, frames: by((predicted, true) for _, predicted, true in frames)


def davis(frames: Pairs) -> dict[str, float]:
    """J&F, and of J and F the mean, recall and decay."""
    found = davis_object(frames)
    rows = {"J": found.j, "F": found.f}
    return (
        {"J&F": found.j_and_f}
        | {name: each.mean for name, each in rows.items()}
        | {f"{name} recall": each.recall for name, each in rows.items()}
        | {f"{name} decay": each.decay for name, each in rows.items()}
    )


def vost(frames: Pairs) -> dict[str, float]:
    """J, and J of the last quarter."""
    found = vost_object(frames)
    return {"J": found.j, "J_tr": found.j_tr}


def sav(frames: Pairs) -> dict[str, float]:
    """J&F, J and F."""
    found = sav_object(frames)
    return {"J&F": found.j_and_f, "J": found.j, "F": found.f}


def mosev2(frames: Pairs) -> dict[str, float]:
    """J&Ḟ and its parts, the same where the object is gone and where it came back, and J&F."""
    found = mosev2_object(frames)
    return {
        "J&Ḟ": found.j_and_f_adaptive,
        "J": found.j,
        "Ḟ": found.f_adaptive,
        "J&Ḟ_d": found.disappearance,
        "J&Ḟ_r": found.reappearance,
        "F": found.f,
        "J&F": found.j_and_f,
    }
