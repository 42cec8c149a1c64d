"""Tables on disk that live as long as their process, for lists that may be too long for memory.

SQLite keeps a private database without a name: nothing of it is left, however the process ends. What is small never
reaches the disk.
"""

import errno
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

_CACHE_KIB = 2_000
_SETTINGS = (
    f"cache_size = -{_CACHE_KIB}",
    "temp_store = FILE",  # what is sorted goes to disk, too
    "journal_mode = OFF",
    "synchronous = OFF",
)


class ScratchDatabase:
    """A private database. Its folder is SQLite's: TMPDIR where that is set, else /var/tmp or /tmp."""

    def __init__(self, *statements: str) -> None:
        """Open it and run some statements, which make its tables."""
        # A plan may be made in one thread and used in another, one after the other.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for setting in _SETTINGS:
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute("BEGIN")  # one transaction, which never ends, costs nothing a row
        for statement in statements:
            self.run(statement)

    def __del__(self) -> None:
        self._database.close()

    def run(self, statement: str) -> None:
        """Run a statement. Raises OSError where the disk is full or fails."""
        with _told():
            self._database.execute(statement)

    def add(self, table: str, rows: Iterable[tuple]) -> None:
        """Append rows to a table. Raises UnicodeEncodeError for a text that is no UTF-8, OSError as `run` does."""
        with _told():
            columns = len(self._database.execute(f"SELECT * FROM {table} LIMIT 0").description)
            values = ",".join("?" * columns)
            self._database.executemany(f"INSERT INTO {table} VALUES ({values})", rows)

    def rows(self, query: str, *values: Any) -> Iterator[tuple]:
        """Yield what a query finds, one row at once. Raises OSError as `run` does."""
        with _told():
            yield from self._database.execute(query, values)

    def value(self, query: str, *values: Any) -> Any:
        """Return the first column of the first row that a query finds."""
        return next(self.rows(query, *values))[0]


@contextmanager
def _told() -> Iterator[None]:
    """Say of a database that cannot grow what the operating system says of a file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        full = "full" in str(error)
        number = errno.ENOSPC if full else errno.EIO
        place = os.environ.get("SQLITE_TMPDIR") or os.environ.get("TMPDIR") or "/var/tmp"
        raise OSError(number, os.strerror(number) if full else str(error), place) from error
