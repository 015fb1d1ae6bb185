"""Run notebooks and keep their outputs, of widgets the pictures alone: views mean nothing without a kernel."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

VIEW = "application/vnd.jupyter.widget-view+json"


def without_view(output):
    """A widget's static picture in its place, or nothing if it has none; any other output as it is."""
    if VIEW not in output.get("data", {}):
        return output
    output.data = {kind: data for kind, data in output.data.items() if kind.startswith("image/")}
    return output if output.data else None


def run(path):
    """Execute a notebook in place."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [kept for output in cell.outputs if (kept := without_view(output))]
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for each in sys.argv[1:]:
        run(Path(each))
