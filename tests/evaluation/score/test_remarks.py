"""Remarks: said where something does not count, silent where everything does."""

from collections import Counter
from pathlib import Path

import pandas as pd

from raysed.evaluation.detections.events import Events
from raysed.evaluation.score.remarks import (
    false_alarms,
    other_spelling,
    overlaps,
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
    assert said == "one.tsv: no row names 2 of the 3 clips: nothing detected there"
    both = Events.sort([0, 0], [0, 0], [1.0, 1.5], [2.0, 3.0])
    (said,) = overlaps(PATH, both, both)
    assert said.startswith("one.tsv: 2 detections overlap another one of their class and clip")


def test_many_classes_are_shortened() -> None:
    alarms = Counter({f"class{k}": k for k in range(1, 9)})
    (said,) = false_alarms(PATH, alarms, None)
    assert said.startswith("one.tsv: 36 false alarms of classes without an event")
    assert said.endswith("class1 1, class2 2, class3 3, class4 4, class5 5 and 3 more")
