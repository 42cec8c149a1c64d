"""Requests that cannot be answered are refused before a file is read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from raysed.evaluation.score.request import ScoreRequest


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"reference": Path("r")},
            r"--reference tells what missing clips would have changed; say with --clips",
        ),
        ({"overlaps": "drop"}, "--overlaps drop: expected refuse, merge or keep"),
        ({"threshold": float("nan")}, "--threshold nan is not a number"),
        ({"metrics": ("event_f2",)}, "'event_f2' is no metric; did you mean event_f1?"),
    ],
)
def test_refusals_say_what_to_do(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        ScoreRequest(Path("p"), Path("t"), **more)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"method": "BCA"}, "--method BCA: expected bca or paper"),
        ({"at_threshold": "no"}, "--at-threshold no: expected event or none"),
        ({"engine": "dcase_util"}, "--engine dcase_util: expected sed_eval, psds_eval or sed_s"),
        ({"draws": 0}, "--draws 0: expected a whole number from 10 to 1000000"),
        ({"draws": 100.0}, "--draws 100.0: expected a whole number"),
        ({"seed": -1}, "--seed -1: expected a whole number from 0 to 4294967295"),
        ({"threshold": "0.5"}, "--threshold 0.5 is not a number"),
    ],
)
def test_values_from_python_are_checked_as_those_of_the_command(
    more: dict[str, Any], message: str
) -> None:
    """A method of another spelling gave percentile intervals, without a word."""
    with pytest.raises(ValueError, match=message):
        ScoreRequest(Path("p"), Path("t"), **more)
    assert ScoreRequest(Path("p"), Path("t"), draws=np.int64(100)).draws == 100  # type: ignore[arg-type]
