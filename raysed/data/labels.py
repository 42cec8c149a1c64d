"""Rules on event labels, as pure functions on tuples of `Event`: clean-up, overlaps, polyphony,
weak labels.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from raysed.data.clip import Event, SoftEvent

# Onsets and offsets come from sums of floats: differences below this are rounding, not time.
_EPSILON_S = 1e-9
SURE = 0.5
"""The confidence of a soft label above which its class sounds."""


def weak_labels(events: Iterable[Event]) -> tuple[str, ...]:
    """Return the sorted classes of `events`."""
    return tuple(sorted({event.event_label for event in events}))


def by_class(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Return the events of each class in onset order, with the classes sorted."""
    classes = defaultdict(list)
    for event in sorted(events, key=lambda e: (e.event_label, e.onset, e.offset)):
        classes[event.event_label].append(event)
    return dict(classes)


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return the events sorted by onset, then offset, then class."""
    return tuple(sorted(events, key=lambda e: (e.onset, e.offset, e.event_label)))


def hard(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return the events that metrics compare with: of soft ones those above 0.5, touching ones of a class united.

    Source: DCASE 2023, task 4 B. Other events are returned as they are.
    """
    events = tuple(events)
    if not any(isinstance(event, SoftEvent) for event in events):
        return events
    sure = [event for event in events if getattr(event, "confidence", 1.0) > SURE]
    united: list[Event] = []
    for label, group in by_class(sure).items():
        runs: list[Event] = []
        for event in group:
            if runs and event.onset <= runs[-1].offset + _EPSILON_S:
                runs[-1] = Event(runs[-1].onset, max(runs[-1].offset, event.offset), label)
            else:
                runs.append(Event(event.onset, event.offset, label))
        united += runs
    return in_order(united)


def within(events: Iterable[Event], start_s: float, stop_s: float) -> tuple[Event, ...]:
    """Return the events that reach into a span of time, in their own order, not cut to it."""
    return tuple(event for event in events if event.offset > start_s and event.onset < stop_s)


def count_overlaps(events: Iterable[Event]) -> int:
    """Count neighbouring pairs (in onset order) of one class that overlap."""
    return sum(
        second.onset < first.offset
        for group in by_class(events).values()
        for first, second in pairwise(group)
    )


def max_polyphony(events: Iterable[Event]) -> int:
    """Return the largest number of events active at once. As in Scaper, an event that starts as another ends
    overlaps it.
    """
    # Negative first: at equal times an onset sorts before an offset.
    steps = sorted(step for e in events for step in ((e.onset, -1), (e.offset, 1)))
    active = peak = 0
    for _, step in steps:
        active -= step
        peak = max(peak, active)
    return peak


def clean_events(
    events: Iterable[Event],
    duration_s: float,
    *,
    min_event_s: float,
    merge_gap_s: float,
    merge_onsets_s: float,
) -> tuple[Event, ...]:
    """Apply the published clean-up of synthetic labels, class by class in onset order, rounded to 1 ms.

    Events shorter than `min_event_s` are extended to it; one that this would push past the end of
    the clip is dropped with all later ones of its class. An event whose gap to the one before is
    below `merge_gap_s`, or whose onset is within `merge_onsets_s` of that one's, is united with it
    (contained events vanish so).
    """
    cleaned = []
    for label, group in by_class(events).items():
        kept: list[Event] = []
        for event in group:
            offset = max(event.offset, event.onset + min_event_s)
            if offset > duration_s + _EPSILON_S:
                break
            if kept and _is_near(kept[-1], event, merge_gap_s, merge_onsets_s):
                kept[-1] = Event(kept[-1].onset, max(kept[-1].offset, offset), label)
            else:
                kept.append(Event(event.onset, offset, label))
        cleaned += [Event(round(e.onset, 3), round(e.offset, 3), label) for e in kept]
    return in_order(cleaned)


def _is_near(last: Event, event: Event, merge_gap_s: float, merge_onsets_s: float) -> bool:
    return (
        event.onset - last.offset < merge_gap_s - _EPSILON_S
        or event.onset - last.onset < merge_onsets_s - _EPSILON_S
    )
