"""Run the notebook of docs/examples again, and keep what it shows.

    python assets/run_notebook.py

Look at what it made before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent / "docs" / "examples" / "tutorial.ipynb"
_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def main() -> None:
    """Write the notebook with what its cells give now."""
    notebook = ran(NOTEBOOK)
    # What tells of this computer is left out, and warnings: the same run gives the same file.
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    )
    nbformat.write(notebook, NOTEBOOK)


def ran(path: Path) -> nbformat.NotebookNode:
    """A notebook with what its cells give when they are run, one after the other, from the first.

    Raises:
        CellExecutionError: A cell raised.
    """
    notebook = nbformat.read(path, nbformat.NO_CONVERT)
    root = Path(__file__).parent.parent
    client = NotebookClient(
        notebook, timeout=600, record_timing=False, resources={"metadata": {"path": str(root)}}
    )
    # With other numbers of threads the last bits differ, and the pictures by a shade.
    client.execute(env=os.environ | {"OMP_NUM_THREADS": "1"})
    return notebook


if __name__ == "__main__":
    main()
