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
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from raysed.evaluation.detections.event_table import COLUMNS, eventless, refuse_rows


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
        positive_E = self.offset_E > self.onset_E
        return self if positive_E.all() else self.take(positive_E)

    def of_clips(self, kept_N: np.ndarray) -> Self:
        """Return the events of the clips where `kept_N` (bool) is true; these clips are numbered anew."""
        left = self.take(kept_N[self.clip_E])
        place_N = (np.cumsum(kept_N) - 1).astype(np.int32)
        return type(self)(place_N[left.clip_E], left.label_E, left.onset_E, left.offset_E)

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
    groups_N: np.ndarray | None = None
    """The number of the source of each clip, where intervals are to draw sources; not a part of `key`."""

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

    def of_clips(self, kept_N: np.ndarray) -> Self:
        """Return the ground truth of the clips where `kept_N` (bool) is true, with all classes."""
        names = tuple(name for name, kept in zip(self.filenames, kept_N, strict=True) if kept)
        events = self.events.of_clips(kept_N)
        groups_N = None if self.groups_N is None else self.groups_N[kept_N]
        return type(self)(names, self.durations_s[kept_N], self.classes, events, groups_N)

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
