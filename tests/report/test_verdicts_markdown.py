"""The table of verdicts and its notes, on claims made by hand."""

from types import SimpleNamespace

import pytest

from raysed.report.verdicts import JudgedClaim, JudgedComparison
from raysed.report.verdicts_markdown import claims_lines, remarks, seed_count_text


def found(low, high, seeds=(0, 1)):
    return SimpleNamespace(
        difference=(low + high) / 2, simultaneous_low=low, simultaneous_high=high, seeds=seeds
    )


def compare(interval=(0.01, 0.05), *, metric="event_f1", **changes):
    fields = {
        "cell": "a",
        "against": "b",
        "metric": metric,
        "expect": "higher",
        "rule": "higher",
        "published": None,
        "significance": 0.012,
        "found": None if interval is None else found(*interval),
        "waiting_for": () if interval else ("a",),
    }
    return JudgedComparison(**{**fields, **changes})


def claim(name="K1", *comparisons):
    return JudgedClaim(name, f"what {name} says", "val", comparisons or (compare(),))


PLAN = SimpleNamespace(seeds=(0, 1), job="tiny")


def table(lines):
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("|") and "---" not in line
    ]


def test_without_claims_there_is_nothing():
    assert claims_lines(PLAN, []) == []


def test_a_row_for_each_comparison_and_the_claim_stands_once():
    both = claim("K1", compare(published=0.02), compare((-0.2, 0.3), metric="psds"),
                 compare((-0.09, -0.02), cell="c"))  # fmt: skip
    head, first, second = table(claims_lines(PLAN, [both]))
    assert head[:4] == ["claim", "verdict", "seeds", "comparison"]
    assert first[:4] == ["K1", "contradicted", "2", "a > b"]
    assert second[:4] == ["", "", "", "c > b"]
    assert first[4].startswith("+3.0") and first[4].endswith(" yes") and first[5] == "+2.0"
    assert first[6].endswith(" open") and second[4].endswith(" no")
    # No difference of PSDS is asked of c, and none is published.
    assert second[5:] == ["", ""]


def test_the_summary_counts_verdicts_and_leaves_out_those_without_claims():
    claims = [claim("K1"), claim("K2"), claim("K3", compare(None))]
    lines = claims_lines(PLAN, claims)
    assert lines[0] == "Claims: 2 reproduced, 1 waiting"
    assert "K3 (val): what K3 says" in lines and "    waiting for a" in lines
    assert any(line.startswith("The verdicts are about the data (job tiny)") for line in lines)
    alone = claims_lines(SimpleNamespace(seeds=(0, 1), job=None), claims)
    assert any(line.startswith("The verdicts are about the data and seeds") for line in alone)


@pytest.mark.parametrize(("planned", "text"), [((0, 1), "2"), ((0, 1, 2), "2 of 3")])
def test_missing_seeds_are_told(planned, text):
    assert seed_count_text(claim(), SimpleNamespace(seeds=planned)) == text


def test_one_seed_is_told_under_the_table():
    single = claim("K9", compare(found=found(0.1, 0.2, seeds=(0,))))
    assert claims_lines(PLAN, [single])[-2] == "Judged on one seed: K9; other seeds may differ."
    assert not any("one seed" in line for line in claims_lines(PLAN, [claim()]))


@pytest.mark.parametrize(
    ("comparison", "said"),
    [
        (compare(published=-0.02), ["published a less b, event F1 -2.0, disagrees with the claim"]),
        (
            compare(published=0.005, rule="equal"),
            [
                "published a less b, event F1 +0.5, is within the stated 1.2: judged as no difference"
            ],
        ),
        (compare(published=0.02), []),
        (compare(), []),
    ],
)
def test_published_values_that_do_not_show_the_claim_are_told(comparison, said):
    assert remarks(claim("K1", comparison)) == said
