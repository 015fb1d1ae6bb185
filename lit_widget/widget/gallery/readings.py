"""What can be read from the gallery, and what is made of it."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .labelling import Labelling
from .looking import Look
from .pictures import Pictures
from .simulate import simulate
from .table import table_of, write_table

if TYPE_CHECKING:
    import pandas as pd

    from lit_widget.simulation.classification import ClassificationResult


class Readings:
    """The properties and methods of `LITClassifier` that tell labels and how they came about."""

    _labelling: Labelling
    _look: Look
    _pictures: Pictures

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return list(self._labelling.classes)

    @property
    def labels(self) -> pd.DataFrame:
        """One row per image, also those without a label.

        Columns are `name`, `label` (`None` while there is none), `verdict` ("open", "confirmed" where the model knew,
        "accepted" where the adapter did, "corrected", "skipped" or "unreadable"), `flagged`, `looks_like` (the model's
        first guess), `learned` and `update_s` (seconds of the update).
        """
        return table_of(self._labelling)

    @property
    def image(self) -> int:
        """The image to label next, -1 while there is none."""
        return self._labelling.image

    @property
    def problems(self) -> dict[int, str]:
        """Images that cannot be read, and why."""
        return self._look.store.refused.copy()

    @property
    def counts(self) -> dict[str, int]:
        """How many labels were confirmed, accepted (each saved a correction) and corrected, and images skipped."""
        counts = self._labelling.book.counts
        return {verdict: counts[verdict] for verdict in ("confirmed", "accepted", "corrected", "skipped", "flagged")}

    def export(self, path: str | os.PathLike, *, overwrite: bool = False) -> pathlib.Path:
        """Write `labels` to a `.csv` or `.json` file, all or nothing.

        Args:
            path: of the file.
            overwrite: whether to replace one that is there.

        Returns:
            Where it was written.

        Raises:
            ValueError: if the path ends in something else, lies in no folder, or is there already.
        """
        return write_table(self._labelling, path, overwrite=overwrite)

    def run_simulation(
        self, labels: Iterable[str | int | None] | Mapping[int, str | int] | None = None, **options: Any
    ) -> ClassificationResult:
        """Label these images with a simulated user, with and without learning, and count the corrections.

        Args:
            labels: the true class of each image, `None` where it is unknown, or of some by index; without it those of
                the image set, else the labels given so far, are the truth.
            **options: as in `lit_widget.simulate_classification`.

        Returns:
            Corrections per group, with and without learning.

        Raises:
            ValueError: if there are no labels, or they do not fit.
        """
        return simulate(self._labelling, labels, self._pictures.images.labels, options)
