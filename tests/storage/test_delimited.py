"""Fields of TSV and CSV files: one field each, and no formulas."""

import csv
import io
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.storage.delimited import csv_cell, one_line


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "-", "=", "-a"]
)
def test_a_formula_gets_an_apostrophe(text):
    assert csv_cell(text) == (text if text == "-" else f"'{text}")


@pytest.mark.parametrize(
    "value", [-0.25, -3, None, True, "-0.25", "-1e-3", "+5", "-0.1 - 0.3", "no = sum", "", "a-b"]
)
def test_numbers_and_other_texts_stay(value):
    assert csv_cell(value) == value


@given(st.floats(allow_nan=False))
def test_no_number_is_changed(number):
    assert csv_cell(number) == number
    assert float(csv_cell(str(number))) == number


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_a_csv_is_read_back_and_holds_no_formula(text):
    written = pd.DataFrame({"cell": [csv_cell(text)], "value": [-1.5]}).to_csv(index=False)
    _, (cell, value) = csv.reader(io.StringIO(written))
    assert cell in (text, f"'{text}") and value == "-1.5"
    assert not cell.startswith(("=", "@")) and (
        not cell.startswith(("+", "-"))
        or all(part == "-" or not math.isnan(float(part)) for part in cell.split())
        or "nan" in cell.lower()
    )


@given(st.text())
def test_one_line_is_one_field(text):
    line = one_line(text)
    assert "\t" not in line and line.splitlines() == ([line] if line else [])


def test_one_line_keeps_words():
    assert one_line("no\tsuch\n file\x1f") == "no such file"
