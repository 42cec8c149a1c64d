"""Names of labels find their clips; labels become classes."""

import numpy as np
import pyarrow as pa

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.recorded.clip_labels import grouped, indices_of, to_classes
from raysed.data.recorded.label_table import LABELS


def table(*rows: tuple) -> pa.Table:
    names = ("filename", "onset", "offset", "event_label")
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=LABELS)


def test_names_mean_clips_in_the_order_of_exactness() -> None:
    clips = ["d/a.wav", "e/b.flac", "Yb0RFKhbpFJA_30.000_40.000.wav", "x/c.wav", "y/c.wav"]
    names = ["d/a.wav", "b", "labels_e/b.txt", "b0RFKhbpFJA_30000", "c", "none"]
    assert indices_of(names, clips).tolist()[:1] == [0]
    assert indices_of(["b"], clips).tolist() == [1]
    assert indices_of(["soft_e/b"], clips).tolist() == [1]
    assert indices_of(["b0RFKhbpFJA_30000", "c", "none"], clips).tolist() == [2, -1, -1]


def test_a_label_of_two_classes_is_two_rows_and_an_ignored_one_keeps_its_clip() -> None:
    data_set = AnnotatedSet(
        kind="annotated",
        audio="m.tsv",
        type="strong",
        map={"talk": ("talk", "Speech")},
        other_labels="ignore",
    )
    labels = table(("a", 0.0, 1.0, "talk"), ("a", 1.0, 2.0, "bird"), ("b", None, None, None))
    found = to_classes(labels, data_set, ("talk", "Speech"), "m.tsv").to_pylist()
    assert [(r["filename"], r["onset"], r["event_label"]) for r in found] == [
        ("a", 0.0, "talk"), ("a", 0.0, "Speech"), ("a", 1.0, None), ("b", None, None)
    ]  # fmt: skip


def test_rows_are_grouped_by_clip_in_their_order() -> None:
    labels = table(
        ("b", 3.0, 4.0, "x"), ("a", 1.0, 2.0, "y"), ("b", 0.0, 1.0, "z"), ("c", None, None, None)
    )
    lists = grouped(labels, np.array([1, 0, 1, 2]), 4, ["onset", "event_label"])
    assert lists.to_pylist() == [
        [{"onset": 1.0, "event_label": "y"}],
        [{"onset": 3.0, "event_label": "x"}, {"onset": 0.0, "event_label": "z"}],
        [],
        None,
    ]
    assert grouped(labels, np.array([1, 0, 1, -1]), 2, ["event_label"]).to_pylist() == [
        ["y"],
        ["x", "z"],
    ]
