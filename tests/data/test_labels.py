"""Label rules by hand, and what must hold for any events."""

from hypothesis import given
from hypothesis import strategies as st

from raysed.data.clip import Event
from raysed.data.labels import (
    clean_events,
    count_overlaps,
    max_polyphony,
    weak_labels,
)

PUBLISHED = {"min_event_s": 0.25, "merge_gap_s": 0.150, "merge_onsets_s": 0.400}


def clean(*times: tuple[float, float], label: str = "Dog") -> list[tuple[float, float]]:
    events = [Event(onset, offset, label) for onset, offset in times]
    return [(e.onset, e.offset) for e in clean_events(events, 10.0, **PUBLISHED)]


def test_short_events_are_extended_to_a_quarter_second() -> None:
    assert clean((1.0, 1.1)) == [(1.0, 1.25)]
    assert clean((1.0, 1.25)) == [(1.0, 1.25)]


def test_contained_events_vanish() -> None:
    assert clean((1.0, 5.0), (2.0, 3.0)) == [(1.0, 5.0)]


def test_small_gaps_are_closed() -> None:
    assert clean((1.0, 2.0), (2.149, 3.0)) == [(1.0, 3.0)]
    assert clean((1.0, 2.0), (2.150, 3.0)) == [(1.0, 2.0), (2.15, 3.0)]


def test_close_onsets_are_merged() -> None:
    assert clean((1.0, 1.2), (1.399, 1.9)) == [(1.0, 1.9)]
    # Both were extended to 0.25 s; the gap from 1.25 to 1.4 is the smallest that stays.
    assert clean((1.0, 1.2), (1.4, 1.9)) == [(1.0, 1.25), (1.4, 1.9)]


def test_an_event_that_cannot_be_extended_goes_with_all_later_ones() -> None:
    assert clean((1.0, 2.0), (9.8, 9.9), (9.85, 10.0)) == [(1.0, 2.0)]
    assert clean((9.75, 9.8)) == [(9.75, 10.0)]


def test_classes_do_not_touch_each_other() -> None:
    events = [Event(1.0, 2.0, "Dog"), Event(1.5, 2.5, "Cat")]
    assert clean_events(events, 10.0, **PUBLISHED) == tuple(events)


def test_times_are_rounded_to_milliseconds() -> None:
    assert clean((1.23449, 2.99951)) == [(1.234, 3.0)]


times_s = st.floats(0, 10, allow_nan=False).map(lambda t: round(t, 4))
events_of_a_clip = st.lists(
    st.builds(
        lambda a, b, label: Event(min(a, b), max(a, b), label),
        times_s,
        times_s,
        st.sampled_from(["Dog", "Cat"]),
    ),
    max_size=12,
)


@given(events_of_a_clip)
def test_cleaned_events_are_well_formed(events: list[Event]) -> None:
    cleaned = clean_events(events, 10.0, **PUBLISHED)
    assert count_overlaps(cleaned) == 0
    for event in cleaned:
        assert 0 <= event.onset < event.offset <= 10.0
        assert event.offset - event.onset >= 0.25 - 1e-9
    assert set(weak_labels(cleaned)) <= set(weak_labels(events))
    assert clean_events(cleaned, 10.0, **PUBLISHED) == cleaned


@given(events_of_a_clip)
def test_polyphony_is_the_most_active_at_any_onset(events: list[Event]) -> None:
    by_hand = max(
        (sum(e.onset <= at.onset <= e.offset for e in events) for at in events), default=0
    )
    assert max_polyphony(events) == by_hand
