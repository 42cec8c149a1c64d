"""The examples of docs/python.md, and a folder in which they run: a stored run under the demo's names."""

import ast
import re

from tests.old_run.old import copy_old_run
from tests.paths import ROOT

PAGE = ROOT / "docs" / "python.md"
NOTEBOOK = ROOT / "docs" / "python.ipynb"


def examples():
    """The Python of the page, block by block."""
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def demo_folder(root):
    """Make a folder that looks like raysed's own after a demo; return it."""
    copy_old_run(root)
    (root / "runs/demo").symlink_to(root / "runs/finished")
    (root / "data/demo_tree").symlink_to(root / "sounds")
    return root


def run_block(block, names):
    """Execute a block as a notebook would; return the value of its last expression, or None."""
    tree = ast.parse(block)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(tree, "docs/python.md", "exec"), names)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "docs/python.md", "exec"), names)
    return eval(compile(ast.Expression(last.value), "docs/python.md", "eval"), names)
