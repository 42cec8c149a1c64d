"""Verdicts by hand: intervals are given, nothing is drawn."""

import pytest

from raysed.report.claim_rows import claim_rows
from raysed.report.contrasts import ContrastValue, contrast_values
from raysed.report.results import Measured, read_results
from raysed.report.verdicts import JudgedClaim, JudgedComparison, judge
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
        trials=(),
        family=1,
        family_planned=1,
    )


def compare(expect, interval, *, metric="event_f1", rule=None, published=None):
    return JudgedComparison(
        cell="a",
        against="b",
        metric=metric,
        expect=expect,
        rule=rule or expect,
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
    assert compare(expect, interval, metric=metric).verdict == expected


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


@pytest.mark.parametrize(
    ("expect", "published", "expected"),
    [
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
    assert "Claims: 1 reproduced, 1 contradicted, 2 undecided" in text
    assert "| K2    | contradicted | 2     | poor > good" in text
    assert "K4 (val): what K4 says" in text
    assert "published poor less fair, PSDS +0.050, disagrees with the claim" in text
    assert "data (job made_up_job) and seeds of this run" in text


def test_an_insignificant_published_difference_is_no_difference(claimed):
    claims, text = judged(claimed)
    f1, psds = claims["K3"].comparisons[:2]
    assert (f1.expect, f1.rule, f1.remark) == ("higher", "equal", "insignificant")
    assert (psds.rule, psds.published) == ("equal", pytest.approx(0.01))
    assert "published fair-wet less fair-2, event F1 +0.5, is within the stated 1.2" in text
    assert claims["K3"].comparisons[2].rule == "lower"
    # 0.502 - 0.487 is 0.015 and a binary rounding: within. 0.0151 is not.
    for psds, rule in ((0.502, "equal"), (0.5021, "higher")):
        cells = published_cells(claimed, **{"fair-wet": psds, "fair-2": 0.487})
        claims, _ = judged(claimed, cells=cells)
        assert claims["K3"].comparisons[1].rule == rule


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
