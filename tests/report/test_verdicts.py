"""Verdicts by hand: intervals are given, nothing is drawn."""

from dataclasses import replace

import numpy as np
import pytest

from raysed.report.claim_rows import claim_rows
from raysed.report.contrasts import ContrastValue, contrast_values
from raysed.report.results import Measured, read_results
from raysed.report.verdicts import VERDICTS, JudgedClaim, JudgedComparison, agreement, judge
from raysed.report.verdicts_markdown import claims_lines
from raysed.run.run_plan import RunPlan
from tests.report.made_up import changed_plan


def found(low, high, *, metric="event_f1", seeds=(0, 1)):
    middle = (low + high) / 2
    return ContrastValue(
        cell="a",
        against="b",
        evaluation="val",
        metric=metric,
        difference=middle,
        low=-9.0,
        high=9.0,
        simultaneous_low=low,
        simultaneous_high=high,
        p=0.5,
        seeds=seeds,
        seed_differences=(middle,) * len(seeds),
        about="",
        seeds_low=low,
        seeds_high=high,
        trials=(),
        family=1,
        family_planned=1,
    )


def compare(expect, interval, *, metric="event_f1", published=None):
    return JudgedComparison(
        cell="a",
        against="b",
        evaluation="val",
        metric=metric,
        expect=expect,
        published=published,
        significance=0.012,
        found=None if interval is None else found(*interval, metric=metric),
        waiting_for=("a",) if interval is None else (),
    )


@pytest.mark.parametrize(
    ("expect", "metric", "interval", "expected"),
    [
        ("higher", "event_f1", (0.001, 0.05), "reproduced"),
        ("higher", "event_f1", (-0.05, -0.001), "contradicted"),
        ("higher", "event_f1", (-0.001, 0.05), "undecided"),
        ("lower", "psds", (-0.05, -0.001), "reproduced"),
        ("lower", "psds", (0.001, 0.05), "contradicted"),
        ("equal", "event_f1", (-0.023, 0.024), "reproduced"),
        ("equal", "event_f1", (-0.025, 0.01), "undecided"),
        ("equal", "psds", (-0.029, 0.03), "reproduced"),
        ("equal", "psds", (0.031, 0.05), "contradicted"),
        ("not_higher", "event_f1", (-0.5, 0.024), "reproduced"),
        ("not_higher", "event_f1", (0.001, 0.024), "reproduced"),  # too small to count
        ("not_higher", "event_f1", (0.001, 0.025), "contradicted"),
        ("not_higher", "event_f1", (-0.001, 0.025), "undecided"),
        ("not_higher", "psds", (-0.001, 0.03), "reproduced"),
        ("higher", "psds", None, "waiting"),
    ],
)
def test_verdict_of_a_comparison(expect, metric, interval, expected):
    judged = compare(expect, interval, metric=metric)
    assert (VERDICTS[judged.holds], judged.agrees) == (expected, "")


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([(0.1, 0.2), (0.1, 0.2)], "reproduced"),
        ([(0.1, 0.2), (-0.1, 0.2)], "undecided"),
        ([(0.1, 0.2), None], "waiting"),
        ([(-0.1, 0.2), None], "waiting"),
        ([(-0.2, -0.1), None], "contradicted"),
        ([(0.1, 0.2), (-0.1, 0.2), (-0.2, -0.1)], "contradicted"),
    ],
)
def test_verdict_of_a_claim(intervals, expected):
    claim = JudgedClaim("K", "text", "val", tuple(compare("higher", each) for each in intervals))
    assert claim.verdict == expected
    assert claim.waiting_for == (["a"] if None in intervals else [])
    assert claim.seeds == (0 if None in intervals else 2)


def test_equal_cells_reproduce_no_sentence_about_a_difference():
    """K14 as it was: insignificant as published, so that equal cells "reproduced" it."""
    same = compare("higher", (-0.001, 0.001), published=0.0108)
    assert (same.holds, same.agrees, same.remark) == ("open", "yes", "insignificant")
    assert same.rule == "all of the interval above 0"


def test_what_the_paper_calls_nothing_can_be_found():
    """K7: a lead of .041 that the paper calls none; the margin of .030 could not hold it."""
    lead = compare("not_higher", (0.02, 0.05), metric="psds", published=0.041)
    assert lead.margin == pytest.approx(0.041 + 0.012)
    assert (lead.holds, lead.agrees, lead.remark) == ("yes", "yes", "against")
    assert compare("not_higher", (0.02, 0.06), metric="psds", published=0.041).holds == "no"
    assert compare("not_higher", (0.0, 0.0), published=-0.2).margin == 0.024
    assert compare("equal", (0.0, 0.0), published=0.041).margin == 0.024


