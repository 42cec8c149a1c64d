"""Rows of labels become the events and labels of each clip."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.recorded.clip_labels import ClipLabels, grouping
from raysed.data.recorded.label_table import LABELS


def table(*rows: tuple) -> pa.Table:
    names = ("filename", "onset", "offset", "event_label", "confidence", "line")
    return pa.Table.from_pylist(
        [dict(zip(names, row, strict=False)) for row in rows], schema=LABELS
    )


def own(kind: str = "strong", **fields) -> AnnotatedSet:
    return AnnotatedSet(kind="annotated", audio="m.tsv", type=kind, **fields)


def test_rows_are_grouped_by_clip_in_their_order() -> None:
    labels = ClipLabels(own(), ("x", "y", "z"), pa.array(["a", "b", "c", "d"]))
    labels.add(table(("b", 3.0, 4.0, "x"), ("a", 1.0, 2.0, "y")))
    labels.add(table(("b", 0.0, 1.0, "z"), ("c", None, None, None), ("gone", 0.0, 1.0, "x")))
    lists, missing = labels.finish("m.tsv")
    assert lists.to_pylist() == [
        [{"onset": 1.0, "offset": 2.0, "event_label": "y"}],
        [
            {"onset": 3.0, "offset": 4.0, "event_label": "x"},
            {"onset": 0.0, "offset": 1.0, "event_label": "z"},
        ],
        [],
        None,
    ]
    assert missing == ["gone"]


def test_weak_labels_are_names_and_soft_ones_have_a_value() -> None:
    weak = ClipLabels(own("weak"), None, pa.array(["a.wav", "b.wav"]))
    weak.add(table(("b", None, None, "z"), ("b", None, None, "y")))
    assert weak.finish("m.tsv")[0].to_pylist() == [None, ["z", "y"]]
    soft = ClipLabels(own("soft"), None, pa.array(["a.wav"]))
    soft.add(table(("a.wav", 0.0, 1.0, "z", 0.25)))
    assert soft.finish("m.tsv")[0].to_pylist() == [
        [{"onset": 0.0, "offset": 1.0, "event_label": "z", "confidence": 0.25}]
    ]


def test_faulty_rows_of_all_parts_are_counted_and_the_first_is_named() -> None:
    labels = ClipLabels(own(), ("x",), pa.array(["a"]))
    labels.add(table(("a", 0.0, 1.0, "x", None, 2), ("a", 0.0, 1.0, "no class", None, 3)))
    labels.add(table(("a", 2.0, 1.0, "x", None, 4), ("a", 3.0, 1.0, "x", None, 5)))
    labels.add(table(("a", 4.0, 1.0, "x", None, 6)))
    with pytest.raises(ValueError, match=r"m\.tsv, line 4, a: onset 2\.0 .* \(3 such rows\)"):
        labels.finish("m.tsv")


@given(
    clips=st.lists(st.integers(-1, 5), max_size=20),
    labelled=st.lists(st.booleans(), min_size=20, max_size=20),
)
def test_grouping_is_what_a_loop_finds(clips: list[int], labelled: list[bool]) -> None:
    clip_E, is_label_E = np.array(clips, np.int32), np.array(labelled[: len(clips)], bool)
    order_E, first_C, named_C = grouping(clip_E, is_label_E, 6)
    order_E = np.arange(len(clips)) if order_E is None else order_E
    for clip in range(6):
        of_clip = [n for n, c in enumerate(clips) if c == clip]
        rows = order_E[first_C[clip] : first_C[clip + 1]].tolist()
        assert rows == [n for n in of_clip if labelled[n]]
        assert named_C[clip] == bool(of_clip)
    assert first_C[-1] == len(order_E)
