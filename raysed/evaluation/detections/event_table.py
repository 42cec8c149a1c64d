"""Tables of events and of durations, read from TSVs and checked row by row."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from raysed.storage.plain_table import plain_columns
from raysed.storage.tab_separated import read_table, shown

COLUMNS = ("filename", "onset", "offset", "event_label")

WEIGHTS = frozenset(
    (
        *("confidence", "soft", "soft_label", "score", "weight", "certainty", "likelihood"),
        *("probability", "proba", "prob"),
    )
)
"""Columns, in lower case, that say how much a row counts."""


def eventless(frame: pd.DataFrame) -> np.ndarray:
    """Return bool (rows,): true for rows that only say that the clip exists."""
    columns = (frame[column].isna().to_numpy() for column in ("onset", "offset", "event_label"))
    return np.logical_and.reduce(list(columns))


def read_events_tsv(path: str | Path) -> pd.DataFrame:
    """Read a table of events from a tab-separated file with a header, in any order of columns.

    The index holds line numbers, which the messages of `Events.from_frame` repeat; `attrs["unused"]` names the
    other columns of the file, which are left out. Raises ValueError, naming file and line, for a missing column,
    a time that is no number, an onset before 0 and an offset before its onset.
    """
    frame = _read_tsv(path, COLUMNS)
    for column in ("onset", "offset"):
        frame[column] = _numbers(frame, column)
    missing_R3 = frame[["onset", "offset", "event_label"]].isna().to_numpy()
    partly = missing_R3.any(axis=1) & ~missing_R3.all(axis=1)
    refuse_rows(frame, partly, "has some but not all of onset, offset and event_label")
    refuse_rows(frame, (frame["onset"] < 0).to_numpy(), "has an onset before 0 s")
    refuse_rows(
        frame, (frame["offset"] < frame["onset"]).to_numpy(), "has its offset before its onset"
    )
    return frame


def refuse_soft_labels(frame: pd.DataFrame) -> None:
    """Raise ValueError where the file weighs its rows (DCASE 2024's `confidence`): events count whole."""
    for column in frame.attrs["unused"]:
        if column.lower() in WEIGHTS:
            raise ValueError(
                f"{frame.attrs['path']}, line 1: the column {column} weighs the rows (soft labels), and "
                "each row counts as one whole event here; keep the rows that are events (such as those "
                f"with a {column} of at least 0.5) and remove the column"
            )


def read_durations_tsv(path: str | Path) -> dict[str, float]:
    """Read the seconds of each clip from a tab-separated file with the columns filename and duration."""
    frame = _read_tsv(path, ("filename", "duration"))
    seconds = _numbers(frame, "duration").to_numpy()
    refuse_rows(
        frame, ~(np.isfinite(seconds) & (seconds > 0)), "needs a duration of positive seconds"
    )
    refuse_rows(frame, frame["filename"].duplicated().to_numpy(), "has more than one duration")
    return dict(zip(frame["filename"], seconds.tolist(), strict=True))


def _read_tsv(path: str | Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read the named columns of a TSV as text, indexed by line number; empty fields are missing values."""
    found = plain_columns(path, columns)
    if found is not None:
        unused = [name for name in found if name not in columns]
        frame = pd.DataFrame({name: found[name] for name in columns}, dtype=object)
        frame.index = range(2, len(frame) + 2)
    else:
        table = read_table(path, columns)
        table.refuse_faults()
        places = [table.columns.index(column) for column in columns]
        rows = [[row[place] or None for place in places] for row in table.rows]
        frame = pd.DataFrame(rows, columns=list(columns), index=table.lines, dtype=object)
        unused = [name for name in table.columns if name not in columns]
    frame.index.name = "line"
    frame.attrs["path"] = str(path)
    frame.attrs["unused"] = unused
    nameless = frame["filename"].isna().to_numpy()
    if nameless.any():
        kept = frame.notna().any(axis=1).to_numpy()
        frame, nameless = frame.loc[kept], nameless[kept]
    refuse_rows(frame, nameless, "has no filename")
    return frame


def _numbers(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return a column as float64. Raises ValueError where a field is neither a number nor empty.

    Each is the float64 nearest to the text, as sed_eval reads it and as a table in memory holds it. pandas' parser may get
    a neighbour of it from 14 digits on, by which a collar that is met exactly is missed.
    """
    numbers = pd.to_numeric(frame[column], errors="coerce").astype(np.float64)
    known = numbers.notna()
    refuse_rows(
        frame,
        (~known & frame[column].notna()).to_numpy(),
        f"has a value of {column} that is no number",
    )
    numbers[known] = list(map(float, frame[column][known]))
    return numbers


def refuse_rows(frame: pd.DataFrame, bad_R: ArrayLike, complaint: str) -> None:
    """Raise ValueError for the first row where `bad_R` is true, with its place and content."""
    bad_R = np.asarray(bad_R, dtype=bool)
    if not bad_R.any():
        return
    row = int(np.flatnonzero(bad_R)[0])
    place = f"{frame.attrs.get('path', 'table')}, {frame.index.name or 'row'} {frame.index[row]}: "
    content = "\t".join("" if pd.isna(value) else str(value) for value in frame.iloc[row])
    name = str(frame["filename"].iloc[row])
    raise ValueError(
        f"{place}clip {name if len(name) <= 200 else shown(name)} {complaint} "
        f"({shown(content)}; {int(bad_R.sum())} such rows)"
    )
