"""Give notebooks a Colab badge and a first cell that installs lit-widget there, once the repository has an address.

python notebooks/colab.py https://github.com/OWNER/lit-widget notebooks/*.ipynb
"""

import re
import sys
from pathlib import Path

import nbformat

BADGE, INSTALL = "colab-badge", "colab-install"
"""Ids of the two cells, by which a second run finds them."""

# sam2 is published as source only and names torch as a build requirement: without isolation it takes the one there is.
CELL = """\
import sys

if "google.colab" in sys.modules:  # elsewhere this cell does nothing
    %env SAM2_BUILD_CUDA=0
    %pip install -q --no-build-isolation sam2
    %pip install -q git+{repository}"""


def prepare(path, repository, branch="main"):
    """Write both cells to the front of a notebook, in the place of those of an earlier run."""
    notebook = nbformat.read(path, as_version=4)
    where = f"{repository.removeprefix('https://github.com/')}/blob/{branch}/notebooks/{path.name}"
    badge = (
        "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        f"(https://colab.research.google.com/github/{where})"
    )
    rest = [cell for cell in notebook.cells if cell.id not in (BADGE, INSTALL)]
    notebook.cells = [
        nbformat.v4.new_markdown_cell(badge, id=BADGE),
        nbformat.v4.new_code_cell(CELL.format(repository=repository), id=INSTALL),
        *rest,
    ]
    nbformat.write(notebook, path)


def main(repository, *paths):
    """Prepare all notebooks for the address that the repository has."""
    repository = repository.rstrip("/").removesuffix(".git")
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", repository):
        sys.exit(f"got {repository!r}; give the address on GitHub, like https://github.com/OWNER/lit-widget")
    for path in paths:
        prepare(Path(path), repository)


if __name__ == "__main__":
    main(*sys.argv[1:])
