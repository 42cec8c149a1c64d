"""Tables become the files that are read, and messages about files become messages about tables."""

import numpy as np
import pandas as pd
import pytest

from raysed.evaluation.score.predictions import threshold_of
from raysed.interface.frame_files import FrameFiles

ROWS = {"filename": ["a.wav"], "onset": [0.1], "offset": [0.3], "event_label": ["Dog"]}


@pytest.fixture
def files(tmp_path):
    return FrameFiles(tmp_path)


def test_numbers_are_written_to_the_last_bit(files):
    onset = float(np.nextafter(0.1, 1))
    path = files.table(ROWS | {"onset": [onset]}, "truth")
    assert pd.read_csv(path, sep="\t", float_precision="round_trip").onset[0] == onset


def test_paths_stay(files, tmp_path):
    assert files.events("x.tsv", "predictions") == files.table("x.tsv", "y").parent / "x.tsv"
    assert files.durations(tmp_path / "d.tsv", "durations") == tmp_path / "d.tsv"


def test_operating_points_and_scores_are_folders(files):
    points = files.events({0.05: ROWS, 1e-7: ROWS}, "p")
    assert sorted(f.name for f in points.iterdir()) == ["0.0000001.tsv", "0.05.tsv"]
    frames = pd.DataFrame({"onset": [0.0], "offset": [1.0], "Dog": [0.4]})
    scores = files.events({"day/a.wav": frames}, "s")
    assert [f.relative_to(scores).as_posix() for f in scores.rglob("*.tsv")] == ["day/a.tsv"]


@pytest.mark.parametrize("given", [{"a.wav": 3.0}, pd.Series({"a.wav": 3.0})])
def test_durations_by_clip(files, given):
    assert files.durations(given, "d").read_text() == "filename\tduration\na.wav\t3.0\n"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "an empty dictionary"),
        ({0.5: ROWS, "a": ROWS}, r"p\[0.5\]: expected columns with filename"),
        (ROWS | {"event_label": ["Dog\tCat"]}, "holds a tab"),
        (ROWS | {"onset": [1, 2]}, "p: no table"),
    ],
)
def test_what_is_no_table_is_refused(files, given, message):
    with pytest.raises(ValueError, match=message):
        files.events(given, "p")


def test_messages_name_the_table_and_its_row(files):
    path = files.table(ROWS, "truth")
    assert files.in_their_terms(f"{path}, line 2: bad") == "truth, row 0: bad"
    assert files.in_their_terms(f"{path}, line 1: bad") == "truth, columns: bad"
    assert files.in_their_terms(f"{path}: bad") == "truth: bad"


def test_thresholds_of_every_size_are_read_again(files):
    points = dict.fromkeys((0.0, 1.0, -2.5, 1e-7, np.float64(0.05)), ROWS)
    found = files.events(points, "p")
    assert sorted(map(threshold_of, found.iterdir())) == sorted(points)


def test_two_names_of_one_clip_are_refused(files):
    """The second was written over the first."""
    frames = pd.DataFrame({"onset": [0.0], "offset": [1.0], "Dog": [0.4]})
    with pytest.raises(ValueError, match=r"s\['a.flac'\] and s\['a.wav'\] mean the same \(a\)"):
        files.events({"a.wav": frames, "a.flac": frames}, "s")


def test_whole_numbers_as_names_stay_whole(files):
    """pandas makes them floats where one row has none."""
    rows = {"filename": [1, 2], "onset": [0.1, None], "offset": [1, None], "event_label": [0, None]}
    assert files.table(pd.DataFrame(rows), "t").read_text().splitlines()[1:] == [
        "1\t0.1\t1.0\t0",
        "2\t\t\t",
    ]


@pytest.mark.parametrize("given", [None, 10.0, [("a.wav", 1, 2, "Dog")], np.zeros((2, 4))])
def test_other_types_are_named(files, given):
    for read in (files.events, files.table, files.durations):
        with pytest.raises(ValueError, match=f"p: {type(given).__name__}: expected a path, a Dat"):
            read(given, "p")


def test_tables_of_events_by_clip_are_no_scores(files):
    with pytest.raises(ValueError, match=r"p\['a.wav'\]: columns .*; of a clip frame scores are"):
        files.events({"a.wav": pd.DataFrame(ROWS)}, "p")
