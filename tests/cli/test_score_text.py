"""What `raysed score` shows of its document; warnings never get into it."""

import json

import pytest

from raysed.cli.score_text import show
from raysed.evaluation.metrics.registry import COUNT_METRICS, METRICS


def value(middle: float | None = 0.5, **more: object) -> dict:
    numbers = {"value": middle, "low": 0.25, "high": 0.75, "se": 0.125, "jackknife_se": 0.0625}
    return numbers | {"threshold": 0.5} | more


def document(**changes: object) -> dict:
    per_class = {"Dog [big]": {"events": 3, "event_f1": value(0.1)}}
    found = dict.fromkeys(COUNT_METRICS) | {
        "event_f1": value(),
        "clips": 7,
        "classes": ["Dog [big]"],
        "threshold": 0.5,
        "per_class": per_class,
        "all_thresholds": None,
        "versus": None,
        "missing": None,
        "engine": None,
        "draws": 10000,
        "warnings": [],
    }
    return found | changes


def shown(capsys: pytest.CaptureFixture[str], **changes: object) -> tuple[str, str]:
    show(document(**changes), as_json=False)
    captured = capsys.readouterr()
    return captured.out, captured.err


def row(text: str, title: str) -> list[str]:
    """The cells of the first row that begins with a title."""
    (line, *_) = [line for line in text.splitlines() if line.startswith(f"│ {title}")]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_values_with_their_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = shown(capsys)
    assert err == "" and out.startswith("7 clips, 1 classes, F1 at threshold 0.5")
    found = row(out, METRICS["event_f1"].title)
    assert found == [METRICS["event_f1"].title, "0.5000", "[0.2500, 0.7500]", "0.1250", "0.0625"]
    assert row(out, METRICS["psds"].title)[1] == "-"
    # A class name is no markup.
    assert row(out, "Dog")[:2] == ["Dog [big]", "3"]
    assert row(out, "Dog")[2] == "0.100 [0.250, 0.750]"


def test_what_is_not_known_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = shown(capsys, event_f1=value(None, se=None, low=None), threshold=None)
    assert "operating point unknown" in out
    assert row(out, METRICS["event_f1"].title)[1:4] == ["-", "[-, 0.7500]", "-"]


def test_exact_values_have_a_column_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = shown(capsys, psds=value(), all_thresholds={"psds": value(0.625)})
    assert row(out, METRICS["psds"].title)[-1] == "0.6250 [0.2500, 0.7500]"
    assert row(out, METRICS["event_f1"].title)[-1] == ""


def test_a_difference_has_its_sign(capsys: pytest.CaptureFixture[str]) -> None:
    versus = {
        "event_f1": value() | {"difference": -0.125, "p": 0.03125, "low": -0.25},
        "psds": None,
    }
    out, _ = shown(capsys, versus=versus)
    table = out[out.index("Less the other system") :]
    assert "10000 exchanges" in table
    assert row(table, METRICS["event_f1"].title)[1:] == ["-0.1250", "[-0.2500, +0.7500]", "0.0312"]
    assert f"│ {METRICS['psds'].title}" not in table


def test_json_is_one_object_and_warnings_are_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(warnings=["a [b] c"])
    show(found, as_json=True)
    captured = capsys.readouterr()
    assert json.loads(captured.out) == found and captured.err == "warning: a [b] c\n"


def test_numbers_that_json_has_not_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        show(document(event_f1=value(float("nan"))), as_json=True)


def test_the_whole_set_beside_the_clips_that_are_left(capsys: pytest.CaptureFixture[str]) -> None:
    estimate = dict.fromkeys(COUNT_METRICS) | {"event_f1": value(0.4)}
    missing = {"clips": 9, "left": 7, "estimate": estimate, "controlled": None, "same_clips": None}
    out, _ = shown(capsys, missing=missing)
    assert "The whole set: 9 clips, of which 7 are left" in out
    whole = out[out.index("The whole set") :]
    title = METRICS["event_f1"].title
    assert row(whole, title) == [title, "0.5000", "0.4000 [0.2500, 0.7500]"]
    more = {"reference_left": 0.3, "reference_whole": 0.2, "slope": 1.0, "correlation": 0.75}
    controlled = dict.fromkeys(COUNT_METRICS) | {"event_f1": value(0.3, **more)}
    difference = {"difference": 0.1, "low": 0.0, "high": 0.2, "p": 0.01, "se": 0.1}
    same = dict.fromkeys(COUNT_METRICS) | {"event_f1": difference}
    both = missing | {"controlled": controlled, "same_clips": same}
    out, _ = shown(capsys, missing=both)
    whole = out[out.index("The whole set") :]
    assert row(whole, title)[3:] == ["0.3000 [0.2500, 0.7500]", "0.3000, 0.2000", "0.75"]
    assert "same clips" in whole and "+0.1000" in whole
