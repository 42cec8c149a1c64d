"""Label files of which each is about one recording."""

import json
from pathlib import Path

import pytest

from raysed.data.recorded.label_files import label_files
from tests.data.recorded import forms


def read(place: Path) -> list[tuple]:
    return [
        (r["filename"], r["onset"], r["offset"], r["event_label"], r["confidence"])
        for rows in label_files(str(place))
        for r in rows.to_pylist()
    ]


def test_audacity_headers_and_commas(tmp_path: Path) -> None:
    forms.text(tmp_path / "a.txt", "0.5\t1.25\tDog\n\\\t100\t200\n")
    forms.text(tmp_path / "b.csv", "onset,offset,label\n1,2,Cat\n")
    forms.text(tmp_path / "c.txt", "")
    assert read(tmp_path) == [
        ("a", 0.5, 1.25, "Dog", None), ("b", 1.0, 2.0, "Cat", None), ("c", None, None, None, None)
    ]  # fmt: skip


def test_faults_name_file_and_line(tmp_path: Path) -> None:
    forms.text(tmp_path / "a.txt", "0.5\t1.25\tDog\n1 2 Cat\n")
    with pytest.raises(ValueError, match=r"a\.txt, line 2: expected onset, offset, label"):
        read(tmp_path)
    forms.text(tmp_path / "j/a.jams", '{"annotations": [{"namespace": "beat", "data": []}]}')
    with pytest.raises(ValueError, match=r"a\.jams: no annotation of sound events .*, only beat"):
        read(tmp_path / "j")
    forms.text(tmp_path / "j/a.jams", "[]")
    with pytest.raises(ValueError, match=r"a\.jams: is no JAMS"):
        read(tmp_path / "j")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no label files"):
        read(tmp_path / "empty")


@pytest.mark.parametrize(
    "data", [[{"time": 0, "value": "x"}], None, [{"time": None, "duration": 1, "value": "x"}]]
)
def test_jams_that_lack_a_time_are_named(tmp_path: Path, data: object) -> None:
    content = {"annotations": [{"namespace": "scaper", "data": data}]}
    place = forms.text(tmp_path / "a.jams", json.dumps(content)).parent
    with pytest.raises(
        ValueError, match=r"a\.jams: an observation without time, duration and value"
    ):
        list(label_files(str(place)))


def test_many_files_come_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        forms.text(tmp_path / f"{name}.txt", "0\t1\tDog\n1\t2\tCat\n")
    whole = read(tmp_path)
    monkeypatch.setattr("raysed.data.recorded.label_files.ROWS_AT_ONCE", 3)
    assert [len(rows) for rows in label_files(str(tmp_path))] == [4, 2]
    assert read(tmp_path) == whole


@pytest.mark.parametrize(
    "header", ["onset\tduration\tlabel", "offset,onset,label", "label\tonset\toffset"]
)
def test_a_header_of_other_columns_is_refused(tmp_path: Path, header: str) -> None:
    """The durations 2 and 3 would pass for offsets."""
    comma = "\t" if "\t" in header else ","
    forms.text(tmp_path / "a.txt", f"{header}\n" + comma.join(["1", "2", "Dog"]) + "\n")
    with pytest.raises(ValueError, match=r"a\.txt, line 1: expected the columns onset, offset"):
        read(tmp_path)
