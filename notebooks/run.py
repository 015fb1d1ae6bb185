"""Run notebooks and keep their outputs, of widgets the pictures alone: views mean nothing without a kernel."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

VIEW = "application/vnd.jupyter.widget-view+json"
BY_MOUSE = "by_mouse"
"""Metadata of a cell: in code, what the text asks the reader to do by mouse in the widget that the cell shows."""


def run(path):
    """Execute a notebook in place."""
    notebook = nbformat.read(path, as_version=4)
    cells = notebook.cells
    mouse = {cell.id: nbformat.v4.new_code_cell(cell.metadata[BY_MOUSE]) for cell in cells if BY_MOUSE in cell.metadata}
    notebook.cells = [each for cell in cells for each in (cell, mouse.get(cell.id)) if each]
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    notebook.cells = cells
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), 1):
        # A widget that is shown goes on with the mouse; its saved picture is what that came to.
        outputs = mouse.get(cell.id, cell).outputs
        cell.outputs = [kept for output in outputs if (kept := without_view(output))]
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    for cell in cells:
        cell.metadata.pop("execution", None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}
    nbformat.write(notebook, path)


def without_view(output):
    """A widget's static picture in its place, or nothing if it has none; any other output as it is."""
    if VIEW not in output.get("data", {}):
        return output
    output.data = {kind: data for kind, data in output.data.items() if kind.startswith("image/")}
    return output if output.data else None


if __name__ == "__main__":
    for each in sys.argv[1:]:
        run(Path(each))
