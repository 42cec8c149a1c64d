"""Remarks about what is scored: what in the files does not count, and what came out that says nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from raysed.evaluation.counts.clip_counts import event_counts
from raysed.evaluation.counts.statistics import PUBLISHED
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.overlaps import overlapping

_SHOWN = 5
_UNLIKELY = 0.01
_ODD = 0.1
"""The share of a clip's duration that its frames may miss, or go on for: a window's padding is less."""
UNKNOWN_S = 1e6
"""Stands for a duration that was not given: every detection counts, and there is no PSDS."""
_ROUNDING = 1e-6
"""Seconds, or shares of a length; sed_scores_eval rounds to 6 decimals."""


def unused_columns(table: pd.DataFrame) -> tuple[str, ...]:
    """Name the columns of a table of events that no metric uses."""
    if not table.attrs["unused"]:
        return ()
    return (
        f"{table.attrs['path']}: not used: the column {_some(n or 'without a name' for n in table.attrs['unused'])}; "
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


def without_rows(
    path: Path, named: Iterable[str], filenames: Iterable[str], *, listed: bool = False
) -> tuple[str, ...]:
    """Count the clips of the set that the predictions never name. `listed`: the user said which clips are there."""
    filenames, named = list(filenames), set(named)
    count = sum(filename not in named for filename in filenames)
    if not count:
        return ()
    hint = "" if listed else "; where their recordings were missing, --clips says so"
    return (
        f"{path}: no row names {count} of the {len(filenames)} clips: nothing detected there{hint}",
    )


def passed_over(path: Path, clips: Iterable[str], what: str) -> tuple[str, ...]:
    """Count the rows or files of clips that are not scored."""
    clips = list(clips)
    if not clips:
        return ()
    count = f"1 {what} is" if len(clips) == 1 else f"{len(clips)} {what}s are"
    return (f"{path}: {count} passed over, of {len(set(clips))} clips that are not scored here",)


def unlike(whole: Reference, kept_N: np.ndarray) -> tuple[str, ...]:
    """Say which class the missing clips have so much more or less often than those that are left that chance would
    hardly do it (a hypergeometric test, 1 % for all classes together).
    """
    from scipy.stats import hypergeom  # takes half a second to load

    n_clips, n_classes = len(kept_N), len(whole.classes)
    present_NK = whole.events.presence(n_clips, n_classes)
    missing, found_K = int((~kept_N).sum()), present_NK[~kept_N].sum(axis=0)
    chance = hypergeom(n_clips, whole_K := present_NK.sum(axis=0), missing)
    p_K = np.minimum(1, 2 * np.minimum(chance.cdf(found_K), chance.sf(found_K - 1))) * n_classes
    k = int(np.argmin(p_K))
    if p_K[k] >= _UNLIKELY:
        return ()
    which, count, size = "are missing", int(found_K[k]), missing
    if 2 * missing > n_clips:  # of so many a difference is hardly seen
        which, count, size = "are left", int(whole_K[k]) - count, n_clips - missing
    return (
        f"the missing clips are unlike those that are left: of those that {which} {count} of {size} have {whole.classes[k]},"
        f" about {whole_K[k] * size / n_clips:.0f} were to be expected; what is said of the whole set takes them to be alike",
    )


def false_alarms(
    path: Path, count: Counter[str], threshold: float | None, *, chosen: bool = False
) -> tuple[str, ...]:
    """Name the classes that are not scored, and count the detections of them: those without an event in the ground truth or,
    where the user has `chosen` classes, all others.
    """
    if not count:
        return ()
    at = "" if threshold is None else f" at {threshold}"
    found = _some(f"{label or 'of no name'} {n}" for label, n in sorted(count.items()))
    if chosen:
        what = "1 detection is" if count.total() == 1 else f"{count.total()} detections are"
        return (f"{path}: {what} of classes that are not among those to score{at}: {found}",)
    alarms = "1 false alarm" if count.total() == 1 else f"{count.total()} false alarms"
    alarms += at
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


def unlike_durations(path: Path, reference: Reference, span_N2: np.ndarray) -> tuple[str, ...]:
    """Count the clips whose frames (first and last edge, seconds) leave out a tenth of the duration, or go on for as much."""
    known_N = reference.durations_s < UNKNOWN_S
    begin_N, end_N = span_N2.T
    heard_N = np.minimum(end_N, reference.durations_s) - np.maximum(begin_N, 0.0)
    beyond_N = end_N - reference.durations_s
    odd_N = np.maximum(reference.durations_s - heard_N, beyond_N) > _ODD * reference.durations_s
    if not (found_N := np.flatnonzero(known_N & odd_N)).size:
        return ()
    n = found_N[0]
    return (
        f"{path}: the frames of {found_N.size} of {len(known_N)} clips do not fit the durations: those of"
        f" {reference.filenames[n]} go from {begin_N[n]:g} to {end_N[n]:g} s, and it lasts {reference.durations_s[n]:g} s",
    )


def classes_gone(whole: Reference, kept_N: np.ndarray) -> tuple[str, ...]:
    """Name the classes whose clips are all missing: no estimate of the whole set has them."""
    present_NK = whole.events.presence(len(kept_N), len(whole.classes))
    gone = np.flatnonzero(present_NK.any(axis=0) & ~present_NK[kept_N].any(axis=0))
    if not gone.size:
        return ()
    names = _some(whole.classes[k] for k in gone)
    return (
        f"no clip that is left has an event of {names}: values, and estimates of the whole set, leave that out",
    )


def of_one(count: int) -> tuple[str, ...]:
    """Say where there is nothing to draw, by the number of clips or sources."""
    if count > 1:
        return ()
    return (
        "a single clip (or source of clips) says nothing of others: intervals are all that is possible",
    )


def met_exactly(path: Path, reference: Reference, detections: Events) -> tuple[str, ...]:
    """Count the detections for which a rounding error decides whether a collar of event F1 holds, as labels of one decimal
    make them (`findings/limits_met_exactly.sh`).
    """
    collar_s, share = PUBLISHED.t_collar_s, PUBLISHED.percentage_of_length
    fewer, more = (
        event_counts(reference, detections, collar_s + by, share + by).tp_NK.sum()
        for by in (-_ROUNDING, _ROUNDING)
    )
    if fewer == more:
        return ()
    which = "1 detection meets" if more - fewer == 1 else f"{more - fewer} detections meet"
    return (
        f"{path}: {which} a collar of event-based F1 exactly, and a rounding error decides whether that counts: here as in "
        "sed_eval, while sed_scores_eval and the best F1 over thresholds always count it",
    )


def after_the_end(
    path: Path, reference: Reference, events: Events, what: str = "detections"
) -> tuple[str, ...]:
    """Count the events in what was padded, on which the packages differ (`findings/alarms_after_the_end.sh`); or times are no
    seconds, or durations are of other clips. In a clip of unknown duration nothing is late.
    """
    end_E = reference.durations_s[events.clip_E]
    late_E = np.flatnonzero(events.onset_E >= end_E)
    if not late_E.size:
        return ()
    first, effect = late_E[0], "nothing can be found there"
    if what == "detections":
        effect = (
            "event-based F1 counts that as a false alarm, as sed_eval does, and so does PSDS over all thresholds, as in"
            " sed_scores_eval; PSDS and intersection-based F1 at operating points do not, as in psds_eval"
        )
    begin = "begins" if late_E.size == 1 else "begin"
    return (
        f"{path}: {late_E.size} of {len(events)} {what} {begin} after the clip's end (one at {events.onset_E[first]:g} s of"
        f" {reference.filenames[events.clip_E[first]]}, which lasts {end_E[first]:g} s): {effect}",
    )


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def moved_intervals(
    estimates: Mapping[str, Mapping[str, Any] | None], unit: str = "clips"
) -> tuple[str, ...]:
    """Name the metrics whose intervals are the draws moved to their values (`interval_ends`), and say what these are about."""
    names = [name for name, each in estimates.items() if each and each.get("method") == "moved"]
    if not names:
        return ()
    one = len(names) == 1
    return (
        f"{', '.join(names)}: more than 84 % of the draws lie to one side of the value, as it depends on the size of the set;"
        f" {'its interval is' if one else 'their intervals are'} the draws moved to the value, about other sets of as many {unit}"
        " and not about infinitely many",
    )


def moved_classes(per_class: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Count the classes with such an interval, for each metric."""
    count = Counter(
        name
        for values in per_class.values()
        for name, each in values.items()
        if isinstance(each, Mapping) and each.get("method") == "moved"
    )
    if not count:
        return ()
    which = ", ".join(f"{name} {n}" for name, n in count.items())
    return (f"intervals of single classes that are draws moved to the value: {which}",)
