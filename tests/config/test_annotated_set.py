"""What a set of one's own may say."""

import pytest

from raysed.config.annotated_set import AnnotatedSet, is_manifest


def annotated(**fields) -> AnnotatedSet:
    return AnnotatedSet(**{"kind": "annotated", "audio": "x", **fields})


def test_a_label_stands_for_one_class_several_or_itself() -> None:
    data_set = annotated(type="weak", map={"a": "b", "c": ("c", "d")})
    assert [data_set.classes_of(label) for label in "ace"] == [("b",), ("c", "d"), ("e",)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": "none", "labels": "t.tsv"}, "type: none has no labels"),
        ({"type": "soft", "audio": "a/*.wav"}, "type: soft needs `labels`"),
        ({"type": "weak", "annotates": ()}, "annotates"),
        ({"type": "both"}, "type"),
    ],
)
def test_what_does_not_fit_is_refused(fields: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        annotated(**fields)


def test_a_manifest_is_known_by_its_suffix() -> None:
    assert (
        is_manifest("s3://b/x.JSONL") and is_manifest("a/*.parquet") and not is_manifest("a/*.wav")
    )
    assert annotated(type="strong", audio="list.tsv").labels is None
