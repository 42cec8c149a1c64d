"""Rows of labels become the events and labels of each clip."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.recorded.clip_labels import ClipLabels
from raysed.data.recorded.label_table import LABELS
from raysed.data.recorded.meant_clips import CLIP
from raysed.storage.scratch_database import ScratchDatabase


def clips(*names: str) -> ScratchDatabase:
    found = ScratchDatabase(CLIP)
    found.add("clip", ((n, name, None, 1) for n, name in enumerate(names)))
    return found


def table(*rows: tuple) -> pa.Table:
    names = ("filename", "onset", "offset", "event_label", "confidence", "line")
    return pa.Table.from_pylist(
        [dict(zip(names, row, strict=False)) for row in rows], schema=LABELS
    )


def own(kind: str = "strong", **fields) -> AnnotatedSet:
    return AnnotatedSet(kind="annotated", audio="m.tsv", type=kind, **fields)


def test_rows_are_grouped_by_clip_in_their_order() -> None:
    labels = ClipLabels(own(), ("x", "y", "z"), clips("a", "b", "c", "d"))
    labels.add(table(("b", 3.0, 4.0, "x"), ("a", 1.0, 2.0, "y")))
    labels.add(table(("b", 0.0, 1.0, "z"), ("c", None, None, None), ("gone", 0.0, 1.0, "x")))
    assert list(labels.finish("m.tsv")) == ["gone"]
    assert list(labels.of_clips()) == [
        (0, '[{"event_label":"y","offset":2.0,"onset":1.0}]'),
        (
            1,
            '[{"event_label":"x","offset":4.0,"onset":3.0},{"event_label":"z","offset":1.0,"onset":0.0}]',
        ),
        (2, "[]"),
    ]


def test_weak_labels_are_names_and_soft_ones_have_a_value() -> None:
    weak = ClipLabels(own("weak"), None, clips("a.wav", "b.wav"))
    weak.add(table(("b", None, None, "z"), ("b", None, None, "ÿ")))
    assert list(weak.finish("m.tsv")) == [] and list(weak.of_clips()) == [(1, '["z","\\u00ff"]')]
    soft = ClipLabels(own("soft"), None, clips("a.wav"))
    soft.add(table(("a.wav", 0.0, 1.0, "z", 0.25)))
    assert list(soft.finish("m.tsv")) == []
    assert list(soft.of_clips()) == [
        (0, '[{"confidence":0.25,"event_label":"z","offset":1.0,"onset":0.0}]')
    ]


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e9), st.floats(1e-9, 1e6), st.floats(0, 1), st.sampled_from(["é", 'q"'])
        ),
        min_size=1,
        max_size=4,
    )
)
def test_events_are_the_text_that_json_writes(events: list[tuple]) -> None:
    events = [e for e in events if e[0] + e[1] > e[0]]
    labels = ClipLabels(own("soft"), None, clips("a"))
    labels.add(table(*(("a", on, on + length, name, sure) for on, length, sure, name in events)))
    list(labels.finish("m.tsv"))
    for _, text in labels.of_clips():
        written = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
        assert written == text and len(json.loads(text)) == len(events)
        first = json.loads(text)[0]
        assert (first["onset"], first["confidence"]) == (events[0][0], events[0][2])


def test_faulty_rows_of_all_parts_are_counted_and_the_first_is_named() -> None:
    labels = ClipLabels(own(), ("x",), clips("a"))
    labels.add(table(("a", 0.0, 1.0, "x", None, 2), ("a", 0.0, 1.0, "no class", None, 3)))
    labels.add(table(("a", 2.0, 1.0, "x", None, 4), ("a", 3.0, 1.0, "x", None, 5)))
    labels.add(table(("a", 4.0, 1.0, "x", None, 6)))
    with pytest.raises(ValueError, match=r"m\.tsv, line 4, a: onset 2\.0 .* \(3 such rows\)"):
        labels.finish("m.tsv")
