"""The classes of a data set that no event of its recordings has, before anything is built."""

import json

from raysed.data.build.annotated_source import AnnotatedSource
from raysed.data.build.dataset_plan import DatasetPlan
from raysed.data.build.source import ClipSource, RecordedSource
from raysed.data.labels import SURE

_SHOWN = 10


def silent_classes(planned: DatasetPlan) -> tuple[str, ...]:
    """Return the classes that a set of recordings annotates with times and that never sound in it.

    None of sets without times, and of soundscapes, whose events are drawn. Soft values count above 0.5, as in metrics.
    """
    heard = _heard(planned.source)
    if heard is None:
        return ()
    annotates = planned.job["set"].get("annotates") or planned.classes
    return tuple(c for c in planned.classes if c in annotates and c not in heard)


def silence_remark(planned: DatasetPlan) -> str | None:
    """Return a line on the classes that never sound in a set, None where all do."""
    silent = silent_classes(planned)
    if not silent:
        return None
    more = f" … and {len(silent) - _SHOWN} more" if len(silent) > _SHOWN else ""
    parted = planned.job["set"].get("part", "all") != "all"
    return (
        f"set {planned.name}: no event of {', '.join(silent[:_SHOWN])}{more} in its {planned.source.count} recordings;"
        " where it chooses epochs they do not count, and on it they have no score"
        + (" (another split_seed parts the recordings otherwise)" if parted else "")
    )


def _heard(source: ClipSource) -> set[str] | None:
    """Return the classes of a source's events, None where it is not known to have any."""
    if isinstance(source, RecordedSource):
        events = [entry.events for entry in source.entries if entry.events is not None]
        return {event.event_label for each in events for event in each} if events else None
    if not isinstance(source, AnnotatedSource) or source.subset not in ("strong", "soft"):
        return None
    heard: set[str] = set()
    for recording in source.listing:
        for event in json.loads(recording.labels or "[]"):
            if event.get("confidence", 1.0) > SURE:
                heard.add(event["event_label"])
    return heard
