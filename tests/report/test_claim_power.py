"""What claims can settle before anything is trained."""

import numpy as np
import pytest

from raysed.report.claim_power import claim_powers, power_state
from raysed.report.paired_seeds import family_noise, paired_seeds
from raysed.report.results import Measured, read_results
from raysed.report.spreads import prior_spread, stored_spreads
from raysed.run.run_plan import RunPlan
from tests.report.made_up import changed_plan, claim


def powers(run, results=(), clips=None, **changes):
    plan = changed_plan(run, **changes)
    found = claim_powers(plan, clips or {"val": 1168}, list(results))
    return {power["id"]: power for power in found}


def test_priors_are_scaled_by_the_clips():
    assert prior_spread("event_f1", 1168).clips.shared_se == 0.0124
    assert prior_spread("psds", 292).clips.shared_se == pytest.approx(2 * 0.0131)
    assert prior_spread("event_f1", 1168).seed_sd == pytest.approx(np.sqrt(2) * 0.013)
    # A system from elsewhere has no seeds.
    assert prior_spread("event_f1", 1168, trained=1).seed_sd == pytest.approx(0.013)


def test_a_metric_without_a_prior_has_no_power(claimed):
    claims = [claim("K1", ("good", "higher", "fair"), metrics=["segment_f1"])]
    found = powers(claimed, claims=claims)["K1"]
    assert found["state"] == "unknown" and found["comparisons"] == []


def test_a_system_from_elsewhere_does_not_vary_by_seeds(claimed):
    cells = RunPlan.require(claimed).as_json()["cells"]
    cells[1] |= {"predictions": {"val": {"path": "p"}}, "xvalid": ""}
    both, one = powers(claimed)["K1"], powers(claimed, cells=cells)["K1"]
    assert one["resolves"]["event_f1"] <= both["resolves"]["event_f1"]
    assert one["seeds_to_agree"] < both["seeds_to_agree"]


def test_every_claim_has_its_power(claimed):
    found = powers(claimed, seeds=[0, 1, 2, 3, 4])
    assert list(found) == ["K1", "K2", "K3", "K4"]
    # Ten points are seen; that poor is above good is published the other way round.
    assert found["K1"]["state"] == found["K2"]["state"] == "decidable"
    (asked,) = found["K2"]["comparisons"]
    assert (asked["chance_yes"], asked["chance_no"]) == (0.0, 1.0)
    # Half a point of F1 is never told from none on 1168 clips.
    assert found["K3"]["state"] == "never" and found["K3"]["seeds_needed"] is None
    assert all("priors" in power["source"] for power in found.values())
    assert found["K1"]["resolves"]["event_f1"] == max(
        row["resolves"] for row in found["K1"]["comparisons"] if row["metric"] == "event_f1"
    )


def test_more_clips_tell_more(claimed):
    few, many = (powers(claimed, clips={"val": n})["K1"]["resolves"] for n in (110, 11000))
    assert all(many[metric] < few[metric] / 3 for metric in many)


def test_stored_statistics_come_before_priors(claimed):
    plan = RunPlan.require(claimed)
    results = read_results(claimed, plan)
    found = powers(claimed, results, clips={"val": 40})
    assert all("stored" in power["source"] for power in found.values())
    pairs = [("fair", "good"), ("poor", "good"), ("nobody", "good")]
    here = [r for r in results if r.evaluation == "val"]
    spreads = stored_spreads(pairs, here, "event_f1")
    # The clips' part as the bootstrap has it; a pair without trials has the others' median.
    measured = Measured(results, 1000)
    draws = [
        np.mean([measured.drawn(r, "event_f1").values_B for r in here if r.cell == cell], axis=0)
        for cell in ("poor", "good")
    ]
    spread = spreads["poor", "good"]
    assert spread.clips.given_se(2) == pytest.approx(np.std(draws[0] - draws[1], ddof=1))
    # Seeds are pooled as the report pools them.
    measure = ("val", "event_f1")
    both = [paired_seeds(measured, pair, measure) for pair in pairs[:2]]
    noise, _ = family_noise(plan, measured, measure, both)
    assert spreads["fair", "good"].noise(2).seed_sd_C == pytest.approx(noise.seed_sd_C[:1])
    assert spreads["fair", "good"].noise(2).freedom_C == pytest.approx(noise.freedom_C[:1])
    assert spreads["nobody", "good"].clips.shared_se == pytest.approx(
        np.sqrt(np.median([spreads[p].clips.shared_se ** 2 for p in pairs[:2]]))
    )
    assert stored_spreads(pairs, [], "event_f1") == {}


def test_a_metric_without_a_prior_is_unknown(claimed):
    plan = RunPlan.require(claimed).as_json()
    asked = plan["claims"][0] | {"metrics": ["segment_f1"]}
    found = powers(claimed, claims=[asked])["K1"]
    assert (found["state"], found["comparisons"], found["seeds_needed"]) == ("unknown", [], None)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(0.9, 0.0, 4), (0.8, 0.0, 5)], "decidable"),
        ([(0.9, 0.0, 4), (0.5, 0.0, 9)], "open"),
        ([(0.9, 0.0, 4), (0.1, 0.0, None)], "never"),
        ([(0.1, 0.0, None), (0.0, 0.9, 4)], "decidable"),
        ([(0.9, 0.0, 4), (None, None, None)], "unknown"),
        ([(0.1, 0.0, None), (None, None, None)], "never"),
        ([], "unknown"),
    ],
)
def test_the_power_state_a_claim(rows, expected):
    keys = ("chance_yes", "chance_no", "seeds_needed")
    assert power_state([dict(zip(keys, row, strict=True)) for row in rows]) == expected
