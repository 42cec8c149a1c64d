"""Tables of events and durations: what is read, and which rows are refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from raysed.evaluation.detections.event_table import (
    eventless,
    read_durations_tsv,
    read_events_tsv,
    refuse_rows,
    refuse_soft_labels,
)

HEADER = "filename\tonset\toffset\tevent_label\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "events.tsv"
    path.write_text(text)
    return path


def test_columns_in_any_order_with_extra_ones(tmp_path: Path) -> None:
    path = write(tmp_path, "event_label\tscore\toffset\tonset\tfilename\nNone\t.3\t2\t1\ta.wav\n")
    frame = read_events_tsv(path)
    assert frame.columns.tolist() == ["filename", "onset", "offset", "event_label"]
    assert frame.iloc[0].tolist() == ["a.wav", 1.0, 2.0, "None"]  # a class may be called None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected the tab-separated columns .* from an empty line"),
        (
            "filename,onset,offset,event_label\na.wav,1,2,Cat\n",
            "line 1: expected the tab-separated columns",
        ),
        ("filename\tonset\tevent_label\na.wav\t1\tCat\n", "offset is missing"),
        (
            HEADER + "a.wav\t1\t2\tCat\nb.wav\tone\t2\tCat\n",
            r"line 3: clip b.wav has a value of onset that is no number",
        ),
        (
            HEADER + "a.wav\t1\tnan\tCat\n",
            "line 2: clip a.wav has a value of offset that is no number",
        ),
        (
            HEADER + "a.wav\t1\t2\tCat\n\nb.wav\t2\t1\tCat\n",
            "line 4: clip b.wav has its offset before its onset",
        ),
        (HEADER + "a.wav\t1\t2\t\n", "line 2: clip a.wav has some but not all"),
        (HEADER + "\t1\t2\tCat\n", "line 2: .*has no filename"),
        (HEADER + "a.wav\t1\t2\tCat\tmore\n", "line 2: more fields"),
        (HEADER + "a.wav\t-1\t2\tCat\n", "line 2: clip a.wav has an onset before 0 s"),
    ],
)
def test_bad_files_are_refused_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=message) as caught:
        read_events_tsv(path)
    assert str(path) in str(caught.value)


def test_durations(tmp_path: Path) -> None:
    path = tmp_path / "durations.tsv"
    path.write_text("duration\tfilename\n9.5\ta.wav\n10\tb.wav\n")
    assert read_durations_tsv(path) == {"a.wav": 9.5, "b.wav": 10.0}
    for row, message in (
        ("0\tc.wav", "positive"),
        ("2\ta.wav", "more than one"),
        ("x\tc.wav", "no number"),
    ):
        path.write_text(f"duration\tfilename\n9.5\ta.wav\n{row}\n")
        with pytest.raises(ValueError, match=f"line 3.*{message}"):
            read_durations_tsv(path)


@pytest.mark.parametrize("column", ["confidence", "Score", "probability"])
def test_columns_that_weigh_rows_are_refused_by_name(tmp_path: Path, column: str) -> None:
    header = HEADER.rstrip("\n") + f"\t{column}\n"
    frame = read_events_tsv(write(tmp_path, header + "a.wav\t1\t2\tCat\t0.05\n"))
    assert frame.attrs["unused"] == [column]
    with pytest.raises(ValueError, match=f"events.tsv, line 1: the column {column} weighs"):
        refuse_soft_labels(frame)
    refuse_soft_labels(read_events_tsv(write(tmp_path, header.replace(column, "fold"))))


def test_eventless_rows_have_neither_times_nor_label(tmp_path: Path) -> None:
    frame = read_events_tsv(write(tmp_path, HEADER + "a.wav\nb.wav\t1\t2\tCat\nc.wav\t\t\t\n"))
    assert eventless(frame).tolist() == [True, False, True]


def test_times_are_the_floats_nearest_to_the_text(tmp_path: Path) -> None:
    """pandas' parser rounds the last digits otherwise than float()."""
    onset_E = (np.random.default_rng(0).random(500) * 10).tolist()
    path = write(tmp_path, HEADER + "".join(f"a.wav\t{onset!r}\t99\tCat\n" for onset in onset_E))
    np.testing.assert_array_equal(read_events_tsv(path)["onset"], onset_E)
    assert (pd.read_csv(path, sep="\t")["onset"] != onset_E).any()


def test_a_refusal_says_place_content_and_how_many(tmp_path: Path) -> None:
    frame = read_events_tsv(write(tmp_path, HEADER + "a.wav\t1\t2\tCat\nb.wav\t1\t2\tCat\n"))
    refuse_rows(frame, [False, False], "is bad")
    with pytest.raises(
        ValueError, match=r"events.tsv, line 3: clip b.wav is bad \(.*; 1 such rows"
    ):
        refuse_rows(frame, [False, True], "is bad")
