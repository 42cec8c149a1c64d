"""Remarks about files that are scored although not everything in them counts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from raysed.evaluation.detections.events import Events
from raysed.evaluation.detections.overlaps import overlapping

_SHOWN = 5


def unused_columns(table: pd.DataFrame) -> tuple[str, ...]:
    """Name the columns of a table of events that no metric uses."""
    if not table.attrs["unused"]:
        return ()
    return (
        f"{table.attrs['path']}: not used: the column {_some(table.attrs['unused'])}; "
        "each row counts as one event",
    )


def other_spelling(path: Path, clip_of: Mapping[str, str]) -> tuple[str, ...]:
    """Count the names that are spelt otherwise than the ground truth's: another suffix, none, a folder before."""
    other = {name: clip for name, clip in clip_of.items() if name != clip}
    if not other:
        return ()
    name, clip = next(iter(other.items()))
    clips = "1 clip is" if len(other) == 1 else f"{len(other)} clips are"
    return (f"{path}: {clips} called otherwise than in the ground truth: {name} is {clip}",)


def without_rows(path: Path, named: Iterable[str], filenames: Iterable[str]) -> tuple[str, ...]:
    """Count the clips of the set that the predictions never name."""
    filenames, named = list(filenames), set(named)
    count = sum(filename not in named for filename in filenames)
    if not count:
        return ()
    return (f"{path}: no row names {count} of the {len(filenames)} clips: nothing detected there",)


def passed_over(path: Path, clips: Iterable[str], what: str) -> tuple[str, ...]:
    """Count the rows or files of clips that are not scored."""
    clips = list(clips)
    if not clips:
        return ()
    count = f"1 {what} is" if len(clips) == 1 else f"{len(clips)} {what}s are"
    return (f"{path}: {count} passed over, of {len(set(clips))} clips that are not scored here",)


def false_alarms(path: Path, count: Counter[str], threshold: float | None) -> tuple[str, ...]:
    """Name the classes without an event in the ground truth, and count the detections of them."""
    if not count:
        return ()
    alarms = "1 false alarm" if count.total() == 1 else f"{count.total()} false alarms"
    alarms += "" if threshold is None else f" at {threshold}"
    found = _some(f"{label} {n}" for label, n in sorted(count.items()))
    return (
        f"{path}: {alarms} of classes without an event in the ground truth, "
        f"which have no F1 and no part in the means: {found}",
    )


def overlaps(path: Path, *points: Events) -> tuple[str, ...]:
    """Count the detections that psds_eval refuses or counts twice."""
    count = sum(int(overlapping(events).sum()) for events in points)
    if not count:
        return ()
    return (
        f"{path}: {count} detections overlap another one of their class and clip; each counts "
        "(psds_eval counts exact copies, and refuses other overlaps)",
    )


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
