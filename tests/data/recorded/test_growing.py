"""Columns that grow in place are Arrow's own."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.data.recorded.growing import Numbers, Texts


@given(st.lists(st.lists(st.text(max_size=4), max_size=4), max_size=5))
def test_texts_in_parts_are_one_array(parts: list[list[str]]) -> None:
    column = Texts()
    for part in parts:
        column.extend(part)
    found = column.finish()
    found.validate(full=True)
    assert found.equals(pa.array([text for part in parts for text in part], pa.string()))


@given(st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4), max_size=5))
def test_numbers_in_parts_are_one_array(parts: list[list[int]]) -> None:
    column = Numbers(np.int32)
    for part in parts:
        column.extend(np.array(part, np.int64))
    assert column.finish().tolist() == [number for part in parts for number in part]


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        Texts().extend(["\udcff.wav"])
