"""A listing on disk is read in parts, and its hash is that of the rows as JSON."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.data.recorded.listing import ListedRecording, Listing

ROWS = [
    ListedRecording("a.wav", "a.wav", 3, '[{"event_label":"Dog","offset":2.0,"onset":1.5}]'),
    ListedRecording("b.wav", "s3://x/b.wav", 4, "[]"),
    ListedRecording("c.wav", "c.wav", 5, '[{"event_label":"Cat","offset":2.0,"onset":0.5}]'),
]


def test_a_part_is_some_of_the_rows_in_their_order() -> None:
    listing = Listing("/root", "events", iter(ROWS), iter(["x", "y"]))
    assert list(listing) == ROWS and len(listing) == 3
    assert [list(listing.part(start, start + 2)) for start in (0, 1, 2, 3)] == [
        ROWS[:2],
        ROWS[1:],
        ROWS[2:],
        [],
    ]
    assert list(listing.missing) == ["x", "y"] and len(listing.missing) == 2
    assert [row.classes for row in listing] == [{"Dog"}, set(), {"Cat"}]
    assert ListedRecording("a", "a", 1, '["Cat","Dog"]').classes == {"Cat", "Dog"}
    assert ListedRecording("a", "a", 1, None).classes == set()


NAMES = st.text(st.characters(exclude_categories=("Cs",)), max_size=4)


@pytest.mark.parametrize("column", ["events", "weak_labels", None])
@given(rows=st.lists(st.tuples(NAMES, st.integers(0, 2**50), st.lists(NAMES, max_size=2))))
def test_the_content_is_that_of_rows_as_json(
    column: str | None, rows: list[tuple[str, int, list[str]]]
) -> None:
    """Each row with sorted keys and a comma: what the ids of data sets have been made of from the first."""
    listing = Listing(
        "/root",
        column,
        (
            ListedRecording(name, "p", size, json.dumps(labels, separators=(",", ":")))
            for name, size, labels in rows
        ),
    )
    digest = hashlib.sha256()
    for name, size, labels in rows:
        row = {"filename": name, "size": size} | ({column: labels} if column else {})
        digest.update(json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b",")
    assert listing.content() == digest.hexdigest()