def test_numbers_agree_or_not_whatever_the_sentence():
    assert compare("higher", (0.1, 0.11), published=0.04).agrees == "no"
    assert compare("higher", (0.03, 0.05), published=0.04).agrees == "yes"
    assert compare("higher", (0.0, 0.1), published=0.04).agrees == "open"
    one = replace(found(0.03, 0.05, seeds=(0,)), seeds_low=np.nan, seeds_high=np.nan)
    assert agreement(one, 0.04) == "open"
    both = (compare("higher", (0.03, 0.05), published=0.04), compare("higher", (0.1, 0.2)))
    assert JudgedClaim("K", "text", "val", both).agrees == "yes"
    waits = (both[0], compare("higher", None, published=0.04))
    assert JudgedClaim("K", "text", "val", waits).agrees == "waiting"


@pytest.mark.parametrize(
    ("expect", "published", "expected"),
    [
        ("far_lower", -0.2, ""),
        ("far_lower", 0.2, "against"),
        ("higher", 0.01, "insignificant"),
        ("not_higher", 0.0151, "against"),  # K7: WU above W
        ("not_higher", 0.01, ""),
        ("not_higher", -0.0885, ""),
        ("higher", -0.02, "against"),
        ("higher", 0.02, ""),
        ("lower", 0.02, "against"),
        ("equal", 0.02, "against"),
        ("equal", 0.01, ""),
        ("higher", None, ""),
    ],
)
def test_published_values_that_do_not_show_the_claim(expect, published, expected):
    assert compare(expect, (0.1, 0.2), published=published).remark == expected


def judged(run, **changes):
    plan = changed_plan(run, **changes)
    measured = Measured(read_results(run, plan), plan.bootstrap_draws)
    claims = judge(plan, measured, contrast_values(plan, measured))
    return {claim.id: claim for claim in claims}, "\n".join(
        claims_lines(claim_rows(plan, claims), plan.job)
    )


def published_cells(run, **psds):
    cells = RunPlan.require(run).as_json()["cells"]
    for cell in cells:
        if cell["id"] in psds:
            cell["published"]["val"]["psds"] = psds[cell["id"]]
    return cells


def test_claims_of_a_run(claimed):
    claims, text = judged(claimed)
    assert [claims[k].verdict for k in ("K1", "K2")] == ["reproduced", "contradicted"]
    assert claims["K1"].comparisons[0].published == pytest.approx(0.1)
    assert (
        "Claims: the sentence holds: 1 yes, 1 no, 2 open; the numbers agree: 3 no, 1 open" in text
    )
    assert "| K2    | no " in text
    assert "K4 (val): what K4 says" in text
    assert "published poor less fair, PSDS +0.050, disagrees with the claim" in text
    assert "data (job made_up_job) and seeds of this run" in text


def test_an_insignificant_published_difference_is_told_and_judged_as_the_sentence_says(claimed):
    claims, text = judged(claimed)
    f1, psds = claims["K3"].comparisons[:2]
    assert (f1.expect, f1.remark) == ("higher", "insignificant")
    assert psds.published == pytest.approx(0.01)
    assert "published fair-wet less fair-2, event F1 +0.5, is within the stated 1.2" in text
    assert claims["K3"].comparisons[2].expect == "lower"
    # 0.502 - 0.487 is 0.015 and a binary rounding: within. 0.0151 is not.
    for psds, remark in ((0.502, "insignificant"), (0.5021, "")):
        cells = published_cells(claimed, **{"fair-wet": psds, "fair-2": 0.487})
        claims, _ = judged(claimed, cells=cells)
        assert claims["K3"].comparisons[1].remark == remark


def test_waiting_is_for_the_cells_without_results(claimed, tmp_path):
    for seed in (0, 1):
        (tmp_path / "claimed" / "trials" / f"p-seed{seed}" / "result.json").unlink()
    claims, text = judged(claimed)
    assert (claims["K2"].verdict, claims["K2"].waiting_for) == ("waiting", ["poor"])
    assert claims["K1"].verdict == "reproduced"
    assert "waiting for poor" in text
    assert "| 0 of 2 |" in text


def test_fewer_seeds_are_said(claimed, tmp_path):
    assert "on one seed" not in judged(claimed)[1]
    (tmp_path / "claimed" / "trials" / "g-seed0" / "result.json").unlink()
    claims, text = judged(claimed)
    assert (claims["K1"].seeds, claims["K4"].seeds) == (1, 2)
    assert "| 1 of 2 |" in text
    assert "Judged on one seed: K1, K2, K3; other seeds may differ." in text


def test_a_plan_without_claims_has_none(run):
    assert judged(run) == ({}, "")


def test_a_claim_on_two_sets_has_to_hold_on_both(claimed):
    plan = RunPlan.require(claimed).as_json()
    on_both = plan["claims"][0] | {"evaluation": ["val", "eval"], "metrics": ["event_f1"]}
    claims, text = judged(claimed, claims=[on_both])
    assert [c.evaluation for c in claims["K1"].comparisons] == ["val", "eval"]
    assert claims["K1"].evaluation == "val, eval"
    assert "good > fair (eval)" in text and "K1 (val, eval): what K1 says" in text
