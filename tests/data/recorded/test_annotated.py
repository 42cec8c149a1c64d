"""Own recordings with labels in each usual form become the same rows."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.clip import Event, SoftEvent
from raysed.data.recorded.annotated import (
    annotated_classes,
    in_part,
    list_annotated,
    tenth_of,
)
from raysed.data.recorded.listing import Listing
from tests.data.recorded import forms


def annotated(**fields) -> AnnotatedSet:
    return AnnotatedSet(kind="annotated", **fields)


def rows(data_set: AnnotatedSet, classes=None) -> list[dict]:
    column = "weak_labels" if data_set.type == "weak" else "events"
    return [
        {**row._asdict(), column: json.loads(row.labels or "null")}
        for row in list_annotated(data_set, classes)
    ]


def events(row) -> list[tuple]:
    columns = ("onset", "offset", "event_label", "confidence")
    found = json.loads(row["labels"])
    return [tuple(event[column] for column in columns if column in event) for event in found]


def test_the_strongly_labelled_real_clips_of_desed(tmp_path: Path) -> None:
    forms.desed_strong_real(tmp_path)
    found = list_annotated(
        annotated(
            audio=f"{tmp_path}/audio/train/strong_label_real",
            labels=f"{tmp_path}/metadata/train/audioset_strong.tsv",
            type="strong",
        ),
        ("Dog", "Speech", "Vacuum_cleaner"),
    )
    first, second = (row._asdict() for row in found)
    assert first["filename"] == "Y00pbt6aJV8Y_350.000_360.000.wav"
    assert events(second) == [(0.1, 0.4, "Speech"), (0.2, 0.3, "Dog")]
    assert list(found.missing) == ["Ygone_0.000_10.000.wav"] and found.warnings == ()


def test_maestro_real_has_a_value_for_each_second(tmp_path: Path) -> None:
    forms.maestro_real(tmp_path)
    data_set = annotated(
        audio=f"{tmp_path}/development_audio",
        labels=f"{tmp_path}/development_annotation",
        type="soft",
        map={"people talking": ("people talking", "Speech"), "cutlery and dishes": "Dishes"},
    )
    (row,) = rows(data_set)
    assert row["filename"] == "cafe_restaurant/cafe_restaurant_00.wav"
    assert (0.0, 1.0, "Dishes", 0.8) in events(row) and (1.0, 2.0, "Speech", 0.75) in events(row)
    assert len(events(row)) == 1 + 2 * 4
    assert annotated_classes(data_set) == {"people talking", "Speech", "Dishes"}


def test_audioset_strong_by_segment_and_machine_id(tmp_path: Path) -> None:
    forms.audioset_strong(tmp_path)
    data_set = annotated(
        audio=f"{tmp_path}/audio/*.wav",
        labels=f"{tmp_path}/audioset_train_strong.tsv",
        names=f"{tmp_path}/mid_to_display_name.tsv",
        map={"Male speech, man speaking": "Speech"},
        other_labels="ignore",
        type="strong",
    )
    found = {row["filename"]: events(row) for row in rows(data_set, ("Speech",))}
    assert found == {
        "-0RWZT-miFs_420.000_430.000.wav": [(0.1, 0.7, "Speech")],
        "Yb0RFKhbpFJA_30.000_40.000.wav": [(0.2, 0.5, "Speech")],
    }
    assert annotated_classes(data_set) == {"Speech", "Wind"}


@pytest.mark.parametrize("old", [False, True])
def test_urban_sed_without_its_background(tmp_path: Path, old: bool) -> None:
    forms.urban_sed(tmp_path, old)
    (row,) = rows(
        annotated(
            audio=f"{tmp_path}/audio/train", labels=f"{tmp_path}/annotations/train", type="strong"
        )
    )
    assert events(row) == [(0.25, 0.75, "siren"), (0.5, 0.75, "dog_bark")]


def test_wild_desed_is_a_set_for_each_level(tmp_path: Path) -> None:
    forms.wild_desed(tmp_path)
    for level in ("clean", "-5dB"):
        (row,) = rows(
            annotated(
                audio=f"{tmp_path}/audio/{level}",
                labels=f"{tmp_path}/metadata/train.tsv",
                type="strong",
            )
        )
        assert (row["filename"], events(row)) == ("12.wav", [(0.1, 0.5, "Dog")])


def test_folders_are_weak_labels(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path)
    found = rows(annotated(audio=str(tmp_path), type="weak"))
    assert [(r["filename"], r["weak_labels"]) for r in found[3:5]] == [
        ("dog/0-003.wav", ["dog"]),
        ("rain/1-000.wav", ["rain"]),
    ]
    forms.audio(tmp_path / "loose.wav")
    with pytest.raises(ValueError, match=r"loose\.wav lies in no folder"):
        rows(annotated(audio=str(tmp_path), type="weak"))


def test_hugging_face_parquet_holds_the_audio(tmp_path: Path) -> None:
    for number in range(2):
        forms.hugging_face(
            tmp_path / f"data/train-0000{number}-of-00002.parquet", first=10 * number
        )
    found = rows(annotated(audio=f"{tmp_path}/data/train-*.parquet", type="weak"))
    assert len(found) == 10 and [r["weak_labels"] for r in found[:3]] == [
        ["dog"],
        ["rain"],
        ["dog"],
    ]
    assert found[6]["path"] == "train-00001-of-00002.parquet#1"
    assert [r["filename"] for r in found] == sorted(r["filename"] for r in found)
    assert all(r["size"] > 1000 for r in found)


MANIFEST = [
    {"file": "a.wav", "events": [{"start": 0.1, "end": 0.2, "label": "Dog"}]},
    {"file": "b.wav", "events": []},
]


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "tsv", "csv"])
def test_manifests_name_audio_and_labels(tmp_path: Path, kind: str) -> None:
    for name in "ab":
        forms.audio(tmp_path / f"{name}.wav")
    path = tmp_path / f"list.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in MANIFEST))
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(MANIFEST), path)
    else:
        comma = "\t" if kind == "tsv" else ","
        lines = [
            ["filename", "onset", "offset", "event_label"],
            ["a.wav", "0.1", "0.2", "Dog"],
            ["b.wav", "", "", ""],
        ]
        path.write_text("".join(comma.join(line) + "\n" for line in lines))
    a, b = rows(annotated(audio=str(path), type="strong"))
    assert (events(a), events(b)) == ([(0.1, 0.2, "Dog")], [])


def test_a_manifest_may_name_urls_and_weak_lists(tmp_path: Path) -> None:
    forms.audio(tmp_path / "elsewhere/a.wav")
    lines = [{"path": f"file://{tmp_path}/elsewhere/a.wav", "labels": ["rain", "dog"]}]
    path = forms.text(tmp_path / "m.jsonl", json.dumps(lines[0]))
    (row,) = rows(annotated(audio=str(path), type="weak"))
    assert row["path"].startswith("file://") and sorted(row["weak_labels"]) == ["dog", "rain"]


def test_columns_of_lists_are_events(tmp_path: Path) -> None:
    names = [forms.audio(tmp_path / f"{n}.wav").name for n in range(3)]
    lists = {"onset": [[0.1, 0.3], [], None], "offset": [[0.2, 0.4], [], None]}
    labels = {"label": [["a", "b"], [], None]}
    path = tmp_path / "m.parquet"
    pq.write_table(pa.table({"file": names, **lists, **labels}), path)
    found = rows(annotated(audio=str(path), type="strong"))
    assert [events(row) for row in found] == [[(0.1, 0.2, "a"), (0.3, 0.4, "b")], [], []]
    pq.write_table(
        pa.table({"file": names, **lists, "label": [["a"], [], None]}), tmp_path / "n.parquet"
    )
    with pytest.raises(
        ValueError, match=r"n\.parquet: onset, offset, label are lists of different"
    ):
        rows(annotated(audio=f"{tmp_path}/n.parquet", type="strong"))


def test_a_table_without_labels_is_not_taken_for_silence(tmp_path: Path) -> None:
    forms.audio(tmp_path / "a.wav")
    path = forms.text(tmp_path / "t.tsv", "filename\tspeaker\na.wav\tme\n")
    for place in ({"audio": str(path)}, {"audio": str(tmp_path), "labels": str(path)}):
        with pytest.raises(ValueError, match=r"no column with labels .* only filename, speaker"):
            rows(annotated(type="weak", **place))
    numbers = pa.table({"file": ["a.wav"], "label": [{"x": 1}]})
    pq.write_table(numbers, tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"t\.parquet: its columns are no labels"):
        rows(annotated(audio=f"{tmp_path}/t.parquet", type="weak"))


def test_a_number_that_no_class_has_is_named(tmp_path: Path) -> None:
    path = forms.hugging_face(tmp_path / "t.parquet", clips=2)
    table = pq.read_table(path)
    table = table.set_column(table.column_names.index("label"), "label", pa.array([0, 7]))
    pq.write_table(table, tmp_path / "u.parquet")
    with pytest.raises(ValueError, match=r"u\.parquet: column label holds a number .* 0 to 1"):
        rows(annotated(audio=f"{tmp_path}/u.parquet", type="weak"))


def test_unlabelled_audio_needs_no_table(tmp_path: Path) -> None:
    forms.audio(tmp_path / "x/a.flac")
    forms.audio(tmp_path / "x/.hidden.wav")
    forms.text(tmp_path / "x/notes.txt", "no audio")
    assert [r["filename"] for r in rows(annotated(audio=str(tmp_path), type="none"))] == [
        "x/a.flac"
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.wav\t0.5\t0.2\tDog", r"line 2, a\.wav: onset 0\.5 and offset 0\.2 do not fulfil"),
        ("a.wav\t\t\tDog", r"line 2, a\.wav: 'Dog' has no onset and offset"),
        ("a.wav\t0.1\t0.2\t", r"line 2, a\.wav: has times but no label"),
        ("a.wav\tx\t0.2\tDog", r"line 2: onset 'x' is no number"),
        (
            "a.wav\t0.1\t0.2\tdog",
            r"labels that are no classes: dog .*`map`.*`other_labels: ignore`",
        ),
    ],
)
def test_faults_are_named_with_line_and_what_to_do(tmp_path: Path, row: str, message: str) -> None:
    forms.audio(tmp_path / "a.wav")
    table = forms.text(tmp_path / "t.tsv", f"filename\tonset\toffset\tevent_label\n{row}\n")
    with pytest.raises(ValueError, match=message):
        rows(annotated(audio=str(tmp_path), labels=str(table), type="strong"), ("Dog",))


def test_labels_are_classes_without_the_blanks_around_them(tmp_path: Path) -> None:
    for name in ("a", "b"):
        forms.audio(tmp_path / f"rec/{name}.wav")
    strong = forms.text(
        tmp_path / "s.tsv",
        "filename\tonset\toffset\tlabel\na.wav\t0\t.5\tDog \nb.wav\t0\t.5\tDog\n",
    )
    weak = forms.text(tmp_path / "w.csv", 'filename,labels\na.wav,"Dog, Cat,"\nb.wav," "\n')
    forms.text(tmp_path / "txt/a.txt", "0\t0.5\t Dog\n")
    of = {"audio": str(tmp_path / "rec")}
    assert annotated_classes(annotated(**of, labels=str(strong), type="strong")) == {"Dog"}
    assert annotated_classes(annotated(**of, labels=str(weak), type="weak")) == {"Dog", "Cat"}
    labels = str(tmp_path / "txt")
    assert annotated_classes(annotated(**of, labels=labels, type="strong")) == {"Dog"}
    forms.text(tmp_path / "txt/a.txt", "0\t0.5\n")
    with pytest.raises(ValueError, match="line 1, a: has times but no label"):
        rows(annotated(**of, labels=labels, type="strong"))


def test_an_event_of_two_rows_is_said(tmp_path: Path) -> None:
    """A table that was joined with itself: each event would be found once at most, and missed once."""
    forms.audio(tmp_path / "rec/a.wav")
    row = "a.wav\t0\t.5\tDog\n"
    table = forms.text(
        tmp_path / "t.tsv", f"filename\tonset\toffset\tlabel\n{row}{row}{row}a.wav\t0\t.5\tCat\n"
    )
    of = {"audio": str(tmp_path / "rec"), "labels": str(table)}
    (line,) = list_annotated(annotated(**of, type="strong")).warnings
    assert line.startswith(f"{table}: 2 rows of an event that another row has, such as of a.wav:")
    assert list_annotated(annotated(**of, type="weak")).warnings == ()


def test_a_soft_value_is_from_0_to_1(tmp_path: Path) -> None:
    forms.audio(tmp_path / "a.wav")
    table = forms.text(tmp_path / "l/a.txt", "0\t1\tDog\t7\n")
    with pytest.raises(ValueError, match=r"the value 7\.0 is not from 0 to 1"):
        rows(annotated(audio=str(tmp_path), labels=str(table.parent), type="soft"))


def test_recordings_that_no_row_names_are_left_out_and_said(tmp_path: Path) -> None:
    for name in "abc":
        forms.audio(tmp_path / f"{name}.wav")
    table = forms.text(tmp_path / "t.tsv", "filename\tevent_labels\nb\tDog,Cat\n")
    found = list_annotated(annotated(audio=str(tmp_path), labels=str(table), type="weak"))
    assert [row.filename for row in found] == ["b.wav"]
    assert "2 recordings that no label names are left out: a.wav, c.wav" in found.warnings[0]


def test_parts_are_disjoint_whole_and_stay_as_recordings_are_added() -> None:
    names = [f"{n}.wav" for n in range(2000)]
    parts = {
        part: {n for n in names if in_part(n, annotated(audio="x", type="none", part=part))}
        for part in ("train", "xvalid", "eval")
    }
    assert set.union(*parts.values()) == set(names) and sum(map(len, parts.values())) == 2000
    assert 1500 < len(parts["train"]) < 1700 and 140 < len(parts["eval"]) < 260
    more = annotated(audio="x", type="none", part="eval")
    assert parts["eval"] <= {f"{n}.wav" for n in range(4000) if in_part(f"{n}.wav", more)}
    assert (
        tenth_of("a.wav", 0) == tenth_of("a.wav", 0) and len({tenth_of(n, 1) for n in names}) == 10
    )


def test_the_content_does_not_depend_on_the_place(tmp_path: Path) -> None:
    found = []
    for place in ("one", "two/deep"):
        forms.desed_strong_real(tmp_path / place)
        listing = list_annotated(
            annotated(
                audio=f"{tmp_path}/{place}/audio/train/strong_label_real",
                labels=f"{tmp_path}/{place}/metadata/train/audioset_strong.tsv",
                type="strong",
            )
        )
        found.append(listing.content())
    assert found[0] == found[1] and len(found[0]) == 64
    (first, _) = listing
    assert Listing("", "events", [first]).content() != found[0]
    assert SoftEvent(0.0, 1.0, "a", 0.5) != Event(0.0, 1.0, "a")
