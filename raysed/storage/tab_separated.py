"""The one grammar of the TSV files that are read here: annotations, durations, predictions, frame scores.

UTF-8 with or without a byte order mark; lines end in LF, CRLF or CR; the first line names the columns; fields
are separated by one tab and there is no quoting: a quotation mark is a letter of a name, as in DESED's files.
Blank lines say nothing. Empty fields at the end of a row may be left out (`b.wav` alone is a clip without
events), but not where the table has only two columns. Blanks at the ends of a number are dropped; at the ends of
a name they would make another clip or class, so they are refused.
"""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from raysed.storage.files import read_bytes
from raysed.storage.places import is_url

NAMES = ("filename", "event_label")
"""The columns that hold names."""
LONGEST_FIELD = 100_000
_OTHER_SEPARATORS = re.compile(r"[,;|]\s*[\d.]+\s*[,;|]|\.\w+[,;|]|\s[\d.]+\s")
"""Separators that the only field of a row holds where it was written with something other than tabs."""
_SHOWN = 120
_NO_TEXT = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet",
    b"\x1f\x8b": "compressed by gzip",
    b"\x93NUMPY": "a NumPy array",
    b"PAR1": "a Parquet file",
}
"""The first bytes of files of other kinds."""


@dataclass(frozen=True)
class Table:
    """The rows of a TSV that are not blank, each with as many fields as the header has columns."""

    path: str | Path
    columns: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    """The line of each row, counted from 1, the header."""
    faults: list[tuple[int, str]]
    """Rows that break the grammar, by line; they are not among `rows`."""

    def refuse_faults(self) -> None:
        """Raise ValueError for the first row that breaks the grammar."""
        for line, fault in self.faults:
            more = f" ({len(self.faults)} such rows)" if len(self.faults) > 1 else ""
            raise ValueError(f"{self.path}, line {line}: {fault}{more}")


def read_table(path: str | Path, expected: Sequence[str]) -> Table:
    """Read the fields of a TSV, by path or URL, as text; the expected columns are among its own, in any order.

    Raises ValueError, naming the file, for what is no text, and for a header that lacks a column or names one
    twice. Rows that break the grammar are listed in `faults`, for the caller to refuse.
    """
    header, *lines = _text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    columns = tuple(header.split("\t"))
    _check_header(path, columns, expected)
    name_columns = [i for i, column in enumerate(columns) if column in NAMES]
    table = Table(path, columns, [], [], [])
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        fields = line.split("\t")
        fault = _fault(fields, columns, name_columns)
        if fault:
            table.faults.append((number, fault))
            continue
        fields = [f if i in name_columns else f.strip() for i, f in enumerate(fields)]
        table.rows.append(fields + [""] * (len(columns) - len(fields)))
        table.lines.append(number)
    return table


def read_header(path: str | Path) -> tuple[str, ...]:
    """Return the columns of a TSV without reading its rows. Raises ValueError as `read_table` does for these."""
    path = Path(path)
    with path.open("rb") as file:
        line = file.readline(LONGEST_FIELD)
    if not line.endswith(b"\n") or b"\r" in line.removesuffix(b"\r\n") or b"\0" in line:
        return read_table(path, ()).columns
    columns = tuple(line.decode("utf-8-sig", "replace").rstrip("\r\n").split("\t"))
    _check_header(path, columns, ())
    return columns


def shown(text: str) -> str:
    """Return a field or row for a message: quoted, with its tabs visible, and not longer than a line."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _text(path: str | Path) -> str:
    content = read_bytes(str(path)) if is_url(path) else Path(path).read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError(f"{path}: is UTF-16 text; save it as UTF-8")
    for begin, what in _NO_TEXT.items():
        if content.startswith(begin):
            raise ValueError(f"{path}: is {what}; expected tab-separated text")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {line}: is not UTF-8 text (byte {error.object[error.start]:#04x}); "
            "save it as UTF-8"
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(f"{path}, line {line}: is not text (a zero byte); save it as UTF-8")
    return text


def _check_header(path: str | Path, columns: tuple[str, ...], expected: Sequence[str]) -> None:
    if missing := [column for column in expected if column not in columns]:
        quoted = "; quotation marks are letters here" if '"' in "".join(columns) else ""
        raise ValueError(
            f"{path}, line 1: expected the tab-separated columns {', '.join(expected)}; "
            f"{', '.join(missing)} is missing from {shown(chr(9).join(columns)) if any(columns) else 'an empty line'}{quoted}"
        )
    for column in columns:
        if columns.count(column) > 1:
            raise ValueError(f"{path}, line 1: the column {shown(column)} stands there twice")
        if column != column.strip():
            raise ValueError(
                f"{path}, line 1: the column {shown(column)} begins or ends with a blank; remove it"
            )


def _fault(fields: list[str], columns: Sequence[str], name_columns: Sequence[int]) -> str | None:
    if len(fields) > len(columns):
        row = shown("\t".join(fields))
        return f"more fields than the header has columns ({len(fields)}, {len(columns)}): {row}"
    if len(fields) == 1 < len(columns) and _OTHER_SEPARATORS.search(fields[0]):
        return f"{shown(fields[0])} is the only field: columns must be separated by tabs"
    if (len(fields), len(columns)) == (1, 2):
        return f"1 field, expected {len(columns)}: {shown(fields[0])}"
    longest = max(map(len, fields))
    if longest > LONGEST_FIELD:
        return f"a field of {longest:,} characters, expected at most {LONGEST_FIELD:,}"
    for i in name_columns:
        if i < len(fields) and fields[i] != fields[i].strip():
            return (
                f"the {columns[i]} {shown(fields[i])} begins or ends with a blank, "
                "which would make it another name; remove it"
            )
    return None
