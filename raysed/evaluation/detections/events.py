"""Sound events as arrays: annotated events, and events that a system detected.

Times are seconds from the start of the clip. Nothing is repaired: overlapping, touching,
zero-length events and offsets past the end of the clip are kept as they are, since each metric has
its own rule for them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

COLUMNS = ("filename", "onset", "offset", "event_label")

_OTHER_SEPARATORS = r"[,;|]\s*[\d.]+\s*[,;|]|\s[\d.]+\s"
"""Separators that a file name holds when a whole row was written with something other than tabs."""


@dataclass(frozen=True)
class Events:
    """E events, sorted by (clip, onset); events of equal onset keep the order they came in."""

    clip_E: np.ndarray
    """int32, position in the list of file names."""
    label_E: np.ndarray
    """int32, position in the list of classes."""
    onset_E: np.ndarray
    """float64, seconds."""
    offset_E: np.ndarray
    """float64, seconds, not before the onset."""

    def __len__(self) -> int:
        """E."""
        return self.clip_E.size

    @classmethod
    def sort(
        cls, clip_E: ArrayLike, label_E: ArrayLike, onset_E: ArrayLike, offset_E: ArrayLike
    ) -> Self:
        """Make events from arrays in any order."""
        order_E = np.lexsort((np.asarray(onset_E), np.asarray(clip_E)))
        return cls(
            np.asarray(clip_E, np.int32)[order_E],
            np.asarray(label_E, np.int32)[order_E],
            np.asarray(onset_E, np.float64)[order_E],
            np.asarray(offset_E, np.float64)[order_E],
        )

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, filenames: Sequence[str], classes: Sequence[str]
    ) -> Self:
        """Make events from a table with the columns filename, onset, offset and event_label, in any order.

        Rows whose onset, offset and label are all empty stand for clips without events and give
        none. Raises ValueError, naming the clip (and the line, for a table of `read_events_tsv`),
        for unknown clips or labels, missing or infinite times and offsets before onsets.
        """
        clip_E = pd.Index(filenames).get_indexer(pd.Index(frame["filename"]))
        refuse_rows(frame, clip_E < 0, f"is not one of the {len(filenames)} clips of the set")
        empty_R = eventless(frame)
        if empty_R.any():
            frame, clip_E = frame.loc[~empty_R], clip_E[~empty_R]
        label_E = pd.Index(classes).get_indexer(pd.Index(frame["event_label"]))
        onset_E = pd.to_numeric(frame["onset"], errors="coerce").to_numpy(np.float64)
        offset_E = pd.to_numeric(frame["offset"], errors="coerce").to_numpy(np.float64)
        refuse_rows(frame, frame["event_label"].isna().to_numpy(), "has times but no event_label")
        refuse_rows(frame, label_E < 0, f"has a label that is not one of {', '.join(classes)}")
        refuse_rows(
            frame,
            ~(np.isfinite(onset_E) & np.isfinite(offset_E)),
            "needs onset and offset as finite seconds",
        )
        refuse_rows(frame, offset_E < onset_E, "has its offset before its onset")
        return cls.sort(clip_E, label_E, onset_E, offset_E)

    def to_frame(self, filenames: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
        """Return the events as a table in DESED's columns."""
        columns = (
            np.asarray(filenames, dtype=object)[self.clip_E],
            self.onset_E,
            self.offset_E,
            np.asarray(classes, dtype=object)[self.label_E],
        )
        return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))

    def take(self, keep_E: np.ndarray) -> Self:
        """Return the events where `keep_E` (bool) is true."""
        return type(self)(
            self.clip_E[keep_E], self.label_E[keep_E], self.onset_E[keep_E], self.offset_E[keep_E]
        )

    def positive(self) -> Self:
        """Return the events of positive length."""
        return self.take(self.offset_E > self.onset_E)

    def starts(self, n_clips: int) -> np.ndarray:
        """Return int64 (n_clips + 1,): events of clip n are `starts[n]` up to `starts[n + 1]`."""
        return np.searchsorted(self.clip_E, np.arange(n_clips + 1)).astype(np.int64)

    def presence(self, n_clips: int, n_classes: int) -> np.ndarray:
        """Return bool (n_clips, n_classes): true where the class occurs in the clip."""
        present_NK = np.zeros((n_clips, n_classes), dtype=bool)
        present_NK[self.clip_E, self.label_E] = True
        return present_NK


