"""The tables of `raysed score --systems`."""

import json

import pytest

from raysed.cli.ranking_text import show_ranking


def place(system: str, rank: int, value: float) -> dict:
    ends = {"low": value - 0.1, "high": value + 0.1, "se": 0.05}
    return {"system": system, "rank": rank, "rank_low": 1, "rank_high": 2, "value": value, **ends}


FOUND = {
    "clips": 7,
    "classes": ["Dog [big]"],
    "systems": {"a [x]": {}, "b": {}},
    "metrics": {
        "event_f1": {
            "ranking": [place("a [x]", 1, 0.5), place("b", 2, 0.4)],
            "differences": [
                {"system": "a [x]", "against": "b", "difference": 0.1, "low": -0.1, "high": 0.3, "p": 0.5}
            ],
        },
        "psds": None,
    },
    "per_class": {"event_f1": {"Dog [big]": {"a [x]": {"value": 0.25}, "b": {"value": None}}}},
    "warnings": ["w"],
}  # fmt: skip


def test_ranks_values_and_the_distance_to_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    show_ranking(FOUND, as_json=False)
    captured = capsys.readouterr()
    assert captured.err == "warning: w\n"
    assert "less a [x]" in captured.out and "PSDS" not in captured.out
    row = next(line for line in captured.out.splitlines() if line.startswith("│ 2"))
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == [
        "2", "1 to 2", "b", "0.4000 [0.3000, 0.5000]", "-0.1000 [-0.3000, +0.1000]", "0.5000"
    ]  # fmt: skip
    assert "Dog [big]" in captured.out and "0.250" in captured.out


def test_json_is_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    show_ranking(FOUND, as_json=True)
    assert json.loads(capsys.readouterr().out) == FOUND
