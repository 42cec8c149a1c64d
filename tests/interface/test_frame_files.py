"""Tables become the files that are read, and messages about files become messages about tables."""

import numpy as np
import pandas as pd
import pytest

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
