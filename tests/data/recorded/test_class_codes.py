"""Labels of files become classes."""

import pyarrow as pa
import pytest

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.recorded.class_codes import ClassCodes


def codes(**fields) -> ClassCodes:
    data_set = AnnotatedSet(
        kind="annotated", audio="m.tsv", type="strong", map={"talk": ("talk", "Speech")}, **fields
    )
    return ClassCodes(data_set, ("talk", "Speech"))


def test_a_label_of_two_classes_is_two_rows_and_an_ignored_one_keeps_its_clip() -> None:
    found = codes(other_labels="ignore")
    row_E, code_E = found.of(pa.array(["talk", "bird", None, "Speech"]))
    assert row_E.tolist() == [0, 0, 1, 2, 3] and code_E.tolist() == [0, 1, -1, -1, 1]
    row_E, code_E = found.of(pa.array(["Speech", "talk"], pa.string()))
    assert (row_E.tolist(), code_E.tolist()) == ([0, 1, 1], [1, 0, 1])
    assert [found.names[code] for code in code_E] == ["Speech", "talk", "Speech"]
    found.refuse_unknown("m.tsv")


def test_what_is_ignored_is_counted_and_said() -> None:
    """A label, or what the map calls it, may be a misspelt class."""
    found = codes(other_labels="ignore")
    found.of(pa.array(["talk", None, "Speech"]))
    assert found.ignored("m.tsv") == ()
    found.of(pa.array(["bird", "cat", None, "talk"]))
    found.of(pa.array(["bird"]))
    assert found.ignored("m.tsv") == (
        "m.tsv: left out of 3 rows, as no class of the job: bird (2), cat (1)",
    )
    job = ClassCodes(codes(other_labels="ignore")._data_set, ("talk", "speech"))
    job.of(pa.array(["talk"]))
    assert job.ignored("m.tsv") == ("m.tsv: left out of 1 row, as no class of the job: talk (1)",)


def test_what_is_no_class_is_refused_with_what_to_do() -> None:
    found = codes()
    found.of(pa.array(["bird", "talk", "cat"]))
    found.of(pa.array(["bird"]))
    with pytest.raises(
        ValueError, match=r"m\.tsv: labels that are no classes: bird \(2\), cat \(1\) \(classes"
    ):
        found.refuse_unknown("m.tsv")
