"""DESED's three kinds of annotations: what is read, and every fault of a file at once."""

from pathlib import Path

import pytest

from raysed.data.clip import Event
from raysed.data.recorded.tsv import read_strong, read_unlabelled, read_weak

STRONG = "filename\tonset\toffset\tevent_label\n"
WEAK = "filename\tevent_labels\n"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "labels.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_each_kind_is_read(tmp_path: Path) -> None:
    strong = write(tmp_path, STRONG + "b.wav\t1\t2.5\tCat\na.wav\nb.wav\t0\t1\tDog\n")
    events = (Event(1.0, 2.5, "Cat"), Event(0.0, 1.0, "Dog"))
    assert read_strong(strong, None) == {"b.wav": events, "a.wav": ()}
    weak = write(tmp_path, WEAK + "a.wav\tDog, Cat,Dog\nb.wav\t\n")
    assert read_weak(weak, None) == {"a.wav": ("Cat", "Dog"), "b.wav": ()}
    assert read_unlabelled(write(tmp_path, "filename\nb.wav\na.wav\n")) == ["b.wav", "a.wav"]


def test_quotation_marks_are_letters_as_in_score(tmp_path: Path) -> None:
    path = write(tmp_path, STRONG + '"a.wav\t1\t2\tCat\nb.wav"\t1\t2\tCat\n')
    assert list(read_strong(path, None)) == ['"a.wav', 'b.wav"']


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (".\t1\t2\tCat", "line 2: the filename '.' is a folder"),
        ("a.wav\t1\t2\tCat ", "line 2: the event_label 'Cat ' begins or ends with a blank"),
        ("a.wav \t1\t2\tCat", "line 2: the filename 'a.wav ' begins or ends with a blank"),
        ("x" * 131_073 + "\t1\t2\tCat", "line 2: a field of 131,073 characters"),
        ("a.wav,1,2,Cat", "line 2: 'a.wav,1,2,Cat' is the only field"),
        ("a.wav\t1\t2\tCat\t.3", "line 2: more fields than the header has columns (5, 4)"),
        ("a.wav\t-1\t2\tCat", "line 2: onset -1.0 and offset 2.0"),
    ],
)
def test_a_row_is_refused_with_file_and_line(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_strong(write(tmp_path, STRONG + row + "\n"), None)
    assert "labels.tsv: " in str(caught.value) and message in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ((STRONG + "a.wav\n").encode("utf-16"), "labels.tsv: is UTF-16 text; save it as UTF-8"),
        (STRONG.encode() + b"\xff.wav\n", "labels.tsv, line 2: is not UTF-8 text"),
        (STRONG.strip() + "\tconfidence\n", r"labels.tsv, line 1: .*'confidence'\], expected"),
        ('"filename"\t"onset"\n', "quotation marks are letters here"),
    ],
)
def test_a_file_is_refused_by_name(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_strong(write(tmp_path, text), None)


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    rows = "a.wav\tone\t2\tCat\nb.wav\t2\t1\tCat\nc.wav\t1\t2\tOwl\n" + "d.wav \n" * 20
    with pytest.raises(ValueError) as caught:
        read_strong(write(tmp_path, STRONG + rows), ["Cat"])
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("labels.tsv: 23 faults")
    assert lines[-1].strip() == "… and 13 more"
