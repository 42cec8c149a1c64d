"""Where tables are printed: as wide as the terminal, or as the table where there is none (a pipe, a log)."""

import sys

from rich.console import Console

_WIDE = 500
"""Columns; wider than any table. A table is no wider than its cells."""


def console() -> Console:
    """For standard output."""
    return Console(width=None if sys.stdout.isatty() else _WIDE)
