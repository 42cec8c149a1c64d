"""Requests that cannot be answered are refused before a file is read."""

from pathlib import Path
from typing import Any

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
