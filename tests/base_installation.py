"""A process that has the base installation only: the packages of the extras are not to be found."""

import os
import subprocess
import sys

from raysed.extras import EXTRAS

HIDE = """
import importlib.abc, sys
HIDDEN = {hidden!r}
class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
"""


def base_code(code, kept=()):
    """Python that hides what the extras bring, and Triton, which comes with torch for GPUs alone; then does `code`."""
    hidden = {"triton"} | {module for extra in EXTRAS.values() for module in extra}
    return HIDE.format(hidden=hidden - {*kept}) + code


def run_base(code, *arguments, cwd, kept=(), path=None):
    """Run `code` in a process of the base installation."""
    environment = {**os.environ, "COLUMNS": "80"} | ({"PYTHONPATH": str(path)} if path else {})
    return subprocess.run(
        [sys.executable, "-c", base_code(code, kept), *map(str, arguments)],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip


COMMAND = "from raysed.cli.entry import main; main()"
