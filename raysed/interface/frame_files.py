"""Tables in memory as the files that `raysed score` reads, so that one road checks and counts both."""

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from raysed.storage.clip_name import clip_name

EventTable = pd.DataFrame | Mapping[str, Any]
"""A table by its columns: a DataFrame, or a dictionary of lists or arrays."""
_CALLED = {"filename", "event_label", "group"}
"""The columns that hold names."""


class FrameFiles:
    """A folder that tables are written to; messages about its files are put in terms of the tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: dict[str, str] = {}

    def events(self, given: str | Path | EventTable | Mapping[Any, Any], name: str) -> Path:
        """Return the path of events, of operating points (threshold -> events), or of frame scores (clip -> table)."""
        if not isinstance(given, Mapping) or "filename" in given:
            return self.table(given, name)
        if not given:
            raise ValueError(f"{name}: an empty dictionary")
        of_points = all(isinstance(key, int | float | np.number) for key in given)
        for key, table in given.items():
            called = f"{name}[{key!r}]"
            if not of_points and not isinstance(key, str):
                raise ValueError(
                    f"{called}: expected columns with filename, or thresholds (numbers), or clips (names) as keys"
                )
            if of_points:
                stem = np.format_float_positional(float(key), trim="-")  # 1, and not 1.
            else:
                stem, table = clip_name(key), _frames(table, called)
            self._write(table, f"{name}/{stem}.tsv", called)
        return self.folder / name

    def table(self, given: str | Path | EventTable, name: str) -> Path:
        """Return the path of one table."""
        return (
            Path(given)
            if isinstance(given, str | Path)
            else self._write(given, f"{name}.tsv", name)
        )

    def durations(self, given: str | Path | EventTable | Mapping[str, float], name: str) -> Path:
        """Return the path of the clips' seconds, also where they are given as clip -> seconds."""
        if isinstance(given, pd.Series):
            given = given.to_dict()
        if not isinstance(given, Mapping) or "filename" in given:
            return self.table(given, name)
        return self.table({"filename": list(given), "duration": list(given.values())}, name)

    def _write(self, given: EventTable, file: str, name: str) -> Path:
        frame = _table(given, name)
        path = (self.folder / file).resolve()
        if (other := self._names.get(str(path))) is not None:
            raise ValueError(f"{name} and {other} mean the same ({path.stem}): leave one out")
        if not path.is_relative_to(self.folder.resolve()):
            raise ValueError(f"{name}: leaves the folder of the recordings")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            frame.to_csv(path, sep="\t", index=False, quoting=csv.QUOTE_NONE)
        except csv.Error as error:
            raise ValueError(f"{name}: holds a tab or an end of line, which no name has") from error
        self._names[str(path)] = name
        return path

    def in_their_terms(self, message: str) -> str:
        """Return a message that names tables and rows (the first is 0) where it named files and lines (header: 1)."""
        for path, name in self._names.items():
            message = re.sub(
                re.escape(path) + r", line (\d+)",
                lambda found, name=name: (
                    f"{name}, row {int(found[1]) - 2}" if int(found[1]) > 1 else f"{name}, columns"
                ),
                message,
            ).replace(path, name)
        return message.replace(f"{self.folder.resolve()}/", "")


def _table(given: EventTable, name: str) -> pd.DataFrame:
    """Return a table as DataFrame. Raises ValueError for what is none.

    Names and classes that are whole numbers stay such: pandas makes them floats where one is missing.
    """
    if not isinstance(given, pd.DataFrame | Mapping):
        raise ValueError(
            f"{name}: {type(given).__name__}: expected a path, a DataFrame or a dictionary of columns"
            " (docs/python.md has the forms)"
        )
    try:
        frame = pd.DataFrame(given)
    except ValueError as error:
        raise ValueError(f"{name}: no table: {error}") from error
    whole = {
        column: "Int64"
        for column in _CALLED & {*frame.columns}
        if frame[column].dtype.kind == "f" and (frame[column].dropna() % 1 == 0).all()
    }
    return frame.astype(whole)


def _frames(given: EventTable, name: str) -> pd.DataFrame:
    """Return the frame scores of one clip. Raises ValueError for a table that has none."""
    frame = _table(given, name)
    columns = {str(column) for column in frame.columns}
    if not {"onset", "offset"} < columns or columns & {"filename", "event_label"}:
        raise ValueError(
            f"{name}: columns {', '.join(sorted(columns))}; of a clip frame scores are expected: onset, offset and one"
            " column a class. The events of all clips stand in one table"
        )
    return frame
