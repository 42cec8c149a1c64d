"""Tables of labels under the names that people give their columns."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raysed.data.recorded.label_table import (
    LABELS,
    read_label_table,
    role_columns,
    row_batches,
    trimmed,
)
from raysed.storage.tab_separated import read_table
from tests.data.recorded import forms


def read(tmp_path: Path, name: str, content: str) -> list[tuple]:
    table = read_label_table(str(forms.text(tmp_path / name, content)))
    assert table.schema == LABELS
    return [tuple(row.values())[:5] for row in table.to_pylist()]


def test_of_several_columns_the_first_known_name_counts() -> None:
    assert role_columns(["fname", "labels", "mids", "split"]) == {
        "filename": "fname",
        "event_label": "labels",
    }
    esc = ["filename", "fold", "target", "category", "esc10", "src_file", "take"]
    assert role_columns(esc) == {"filename": "filename", "event_label": "category"}
    urban = ["slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class"]
    assert role_columns(urban)["event_label"] == "class"


def test_a_tsv_of_events_and_a_clip_without(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        "t.tsv",
        'filename\tonset\toffset\tevent_label\n"a".wav\t0.5\t1\tDog\nb.wav\t\t\t\n',
    )
    assert rows == [('"a".wav', 0.5, 1.0, "Dog", None), ("b.wav", None, None, None, None)]


def test_lists_of_labels_are_taken_apart(tmp_path: Path) -> None:
    content = 'fname,labels,mids,split\n1,"Dog,Cat",x,train\n2,,y,train\n3,Rain,z,val\n'
    assert [row[::3] for row in read(tmp_path, "dev.csv", content)] == [
        ("1", "Dog"), ("1", "Cat"), ("2", None), ("3", "Rain")
    ]  # fmt: skip


def test_crlf_and_a_byte_order_mark_are_no_part_of_names(tmp_path: Path) -> None:
    rows = read(tmp_path, "t.tsv", "\ufefffilename\tevent_labels\r\na.wav\tDog\r\n")
    assert rows == [("a.wav", None, None, "Dog", None)]


def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    for rows in ("a\tb\n", ""):
        with pytest.raises(ValueError, match=r"t\.tsv: has no column with file names"):
            read(tmp_path, "t.tsv", f"name\tlabel\n{rows}")
    with pytest.raises(ValueError, match=r"x\.jsonl: cannot be read as jsonl"):
        read(tmp_path, "x.jsonl", "{not json}\n")
    with pytest.raises(
        ValueError, match=r"y\.jsonl: cannot be read as jsonl \(line 2 is no object"
    ):
        read(tmp_path, "y.jsonl", '{"filename": "a"}\n["b"]\n')
    with pytest.raises(ValueError, match=r"z\.jsonl: has no column with file names"):
        read(tmp_path, "z.jsonl", "\n")
    with pytest.raises(ValueError, match=r"x\.parquet: cannot be read as parquet"):
        read(tmp_path, "x.parquet", "no")


def test_quotation_marks_of_a_tsv_are_letters_as_in_every_table(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_text('filename\tevent_label\n"a.wav\tDog\nb".wav\t"Cat"\n')
    ours = [
        [row["filename"], row["event_label"]]
        for rows in row_batches(str(path))
        for row in rows.to_pylist()
    ]
    assert ours == read_table(path, ["filename"]).rows == [['"a.wav', "Dog"], ['b".wav', '"Cat"']]


@pytest.mark.parametrize("kind", ["tsv", "jsonl", "parquet"])
def test_a_long_table_comes_in_parts_with_its_own_lines(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a TSV a part is a quarter of a megabyte."""
    monkeypatch.setattr("raysed.data.recorded.label_table.ROWS_AT_ONCE", 7)
    count, long = (3, "x" * 150_000) if kind == "tsv" else (20, "x")
    rows = [
        {"filename": f"{n}{long}", "onset": n / 4, "offset": n + 1.0, "label": "Dog"}
        for n in range(count)
    ]
    path = tmp_path / f"t.{kind}"
    if kind == "tsv":
        lines = [rows[0].keys(), *(row.values() for row in rows)]
        path.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    assert sum(len(part) > 0 for part in row_batches(str(path))) > 1
    found = read_label_table(str(path)).to_pylist()
    assert [row["line"] for row in found] == list(range(2, count + 2))
    assert [(row["filename"], row["onset"]) for row in found] == [
        (row["filename"], row["onset"]) for row in rows
    ]
    if kind == "tsv":
        path.write_text(path.read_text().replace(f"{long}\t0.5\t", f"{long}\thalf\t"))
        with pytest.raises(ValueError, match="line 4: onset 'half' is no number"):
            read_label_table(str(path))


def test_objects_may_leave_out_what_a_clip_has_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clip without events may be an object of its name alone, also the first, and more than a part of them."""
    monkeypatch.setattr("raysed.data.recorded.label_table.ROWS_AT_ONCE", 2)
    clips = "".join(json.dumps({"filename": f"{n}.wav"}) + "\n" for n in range(3))
    event = {"event_label": "Dog", "onset": 0.5, "filename": "a.wav", "offset": 1.0}
    rows = read(tmp_path, "t.jsonl", f"{clips}{json.dumps(event)}\n")
    assert rows == [
        *((f"{n}.wav", None, None, None, None) for n in range(3)),
        ("a.wav", 0.5, 1.0, "Dog", None),
    ]


def test_what_pandas_has_not_is_nothing(tmp_path: Path) -> None:
    """Python's json writes the NaN of a missing value as such, which no JSON knows."""
    row = '{"filename": "a.wav", "onset": NaN, "offset": NaN, "event_label": NaN}\n'
    rows = read(tmp_path, "t.jsonl", row + row.replace("NaN}", '"Dog"}'))
    assert [each[1:4] for each in rows] == [(None, None, None), (None, None, "Dog")]


def test_blanks_around_a_label_are_no_part_of_it(tmp_path: Path) -> None:
    path = forms.text(
        tmp_path / "t.tsv", "file\tonset\toffset\tlabel\na\t0\t1\t Dog \nb\t0\t1\t \n"
    )
    assert trimmed(read_label_table(str(path)))["event_label"].to_pylist() == ["Dog", None]
