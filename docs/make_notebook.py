"""`python docs/make_notebook.py`: docs/python.md as a notebook, run in this folder; needs `raysed[docs]` and a demo.

Prose becomes cells of text and each block of Python a cell of code, so that the page and the notebook cannot differ.
"""

import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PAGE = Path(__file__).with_name("python.md")
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main(note: str) -> None:
    """Write docs/python.ipynb with what each cell printed; `note` says what it was run on."""
    cells, at = [], 0
    text = PAGE.read_text()
    for block in _BLOCK.finditer(text):
        cells += [
            new_markdown_cell(text[at : block.start()].strip()),
            new_code_cell(block[1].strip()),
        ]
        at = block.end()
    cells.append(new_markdown_cell(text[at:].strip()))
    cells.insert(1, new_markdown_cell(f"*{note}*"))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    notebook = new_notebook(cells=[cell for cell in cells if cell.source])
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for out in cell.get("outputs", ()):
            out.get("data", {}).pop("image/jpeg", None)  # the same picture as its PNG
    nbformat.write(notebook, PAGE.with_suffix(".ipynb"))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "What each cell gave after a demo.")
