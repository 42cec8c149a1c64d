"""The console that tables are printed on: as wide as the terminal, or as the table where there is none (a
pipe, a log).
"""

import sys

from rich.console import Console

_WIDE = 500
"""Width in columns, more than any table needs; a table is no wider than its cells."""


def console() -> Console:
    """Return the console of standard output."""
    return Console(width=None if sys.stdout.isatty() else _WIDE)
