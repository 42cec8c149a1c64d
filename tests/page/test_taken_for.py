"""Pairs of classes for the page: the mean over seeds, the largest first, and no more than it can hold."""

import numpy as np

from raysed.evaluation.counts.confusions import Confusions
from raysed.page import taken_for as module
from raysed.page.content import by_cell
from raysed.page.taken_for import mean_of, taken_for
from raysed.report.report import write_report
from tests.page.made_up import MadeUp, make_run


def seed(taken, found=(1, 0), false=(2, 1)):
    counts = (np.array(each) for each in ((3, 4), found, false, taken))
    return Confusions(0.5, *counts)


def test_the_mean_over_seeds_the_largest_first(monkeypatch):
    found = mean_of([seed([[0, 1], [2, 0]]), seed([[0, 0], [3, 0]], found=(2, 0))])
    assert found == {
        "threshold": 0.5, "events": [3, 4], "found": [1.5, 0.0], "false": [2.0, 1.0],
        "pairs": [[1, 0, 2.5], [0, 1, 0.5]], "left_out": 0,
    }  # fmt: skip
    monkeypatch.setattr(module, "MOST_PAIRS", 1)
    cut = mean_of([seed([[0, 1], [2, 0]])])
    assert (cut["pairs"], cut["left_out"]) == ([[1, 0, 2.0]], 1)


def test_every_cell_of_a_run_has_its_own(tmp_path):
    report = write_report(make_run(tmp_path, MadeUp(cells=2, seeds=2)))
    rows = taken_for(by_cell(report.plan, report.results))
    assert [(row["cell"], row["evaluation"]) for row in rows] == [("C0", "val"), ("C1", "val")]
    for row in rows:
        assert len(row["events"]) == len(row["found"]) == 3 and row["pairs"]
        assert all(annotated != detected for annotated, detected, _ in row["pairs"])
