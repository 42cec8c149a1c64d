"""The rows of the table of claims, on claims made by hand."""

from types import SimpleNamespace

import pytest

from raysed.report.claim_rows import claim_rows
from raysed.report.table_rows import DifferenceText
from raysed.report.verdicts import JudgedClaim
from tests.report.claims import claim, compare, found

PLAN = SimpleNamespace(seeds=(0, 1), looks=())


def test_a_row_holds_the_texts_of_its_comparisons():
    asked = claim("K1", compare((0.01, 0.05), published=0.02), compare(None, metric="psds"))
    (row,) = claim_rows(PLAN, [asked])
    assert (row.id, row.holds, row.agrees, row.seeds) == ("K1", "waiting", "open", "0 of 2")
    assert not row.is_on_one_seed and row.is_on_few_seeds
    ours, open_ = row.comparisons
    assert ours.ours == DifferenceText("+3.0", "[+1.0, +5.0]", "yes")
    assert (ours.symbols, ours.title, ours.published) == ("a > b", "event F1 %", "+2.0")
    assert (ours.agrees, ours.rule) == ("open", "all of the interval above 0")
    assert open_.agrees == ""
    assert (open_.ours, open_.published) == (DifferenceText("", "", "waiting"), "")


def test_a_claim_on_one_seed_is_marked():
    (row,) = claim_rows(PLAN, [claim("K1", compare(found=found(0.1, 0.2, seeds=(0,))))])
    assert row.is_on_one_seed


@pytest.mark.parametrize(("planned", "text"), [((0, 1), "2"), ((0, 1, 2), "2 of 3")])
def test_missing_seeds_are_told(planned, text):
    (row,) = claim_rows(SimpleNamespace(seeds=planned, looks=()), [claim()])
    assert row.seeds == text


@pytest.mark.parametrize(
    ("comparison", "said"),
    [
        (compare(published=-0.02), ["published a less b, event F1 -2.0, disagrees with the claim"]),
        (
            compare(published=0.005),
            [
                "published a less b, event F1 +0.5, is within the stated 1.2: the paper itself does not show it"
            ],
        ),
        (compare(published=0.02), []),
        (compare(), []),
    ],
)
def test_published_values_that_do_not_show_the_claim_are_told(comparison, said):
    (row,) = claim_rows(PLAN, [claim("K1", comparison)])
    assert list(row.remarks) == said


def test_sets_stand_beside_comparisons_where_there_are_several():
    both = JudgedClaim("K", "text", "val, eval", (compare(), compare(evaluation="eval")))
    (row,) = claim_rows(PLAN, [both])
    assert [c.symbols for c in row.comparisons] == ["a > b (val)", "a > b (eval)"]
