"""The clips that `raysed score` scores, with their ground truth, durations and sources."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from raysed.evaluation.detections.event_table import (
    read_durations_tsv,
    read_events_tsv,
    refuse_soft_labels,
)
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.overlaps import merged, overlapping
from raysed.evaluation.score.clip_list import read_clip_list, read_groups
from raysed.evaluation.score.label_map import read_label_map, refuse_unknown
from raysed.evaluation.score.remarks import (
    UNKNOWN_S,
    after_the_end,
    classes_gone,
    of_one,
    other_spelling,
    unlike,
    unused_columns,
)
from raysed.evaluation.score.request import ScoreRequest
from raysed.storage.clip_name import match_clips


@dataclass(frozen=True)
class ScoredSet:
    """The clips that are scored, and the whole set that they are a part of."""

    whole: Reference
    kept_N: np.ndarray
    """bool: which clips of the whole set are scored."""
    reference: Reference
    """Those that are scored; the whole set where none is missing."""
    groups_N: np.ndarray | None
    """The number of the source of each clip that is scored; None: each is its own."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The clips that are not scored."""
        pairs = zip(self.whole.filenames, self.kept_N, strict=True)
        return tuple(name for name, kept in pairs if not kept)


def unit_of(scored: ScoredSet) -> str:
    """Return what draws are of."""
    return "clips" if scored.groups_N is None else "sources of clips"


def read_scored_set(request: ScoreRequest) -> tuple[ScoredSet, tuple[str, ...]]:
    """Read the clips of the ground truth, and which of them are scored; return them with the warnings about them."""
    whole, warnings = read_reference(request)
    kept_N, reference = np.ones(len(whole.filenames), bool), whole
    if request.clips is not None:
        kept_N, more = read_clip_list(request.clips, whole.filenames)
        warnings += more
        if not kept_N.all():
            reference = whole.of_clips(kept_N)
            warnings += unlike(whole, kept_N) + classes_gone(whole, kept_N)
    groups_N = None
    if request.groups is not None:
        groups_N = read_groups(request.groups, reference.filenames)
        if request.clips is not None:
            warnings += ("the interval of the whole set draws clips, not groups",)
    scored = ScoredSet(whole, kept_N, reference, groups_N)
    units = len(reference.filenames) if groups_N is None else len(set(groups_N.tolist()))
    return scored, warnings + of_one(units)


def read_reference(request: ScoreRequest) -> tuple[Reference, tuple[str, ...]]:
    """Read the clips of the ground truth and the durations; return them with the warnings about them."""
    path = request.ground_truth
    table = read_events_tsv(path)
    refuse_soft_labels(table)
    classes = sorted(set(table["event_label"].dropna()))
    if not classes:
        raise ValueError(f"{path}: no events, so nothing can be scored")
    if request.label_map:
        refuse_unknown([*read_label_map(request.label_map).values()], classes, "--map")
    if request.classes:
        refuse_unknown(request.classes, classes, "--classes")
        other_R = table["event_label"].notna() & ~table["event_label"].isin(request.classes)
        # The row still says that the clip exists.
        table.loc[other_R, ["onset", "offset", "event_label"]] = None
        classes = sorted(set(request.classes))
    warnings = unused_columns(table)
    if request.durations is None:
        durations_s = dict.fromkeys(table["filename"], UNKNOWN_S)
        warnings += ("no durations (--durations), so there is no PSDS",)
    else:
        durations_s, more = _durations(request.durations, table)
        warnings += more
    reference = Reference.from_frame(table, durations_s, classes)
    events, more = _without_overlaps(request, reference, table)
    repaired = Reference(reference.filenames, reference.durations_s, reference.classes, events)
    return repaired, warnings + more + after_the_end(path, repaired, events, "events")


def _durations(path: Path, table: pd.DataFrame) -> tuple[dict[str, float], tuple[str, ...]]:
    """Read the seconds of each clip, called as the ground truth calls it, and remarks about the names."""
    given_s = read_durations_tsv(path)
    clip_of = match_clips(given_s, table["filename"])
    durations_s = {clip_of.get(name, name): seconds for name, seconds in given_s.items()}
    unknown = table.loc[~table["filename"].isin(list(durations_s))]
    if len(unknown):
        raise ValueError(
            f"{table.attrs['path']}, line {unknown.index[0]}: clip {unknown['filename'].iloc[0]} has no "
            f"duration in {path} ({unknown['filename'].nunique()} such clips)"
        )
    return durations_s, other_spelling(path, clip_of)


def _without_overlaps(
    request: ScoreRequest, reference: Reference, table: pd.DataFrame
) -> tuple[Events, tuple[str, ...]]:
    events = reference.events
    overlap_E = overlapping(events)
    if not overlap_E.any():
        return events, ()
    first = int(np.argmax(overlap_E))
    clip, label = events.clip_E[first], events.label_E[first]
    row = (
        (table["filename"] == reference.filenames[clip])
        & (table["event_label"] == reference.classes[label])
        & (table["onset"] == events.onset_E[first])
        & (table["offset"] == events.offset_E[first])
    )
    count, clips = int(overlap_E.sum()), len(set(events.clip_E[overlap_E]))
    place = (
        f"{request.ground_truth}, line {table.index[row][-1]}: {reference.classes[label]} of clip "
        f"{reference.filenames[clip]} overlaps an earlier event of its class "
        f"({count} such events in {clips} clips)"
    )
    if request.overlaps == "refuse":
        raise ValueError(f"{place}; use --overlaps merge or --overlaps keep")
    if request.overlaps == "merge":
        return merged(events), (f"{place}: merged",)
    return events, (f"{place}: kept, each counts",)
