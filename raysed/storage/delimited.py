"""The fields of TSV and CSV files that are written: each stays one field, and none is a formula to a spreadsheet.

File names in them are checked, not changed (raysed/storage/safe_name.py).
"""

import re
from typing import Any

_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def one_line(text: str) -> str:
    """Return a text for people as one field of a TSV: tabs, line breaks and control characters become spaces."""
    return " ".join(_BREAKS.sub(" ", text).split())


def csv_cell(value: Any) -> Any:
    """Return a cell of a CSV; a text that a spreadsheet would take for a formula gets an apostrophe before it.

    Numbers are left as they are, also where several stand in one cell (`-0.1 - 0.3`, `-` for none).
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    return value if all(map(_is_number, value.split())) else f"'{value}"


def _is_number(text: str) -> bool:
    if text == "-":
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True
