"""Tables of boxes, made of score files without ground truth."""

from pathlib import Path

import numpy as np
import pytest

from raysed.evaluation.detections.bounding_boxes import BoxSettings, bounding_boxes
from raysed.evaluation.detections.event_table import read_events_tsv
from raysed.evaluation.postprocessing.box_files import boxes_of_folder, read_bare_scores, time_text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    place = tmp_path / "scores"
    for name in ("b", "day1/a"):
        score_TK = rng.random((20, 2)).round(3)
        rows = [f"{t / 10:g}\t{(t + 1) / 10:g}\t{a}\t{b}" for t, (a, b) in enumerate(score_TK)]
        path = place / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(["onset\toffset\tDog\tCat", *rows]) + "\n")
    return place


def test_what_is_written_is_what_was_found(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "boxes.tsv"
    settings = BoxSettings(0.3, 0.2, 2)
    boxes, filenames, classes = boxes_of_folder(folder, out, settings)
    assert (filenames, classes) == (("b", "day1/a"), ("Dog", "Cat"))
    assert len(boxes) == len(bounding_boxes(read_bare_scores(folder)[2], settings)) > 4
    rows = [line.split("\t") for line in out.read_text().splitlines()[1:]]
    assert [row[0] for row in rows] == [filenames[n] for n in boxes.events.clip_E]
    assert [row[3] for row in rows] == [classes[k] for k in boxes.events.label_E]
    written = np.array([[float(row[column]) for column in (1, 2, 4)] for row in rows])
    found = np.array([boxes.events.onset_E, boxes.events.offset_E, boxes.confidence_E]).T
    assert np.abs(written - found).max() < 1e-9
    # Whoever reads tables of events reads it, too.
    assert len(read_events_tsv(out)) == len(boxes)


def test_a_table_among_the_scores_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="would be taken for a score file"):
        boxes_of_folder(folder, folder / "boxes.tsv", BoxSettings())
    assert not (folder / "boxes.tsv").exists()


def test_folders_that_hold_no_scores(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no score file"):
        read_bare_scores(tmp_path)
    (tmp_path / "events.tsv").write_text("filename\tonset\toffset\tevent_label\na\t0\t1\tDog\n")
    with pytest.raises(ValueError, match=r"events.tsv, line 1: .* this is a table of events"):
        read_bare_scores(tmp_path)


def test_times_are_exact_to_the_nanosecond() -> None:
    assert [time_text(value) for value in (0.0, 1.808, 10.0, 1 / 3)] == [
        "0",
        "1.808",
        "10",
        "0.333333333",
    ]
