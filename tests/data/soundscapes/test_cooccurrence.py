"""Which co-occurrence files are read, and which are refused."""

import json
from pathlib import Path

import pytest

from raysed.data.soundscapes.cooccurrence import read_cooccurrences, substitute_missing
from tests.data.banks import write_edge_bank


def occurrences(path: Path, **changes: object) -> Path:
    others = {"max_events": 3, "classes": ["Dog", "Cat"], "probas": [0.5, 0.5]}
    entry = {"proba": 1.0, "co-occurences": others}
    for key, value in changes.items():
        (entry if key == "proba" else others)[key] = value
    path.write_text(json.dumps({"Dog": entry}))
    return path


def test_a_good_cooccurrence_file(tmp_path: Path) -> None:
    (row,) = read_cooccurrences(occurrences(tmp_path / "o.json"))
    assert (row.label, row.proba, row.max_events) == ("Dog", 1.0, 3)
    assert (row.classes, row.probas) == (("Dog", "Cat"), (0.5, 0.5))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"probas": [0.5, 0.4]}, "probas sum to 0.9"),
        ({"probas": [1.5, -0.5]}, "not in 0..1"),
        ({"probas": [1.0]}, "2 classes but 1 probas"),
        ({"proba": 0.5}, "proba sum to 0.5"),
        ({"classes": ["Dog", "Cat_nof"]}, "Cat_nof"),
        ({"max_events": -1}, "max_events"),
        ({"max_events": "many"}, "max_events"),
    ],
)
def test_faults_of_a_cooccurrence_file(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_cooccurrences(occurrences(tmp_path / "o.json", **changes))


def test_unreadable_cooccurrence_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.json: no such file"):
        read_cooccurrences(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text('{\n"Dog": }')
    with pytest.raises(ValueError, match=r"bad\.json, line 2"):
        read_cooccurrences(tmp_path / "bad.json")
    (tmp_path / "latin.json").write_bytes('{"Türe": 1}'.encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.json: is not UTF-8 text"):
        read_cooccurrences(tmp_path / "latin.json")


def test_plain_classes_stand_in_for_suffixes_without_files(tmp_path: Path) -> None:
    write_edge_bank(tmp_path)
    rows = read_cooccurrences(tmp_path / "event_occurences_train.json")
    replaced, warnings = substitute_missing(rows, {"Dog", "Speech", "Frying", "Frying_nOn"})
    assert [row.label for row in replaced] == [
        *("Dog", "Speech", "Frying", "Frying_nOn", "Frying", "Frying")
    ]
    assert len(warnings) == 2 and "Frying_nOff" in warnings[0]
