"""Tables to events and back, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from raysed.evaluation.detections.event_table import read_events_tsv
from raysed.evaluation.detections.events import Events, Reference
from tests.evaluation.oracles import Case, cases, random_case

FILENAMES = ("a.wav", "b.wav", "c.wav")
CLASSES = ("Cat", "Dog")
HEADER = "filename\tonset\toffset\tevent_label\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "events.tsv"
    path.write_text(text)
    return path


def test_rows_are_sorted_and_ties_keep_their_order() -> None:
    frame = pd.DataFrame(
        {
            "filename": ["b.wav", "a.wav", "a.wav", "a.wav"],
            "onset": [0.5, 2.0, 1.0, 1.0],
            "offset": [1.0, 3.0, 2.0, 1.5],
            "event_label": ["Cat", "Cat", "Dog", "Cat"],
        }
    )
    before = frame.copy()
    events = Events.from_frame(frame, FILENAMES, CLASSES)
    pd.testing.assert_frame_equal(frame, before)
    np.testing.assert_array_equal(events.clip_E, [0, 0, 0, 1])
    np.testing.assert_array_equal(events.label_E, [1, 0, 0, 0])
    np.testing.assert_array_equal(events.offset_E, [2.0, 1.5, 3.0, 1.0])
    np.testing.assert_array_equal(events.starts(3), [0, 3, 4, 4])
    np.testing.assert_array_equal(
        events.presence(3, 2), [[True, True], [True, False], [False, False]]
    )


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_frame_round_trip(case: Case) -> None:
    names, classes = case.reference.filenames, case.reference.classes
    events = case.reference.events
    again = Events.from_frame(events.to_frame(names, classes), names, classes)
    for one, other in zip(vars(events).values(), vars(again).values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_eventless_rows_are_skipped(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "b.wav\t\t\t\na.wav\t1.5\t2\tDog\n")
    frame = read_events_tsv(path)
    assert frame["filename"].tolist() == ["b.wav", "a.wav"]
    events = Events.from_frame(frame, FILENAMES, CLASSES)
    assert (events.onset_E.tolist(), events.offset_E.tolist()) == ([1.5], [2.0])


def test_header_alone_is_no_events(tmp_path: Path) -> None:
    frame = read_events_tsv(write(tmp_path, HEADER))
    assert len(Events.from_frame(frame, FILENAMES, CLASSES)) == 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("d.wav\t1\t2\tCat", "line 2: clip d.wav is not one of the 3 clips"),
        ("a.wav\t1\t2\tCow", "line 2: clip a.wav has a label that is not one of Cat, Dog"),
        ("a.wav\t1\tinf\tCat", "line 2: clip a.wav needs onset and offset as finite"),
    ],
)
def test_rows_that_do_not_fit_the_set_are_refused(tmp_path: Path, row: str, message: str) -> None:
    frame = read_events_tsv(write(tmp_path, HEADER + row + "\n"))
    with pytest.raises(ValueError, match=message):
        Events.from_frame(frame, FILENAMES, CLASSES)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"onset": [np.nan]}, "clip a.wav needs onset and offset"),
        ({"onset": [3.0]}, "clip a.wav has its offset before its onset"),
        ({"event_label": [None]}, "clip a.wav has times but no event_label"),
    ],
)
def test_bad_tables_are_refused_naming_the_clip(changes: dict[str, list], message: str) -> None:
    row = {"filename": ["a.wav"], "onset": [1.0], "offset": [2.0], "event_label": ["Cat"]}
    with pytest.raises(ValueError, match=message):
        Events.from_frame(pd.DataFrame(row | changes), FILENAMES, CLASSES)


def test_reference_is_the_union_of_table_and_durations() -> None:
    frame = pd.DataFrame(
        {"filename": ["c.wav"], "onset": [0.0], "offset": [1.0], "event_label": ["Cat"]}
    )
    reference = Reference.from_frame(frame, {"b.wav": 4.0, "a.wav": 3.0}, CLASSES)
    assert reference.filenames == FILENAMES
    np.testing.assert_array_equal(reference.durations_s, [3.0, 4.0, np.nan])
    np.testing.assert_array_equal(reference.events.clip_E, [2])


def test_key_is_the_content() -> None:
    reference = random_case(0).reference
    assert reference.key == random_case(0).reference.key
    assert len(reference.key) == 64
    events = reference.events
    moved = replace(events, onset_E=events.onset_E + np.eye(1, len(events))[0] * 1e-9)
    others = [
        replace(reference, events=moved),
        replace(reference, durations_s=reference.durations_s + 1e-9),
        replace(reference, classes=tuple(f"x{name}" for name in reference.classes)),
        replace(reference, filenames=tuple(f"x{name}" for name in reference.filenames)),
    ]
    assert len({reference.key, *(other.key for other in others)}) == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"filenames": ("b.wav", "a.wav")}, "sorted and unique"),
        ({"filenames": ("a.wav", "a.wav")}, "sorted and unique"),
        ({"durations_s": np.array([1.0])}, "2 clips, 1 durations"),
        ({"durations_s": np.array([1.0, 0.0])}, "clip b.wav: duration 0.0 s"),
        ({"classes": ("Cat", "Cat")}, "repeat"),
    ],
)
def test_impossible_references_are_refused(changes: dict, message: str) -> None:
    empty = Events.sort([], [], [], [])
    content = {
        "filenames": ("a.wav", "b.wav"),
        "durations_s": np.ones(2),
        "classes": CLASSES,
        "events": empty,
    }
    with pytest.raises(ValueError, match=message):
        Reference(**content | changes)
