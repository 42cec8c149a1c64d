"""Events and scores as files: every format, every place, whole or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest

from raysed.predict.output import EventWriter, write_scores
from raysed.predict.recordings import RecordingScores
from raysed.predict.sources import Recording

A, B = Recording("a.wav", "/in/a.wav"), Recording("day/b.flac", "/in/day/b.flac")
EVENTS = {A: [(0.0, 1.5, "Cat"), (1 / 16000, 10.0, "Dog")], B: []}


def write_all(out: str | None, form: str, about: dict | None = None) -> EventWriter:
    writer = EventWriter(out, form, list(EVENTS))
    for source, events in EVENTS.items():
        writer.write(source, events, 12.5, ["cut short"] if source is B else [])
    writer.close(about or {})
    return writer


TSV_A = "a.wav\t0\t1.5\tCat\na.wav\t0.0000625\t10\tDog\n"
HEADER = "filename\tonset\toffset\tevent_label\n"


def test_one_table_of_all_recordings(tmp_path: Path) -> None:
    writer = write_all(str(tmp_path / "all.tsv"), "tsv")
    assert (tmp_path / "all.tsv").read_text() == HEADER + TSV_A
    assert writer.files(list(EVENTS)) == [tmp_path / "all.tsv"]


def test_standard_output_gets_each_recording_when_it_is_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    writer = EventWriter(None, "tsv", list(EVENTS))
    writer.write(A, EVENTS[A], 12.5, [])
    assert capsys.readouterr().out == HEADER + TSV_A
    writer.write(B, [], 12.5, [])
    writer.close({})
    assert capsys.readouterr().out == "" and writer.files([A]) == []


def test_a_folder_holds_a_file_for_each_recording(tmp_path: Path) -> None:
    writer = write_all(f"{tmp_path}/out/", "tsv")
    files = [tmp_path / "out/a.tsv", tmp_path / "out/day/b.tsv"]
    assert writer.files(list(EVENTS)) == files
    # The second has its header too, and nothing of the first.
    assert [path.read_text() for path in files] == [HEADER + TSV_A, HEADER]


@pytest.mark.parametrize("out", ["new", "new/"])
def test_a_name_without_suffix_is_a_folder(tmp_path: Path, out: str) -> None:
    write_all(f"{tmp_path}/{out}", "audacity")
    assert (tmp_path / "new/a.txt").read_text() == "0\t1.5\tCat\n0.0000625\t10\tDog\n"
    assert (tmp_path / "new/day/b.txt").read_text() == ""


def test_json_of_the_whole_run_and_of_each_recording(tmp_path: Path) -> None:
    write_all(str(tmp_path / "all.json"), "json", {"raysed": "x"})
    found = json.loads((tmp_path / "all.json").read_text())
    assert found["raysed"] == "x" and [f["filename"] for f in found["files"]] == [
        "a.wav",
        "day/b.flac",
    ]
    first, second = found["files"]
    assert first["events"][1] == {"onset": 6.25e-05, "offset": 10.0, "event_label": "Dog"}
    assert (first["duration"], first["path"], first["notes"]) == (12.5, "/in/a.wav", [])
    assert (second["events"], second["notes"]) == ([], ["cut short"])
    write_all(f"{tmp_path}/each/", "json")
    assert json.loads((tmp_path / "each/a.json").read_text()) == first
    assert json.loads((tmp_path / "each/day/b.json").read_text()) == second


def test_labels_that_name_no_recording_need_a_folder_or_a_single_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="which of 2 recordings they are of: give --out a folder"):
        EventWriter(str(tmp_path / "all.txt"), "audacity", [A, B])
    writer = EventWriter(str(tmp_path / "one.txt"), "audacity", [A])
    writer.write(A, EVENTS[A], 12.5, [])
    writer.close({})
    assert (tmp_path / "one.txt").read_text().count("\n") == 2


def test_two_recordings_that_would_share_a_file_are_refused_before_work(tmp_path: Path) -> None:
    twin = Recording("a.flac", "/in/a.flac")
    with pytest.raises(ValueError, match=r"/in/a\.wav and /in/a\.flac would both write a\.tsv"):
        EventWriter(f"{tmp_path}/out/", "tsv", [A, twin])
    assert not (tmp_path / "out").exists()


def test_scores_have_a_row_for_each_frame_that_lasts(tmp_path: Path) -> None:
    scores_TK = np.array([[0.1, 1.0], [0.5, 0.0], [0.25, 0.75]], np.float16)
    scores = RecordingScores(scores_TK, np.array([0.0, 0.06375, 0.1, 0.1]), 0.1)
    write_scores(str(tmp_path), B, scores, ("Cat", "Dog"))
    assert (tmp_path / "day/b.tsv").read_text() == (
        "onset\toffset\tCat\tDog\n0\t0.06375\t0.1\t1.0\n0.06375\t0.1\t0.5\t0.0\n"
    )


MADE_BY = {"method": "boxes", "threshold": {"Cat": 0.4}}


@pytest.mark.parametrize(
    ("out", "form", "place"),
    [
        ("all.tsv", "tsv", "all.postprocessing.json"),
        ("out/", "tsv", "out/postprocessing.json"),
        ("out/", "audacity", "out/postprocessing.json"),
    ],
)
def test_a_file_beside_says_what_made_the_events(
    tmp_path: Path, out: str, form: str, place: str
) -> None:
    writer = EventWriter(f"{tmp_path}/{out}", form, list(EVENTS), MADE_BY)
    assert writer.sidecar == tmp_path / place
    writer.write(A, [], 12.5, [])
    writer.close({"checkpoint": "best.pt", "network": "student", "left_out": []})
    found = json.loads((tmp_path / place).read_text())
    assert found == MADE_BY | {"checkpoint": "best.pt", "network": "student"}


def test_json_and_standard_output_have_none(tmp_path: Path) -> None:
    assert EventWriter(f"{tmp_path}/a.json", "json", [A], MADE_BY).sidecar is None
    assert EventWriter(None, "tsv", [A], MADE_BY).sidecar is None
