"""Remarks: said where something does not count, silent where everything does."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.score.remarks import (
    after_the_end,
    false_alarms,
    met_exactly,
    moved_classes,
    moved_intervals,
    other_spelling,
    overlaps,
    passed_over,
    unlike,
    unused_columns,
    without_rows,
)

PATH = Path("one.tsv")


def test_nothing_is_said_where_everything_counts() -> None:
    table = pd.DataFrame({"filename": ["a.wav"]})
    table.attrs.update(path="one.tsv", unused=[])
    apart = Events.sort([0, 0], [0, 0], [1.0, 2.0], [2.0, 3.0])
    assert unused_columns(table) == ()
    assert other_spelling(PATH, {"a.wav": "a.wav"}) == ()
    assert without_rows(PATH, ["a.wav", "b.wav"], ["a.wav"]) == ()
    assert false_alarms(PATH, Counter(), 0.5) == ()
    assert overlaps(PATH, apart, apart) == ()


def test_counts_are_in_the_remark() -> None:
    names = {"a.WAV": "a.wav", "b": "b.wav", "c.wav": "c.wav"}
    (said,) = other_spelling(PATH, names)
    assert said == "one.tsv: 2 clips are called otherwise than in the ground truth: a.WAV is a.wav"
    (said,) = without_rows(PATH, ["a.wav"], ["a.wav", "b.wav", "c.wav"])
    expected = "one.tsv: no row names 2 of the 3 clips: nothing detected there"
    assert said == f"{expected}; where their recordings were missing, --clips says so"
    assert without_rows(PATH, ["a.wav"], ["a.wav", "b.wav", "c.wav"], listed=True) == (expected,)
    both = Events.sort([0, 0], [0, 0], [1.0, 1.5], [2.0, 3.0])
    (said,) = overlaps(PATH, both, both)
    assert said.startswith("one.tsv: 2 detections overlap another one of their class and clip")


def test_many_classes_are_shortened() -> None:
    alarms = Counter({f"class{k}": k for k in range(1, 9)})
    (said,) = false_alarms(PATH, alarms, None)
    assert said.startswith("one.tsv: 36 false alarms of classes without an event")
    assert said.endswith("class1 1, class2 2, class3 3, class4 4, class5 5 and 3 more")


def test_rows_of_other_clips_are_counted() -> None:
    assert passed_over(PATH, [], "row") == ()
    (said,) = passed_over(PATH, ["b.wav", "b.wav", "c.wav"], "row")
    assert said == "one.tsv: 3 rows are passed over, of 2 clips that are not scored here"


def test_missing_clips_of_one_class_are_remarked_and_any_others_are_not() -> None:
    """40 of 200 clips have a cat: that all 40 missing ones are among them is no chance."""
    names = tuple(f"{n:03d}.wav" for n in range(200))
    cats = Events.sort(np.arange(40), np.zeros(40, int), np.zeros(40), np.ones(40))
    whole = Reference(names, np.full(200, 10.0), ("Cat", "Dog"), cats)
    (said,) = unlike(whole, np.arange(200) >= 40)
    assert "of those that are missing 40 of 40 have Cat, about 8 were to be expected" in said
    (said,) = unlike(whole, np.arange(200) < 40)  # 160 are missing, none of which has a cat
    assert "of those that are left 40 of 40 have Cat, about 8 were to be expected" in said
    assert unlike(whole, np.arange(200) % 5 != 0) == ()


def reference_of(onset_E: list[float], offset_E: list[float]) -> Reference:
    clips, labels = [0] * len(onset_E), [0] * len(onset_E)
    events = Events.sort(clips, labels, onset_E, offset_E)
    return Reference(("a.wav",), np.array([60.0]), ("Cat",), events)


def test_detections_at_the_edge_of_a_collar_are_counted() -> None:
    """1.2 + 0.2 is within 0.2 of 1.2 in floating point, 2.3 + 0.2 is not; 4.0 + 0.1 is far from any edge."""
    reference = reference_of([1.2, 2.3, 4.0], [1.7, 2.8, 4.5])
    late = Events.sort([0, 0, 0], [0, 0, 0], [1.4, 2.5, 4.1], [1.7, 2.8, 4.5])
    (line,) = met_exactly(PATH, reference, late)
    assert line.startswith("one.tsv: 2 detections meet a collar of event-based F1 exactly")
    within = Events.sort([0, 0, 0], [0, 0, 0], [1.39, 2.49, 4.1], [1.7, 2.8, 4.5])
    assert met_exactly(PATH, reference, within) == ()


def test_the_share_of_a_long_event_has_an_edge_too() -> None:
    """A fifth of 10 s is the collar of an offset there: 2 s early is at it."""
    reference = reference_of([1.0], [11.0])
    early = Events.sort([0], [0], [1.0], [9.0])
    (line,) = met_exactly(PATH, reference, early)
    assert "1 detection meets" in line


def test_detections_after_the_end_of_a_clip_are_counted() -> None:
    """The clip lasts 60 s. What begins within it is heard; where a duration is unknown, nothing is late."""
    reference = reference_of([1.0], [2.0])
    found = Events.sort([0, 0, 0], [0, 0, 0], [59.9, 60.0, 61.0], [61.0, 61.0, 62.0])
    (line,) = after_the_end(PATH, reference, found)
    assert line.startswith("one.tsv: 2 of 3 detections begin after the clip's end (one at 60 s")
    assert after_the_end(PATH, reference, found.take(found.onset_E < 60)) == ()
    unknown = Reference(("a.wav",), np.array([np.nan]), ("Cat",), reference.events)
    assert after_the_end(PATH, unknown, found) == ()


def test_an_interval_of_moved_draws_says_what_it_is_about():
    usual, moved = {"value": 0.5}, {"value": 0.6, "method": "moved"}
    whole = {"value": 0.6, "method": "symmetric"}
    assert moved_intervals({"psds": usual, "psds2": whole, "psds_all": None}) == ()
    (one,) = moved_intervals({"psds": usual, "psds1": moved})
    assert one.startswith("psds1: more than 84 % of the draws lie to one side of the value")
    assert "its interval is" in one and "other sets of as many clips and not" in one
    (both,) = moved_intervals({"psds1": moved, "psds2": moved}, "sources of clips")
    assert both.startswith("psds1, psds2: ") and "their intervals are" in both
    assert "as many sources of clips" in both


def test_classes_with_such_intervals_are_counted():
    usual, moved = {"value": 0.5}, {"value": 0.6, "method": "moved"}
    classes = {"dog": {"events": 3, "event_f1": moved, "psds1": usual}}
    assert moved_classes({"cat": {"events": 1, "event_f1": usual}}) == ()
    (line,) = moved_classes(classes | {"cat": {"events": 2, "event_f1": moved}})
    assert line.endswith(": event_f1 2")
