"""The table of verdicts and its notes, on claims made by hand."""

from types import SimpleNamespace

from raysed.report.claim_rows import claim_rows
from raysed.report.verdicts_markdown import claims_lines
from tests.report.claims import claim, compare, found

PLAN = SimpleNamespace(seeds=(0, 1), looks=())


def lines_of(claims, job="tiny"):
    return claims_lines(claim_rows(PLAN, claims), job)


def table(lines):
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("|") and "---" not in line
    ]


def test_without_claims_there_is_nothing():
    assert lines_of([]) == []


def test_a_row_for_each_comparison_and_the_claim_stands_once():
    both = claim("K1", compare(published=0.02), compare((-0.2, 0.3), metric="psds"),
                 compare((-0.09, -0.02), cell="c"))  # fmt: skip
    head, first, second = table(lines_of([both]))
    assert head[:5] == ["claim", "holds", "agrees", "seeds", "comparison"]
    assert first[:5] == ["K1", "no", "open", "2", "a > b"]
    assert second[:5] == ["", "", "", "", "c > b"]
    assert first[5].startswith("+3.0") and first[5].endswith(" yes") and first[6] == "+2.0, open"
    assert first[7].endswith(" open") and second[5].endswith(" no")
    # No difference of PSDS is asked of c, and none is published.
    assert second[6:] == ["", ""]


def test_the_summary_counts_verdicts_and_leaves_out_those_without_claims():
    claims = [claim("K1"), claim("K2"), claim("K3", compare(None))]
    lines = lines_of(claims)
    assert lines[0] == (
        "Claims: the sentence holds: 2 yes, 1 waiting; the numbers agree: nothing published"
    )
    assert "K3 (val): what K3 says" in lines and "    waiting for a" in lines
    assert any(line.startswith("The answers are about the data (job tiny)") for line in lines)
    alone = lines_of(claims, None)
    assert any(line.startswith("The answers are about the data and seeds") for line in alone)


def test_one_seed_is_told_under_the_table():
    single = claim("K9", compare(found=found(0.1, 0.2, seeds=(0,))))
    assert lines_of([single])[-2] == "Judged on one seed: K9; other seeds may differ."
    assert not any("one seed" in line for line in lines_of([claim()]))
    assert any("on two or three seeds: K1;" in line for line in lines_of([claim()]))
    many = claim("K4", compare(found=found(0.1, 0.2, seeds=(0, 1, 2, 3))))
    assert not any("Judged on" in line for line in lines_of([many]))
