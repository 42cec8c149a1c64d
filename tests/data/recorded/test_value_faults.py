"""Impossible rows of labels."""

import pyarrow as pa
import pytest

from raysed.data.recorded.label_table import LABELS
from raysed.data.recorded.value_faults import ValueFaults


@pytest.mark.parametrize(
    ("kind", "row", "message"),
    [
        ("strong", {"onset": 1.0, "offset": 1.0, "event_label": "x"}, "do not fulfil 0 <= onset"),
        ("strong", {"onset": 1.0, "event_label": "x"}, "'x' has no onset and offset"),
        ("strong", {"onset": 1.0}, "has times but no label"),
        ("strong", {"filename": None}, "names no recording"),
        ("weak", {"filename": None, "event_label": "x"}, "names no recording"),
        (
            "soft",
            {"onset": 0.0, "offset": 1.0, "event_label": "x", "confidence": 1.5},
            r"value 1\.5 is not from 0 to 1",
        ),
    ],
)
def test_a_faulty_row_is_named(kind: str, row: dict, message: str) -> None:
    faults = ValueFaults(kind)
    good = {"filename": "a", "event_label": None, "line": 2}
    faults.look(pa.Table.from_pylist([good, {"filename": "a", "line": 3, **row}], schema=LABELS))
    with pytest.raises(ValueError, match=rf"^t\.tsv, line 3, \w+: .*{message}"):
        faults.refuse("t.tsv")


def test_weak_rows_need_no_times() -> None:
    faults = ValueFaults("weak")
    faults.look(pa.Table.from_pylist([{"filename": "a", "event_label": "x"}], schema=LABELS))
    faults.refuse("t.tsv")