@dataclass(frozen=True)
class Reference:
    """The ground truth of one evaluation set: N clips, K classes.

    File names are sorted, so that the same clips always give the same `key` and the same bootstrap
    draws. A duration of NaN means unknown: like psds_eval for clips without metadata, PSDS then
    counts neither the clip's seconds nor false positives in it.
    """

    filenames: tuple[str, ...]
    durations_s: np.ndarray
    classes: tuple[str, ...]
    events: Events

    def __post_init__(self) -> None:
        """Refuse sets whose clips, durations or classes do not fit together."""
        for before, after in pairwise(self.filenames):
            if before >= after:
                raise ValueError(
                    f"clips must be sorted and unique: {before!r} comes before {after!r}"
                )
        if len(self.durations_s) != len(self.filenames):
            raise ValueError(f"{len(self.filenames)} clips, {len(self.durations_s)} durations")
        for filename, duration_s in zip(self.filenames, self.durations_s, strict=True):
            if duration_s <= 0 or np.isinf(duration_s):
                raise ValueError(
                    f"clip {filename}: duration {duration_s} s, expected positive seconds"
                )
        if len(set(self.classes)) != len(self.classes):
            raise ValueError(f"classes repeat: {', '.join(self.classes)}")

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, durations_s: Mapping[str, float], classes: Sequence[str]
    ) -> Self:
        """Make the reference of all clips that the table or the durations name; a clip without a duration
        gets NaN.
        """
        filenames = tuple(sorted(set(frame["filename"]) | set(durations_s)))
        seconds_N = np.array(
            [durations_s.get(filename, np.nan) for filename in filenames], dtype=np.float64
        )
        return cls(
            filenames, seconds_N, tuple(classes), Events.from_frame(frame, filenames, classes)
        )

    @cached_property
    def key(self) -> str:
        """Return the SHA-256 of the whole content, in hex; bootstrap weights are drawn from it."""
        digest = hashlib.sha256()
        for names in (self.filenames, self.classes):
            digest.update("\0".join(names).encode() + b"\1")
        events = self.events
        for array in (
            self.durations_s,
            events.clip_E,
            events.label_E,
            events.onset_E,
            events.offset_E,
        ):
            digest.update(np.ascontiguousarray(array).tobytes() + b"\1")
        return digest.hexdigest()


def eventless(frame: pd.DataFrame) -> np.ndarray:
    """Return bool (rows,): true for rows that only say that the clip exists."""
    columns = (frame[column].isna().to_numpy() for column in ("onset", "offset", "event_label"))
    return np.logical_and.reduce(list(columns))


def read_events_tsv(path: str | Path) -> pd.DataFrame:
    """Read a table of events from a tab-separated file with a header; column order and extra columns do not
    matter.

    The index holds line numbers, which the messages of `Events.from_frame` repeat. Raises
    ValueError, naming file and line, for a missing column, a time that is no number, and an offset
    before its onset.
    """
    frame = _read_tsv(path, COLUMNS)
    for column in ("onset", "offset"):
        frame[column] = _numbers(frame, column)
    partly = frame[["onset", "offset", "event_label"]].isna().any(axis=1).to_numpy() & ~eventless(
        frame
    )
    merged = eventless(frame) & frame["filename"].str.contains(_OTHER_SEPARATORS).to_numpy(bool)
    refuse_rows(frame, merged, "is the only field: columns must be separated by tabs")
    refuse_rows(frame, partly, "has some but not all of onset, offset and event_label")
    refuse_rows(
        frame, (frame["offset"] < frame["onset"]).to_numpy(), "has its offset before its onset"
    )
    return frame


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
    """Read the named columns of a TSV, indexed by line number; only empty fields are missing values.

    Numbers are parsed by pandas' default reader, so they are the same floats that the field's packages get.
    """
    names = {"filename": str, "event_label": str}
    try:
        frame = pd.read_csv(
            path,
            sep="\t",
            dtype=names,
            na_values=[""],
            keep_default_na=False,
            skip_blank_lines=False,
        )
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a tab-separated table with a header ({error})") from error
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(
            f"{path}, line 1: expected the tab-separated columns {', '.join(columns)}; "
            f"{', '.join(missing)} is missing from {list(frame.columns)}"
        )
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes surplus fields for row names
        raise ValueError(f"{path}, line 2: more fields than the header has columns")
    frame.index = pd.RangeIndex(2, len(frame) + 2, name="line")
    frame = frame[list(columns)]
    frame = frame.loc[frame.notna().any(axis=1)]
    frame.attrs["path"] = str(path)
    refuse_rows(frame, frame["filename"].isna().to_numpy(), "has no filename")
    return frame


def _numbers(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return a column as float64. Raises ValueError where a field is neither a number nor empty."""
    numbers = pd.to_numeric(frame[column], errors="coerce").astype(np.float64)
    wrong = (numbers.isna() & frame[column].notna()).to_numpy()
    refuse_rows(frame, wrong, f"has a value of {column} that is no number")
    return numbers


def refuse_rows(frame: pd.DataFrame, bad_R: ArrayLike, complaint: str) -> None:
    """Raise ValueError for the first row where `bad_R` is true, with its place and content."""
    bad_R = np.asarray(bad_R, dtype=bool)
    if not bad_R.any():
        return
    row = int(np.flatnonzero(bad_R)[0])
    place = f"{frame.attrs.get('path', 'table')}, {frame.index.name or 'row'} {frame.index[row]}: "
    content = "\t".join(str(value) for value in frame.iloc[row])
    raise ValueError(
        f"{place}clip {frame['filename'].iloc[row]} {complaint} "
        f"({content!r}; {int(bad_R.sum())} such rows)"
    )
