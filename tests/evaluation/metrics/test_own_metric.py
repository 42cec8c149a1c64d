"""A metric of a user's own: known wherever a name is asked for, and refused with what is wrong."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from raysed.config.reader import check
from raysed.config.table import Cell, Claim
from raysed.evaluation.intervals.bootstrap import interval
from raysed.evaluation.metrics.registry import METRICS, known_metric, metric_names, sources_of
from raysed.report.table_metrics import TABLE_METRICS, number
from tests.evaluation.metrics.test_event_f1 import one_clip

NAME = "own_metrics.recall:event_recall"
SOURCE = """
import numpy as np
from raysed.evaluation.metrics.event_f1 import weighted

def event_recall(statistics, weights_BN=None):
    found_B = weighted(statistics.event.tp_NK, weights_BN).sum(1)
    return found_B / weighted(statistics.event.n_ref_NK, weights_BN).sum(1)

event_recall.column, event_recall.scale, event_recall.digits = "event recall %", 100, 1
event_recall.margin = 0.05

def plain(statistics, weights_BN=None):
    return np.zeros(1 if weights_BN is None else len(weights_BN))

def one_number(statistics, weights_BN=None):
    return 0.5

def above_one(statistics, weights_BN=None):
    return plain(statistics, weights_BN) + 1.5

def wrong(statistics, weights_BN=None):
    return plain(statistics, weights_BN)

wrong.margin = "small"
constant = 3
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file in the working directory."""
    path = tmp_path / "own_metrics" / "recall.py"
    path.parent.mkdir()
    path.write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    yield path
    for known in (METRICS, TABLE_METRICS, sys.modules):
        for name in [name for name in known if name.startswith("own_metrics")]:
            del known[name]


def test_it_is_a_metric_like_any_other(own: Path) -> None:
    assert metric_names([NAME, "event_f1"]) == (NAME, "event_f1")
    statistics = one_clip([(0, 1.0, 2.0), (0, 4.0, 5.0), (1, 7.0, 8.0)], [(0, 1.1, 2.1)])
    metric = METRICS[NAME]
    assert metric(statistics) == pytest.approx([1 / 3])
    assert metric(statistics, np.array([[2], [1]])) == pytest.approx([1 / 3, 1 / 3])
    assert (metric.column, metric.margin, metric.per_class(statistics)) == (
        "event recall %",
        0.05,
        None,
    )
    found = interval(metric, statistics, draws=100)
    assert found.value == pytest.approx(1 / 3)
    assert number(1 / 3, NAME) == "33.3"
    plain = METRICS["own_metrics.recall:plain"]
    assert (plain.title, plain.column, plain.scale, plain.needs) == (
        "plain",
        "plain",
        1.0,
        "counts",
    )
    assert sources_of(["psds", NAME]) == {NAME: hashlib.sha256(own.read_bytes()).hexdigest()[:12]}


def test_spaces_take_its_name(own: Path) -> None:
    cell = {
        "id": "a",
        "table": "t",
        "column": "c",
        "xvalid": "x",
        "published": {"val": {NAME: 0.5}},
    }
    assert check(cell, Cell)[1] == []
    pair = {"cell": "a", "against": "b", "expect": "higher"}
    claim = {"id": "K1", "text": "t", "evaluation": "val", "metrics": [NAME], "comparisons": [pair]}
    assert check(claim, Claim)[1] == []
    claim["metrics"] = ["own_metrics.recall:nothing"]
    fault, *_ = check(claim, Claim)[1]
    assert "own_metrics.recall:nothing cannot be imported" in fault.text


@pytest.mark.parametrize(
    ("function", "what"),
    [
        ("wrong", "margin is 'small', expected a fraction between 0 and 1"),
        ("one_number", "returned float, expected an array of 1 values"),
        ("above_one", "returned 1.5: a metric lies in 0 to 1"),
        ("constant", "is no function, but int"),
    ],
)
def test_what_is_no_metric_is_refused(own: Path, function: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        METRICS[f"own_metrics.recall:{function}"](one_clip([(0, 1.0, 2.0)], []))


def test_a_name_without_a_module_is_told_as_any_unknown_one() -> None:
    with pytest.raises(KeyError):
        METRICS["event_recall"]
    with pytest.raises(ValueError, match="functions of your own"):
        known_metric("event_recall")
