"""The rules that turn intervals into answers, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.evaluation.intervals.answers import agrees, holds, over_seeds, possible

MARGIN = 0.024
RELATIONS = ("higher", "lower", "far_higher", "far_lower", "not_higher", "equal")


@pytest.mark.parametrize(
    ("low", "high", "expect", "expected"),
    [
        (0.01, 0.03, "higher", "yes"),
        (-0.03, -0.01, "higher", "no"),
        (-0.01, 0.03, "higher", "open"),
        (0.0, 0.03, "higher", "open"),
        # As equal as can be is not higher.
        (-0.001, 0.001, "higher", "open"),
        (-0.03, -0.01, "lower", "yes"),
        (0.01, 0.03, "lower", "no"),
        (0.025, 0.3, "far_higher", "yes"),
        (0.01, 0.03, "far_higher", "open"),
        (0.01, 0.024, "far_higher", "no"),
        (-0.2, -0.1, "far_higher", "no"),
        (-0.3, -0.025, "far_lower", "yes"),
        (-0.024, -0.01, "far_lower", "no"),
        (-0.05, -0.01, "not_higher", "yes"),
        (0.001, 0.024, "not_higher", "yes"),
        (-0.05, 0.025, "not_higher", "open"),
        (0.0, 0.025, "not_higher", "open"),
        (0.001, 0.025, "not_higher", "no"),
        (-0.01, 0.024, "equal", "yes"),
        (-0.01, 0.03, "equal", "open"),
        (0.025, 0.03, "equal", "no"),
        (-0.05, -0.03, "equal", "no"),
    ],
)
def test_a_relation(low: float, high: float, expect: str, expected: str) -> None:
    assert holds(low, high, expect, MARGIN) == expected


@given(
    ends=st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted),
    expect=st.sampled_from(RELATIONS),
    share=st.floats(0, 1),
)
def test_a_narrower_interval_never_turns_an_answer(
    ends: list[float], expect: str, share: float
) -> None:
    low, high = ends
    wide = holds(low, high, expect, MARGIN)
    middle = low + share * (high - low)
    narrow = holds(middle, middle, expect, MARGIN)
    # "No" becomes "yes" only for a lead that is too small to count.
    assert wide == "open" or narrow == wide or expect == "not_higher"


def test_agreement_is_equivalence_with_the_published_difference() -> None:
    assert agrees(0.03, 0.05, 0.04, MARGIN) == "yes"
    assert agrees(0.016, 0.064, 0.04, MARGIN) == "yes"  # the ends are within
    assert agrees(0.0, 0.05, 0.04, MARGIN) == "open"
    assert agrees(-0.05, 0.01, 0.04, MARGIN) == "no"
    assert agrees(0.07, 0.09, 0.04, MARGIN) == "no"


def test_what_is_no_interval_or_no_relation_is_refused() -> None:
    for ends in ((1.0, 0.0), (np.nan, 1.0)):
        with pytest.raises(ValueError, match="not an interval"):
            holds(*ends, "higher", MARGIN)
        with pytest.raises(ValueError, match="not an interval"):
            agrees(*ends, 0.0, MARGIN)
    with pytest.raises(ValueError, match="no relation"):
        holds(0.0, 1.0, "better", MARGIN)


def test_students_interval_over_seeds() -> None:
    # t(0.975, 2) is 4.3027; the standard deviation of 1, 2, 3 is 1.
    low, high = over_seeds([0.1, 0.2, 0.3])
    assert (low, high) == pytest.approx((0.2 - 0.43027 / 3**0.5, 0.2 + 0.43027 / 3**0.5), abs=1e-5)
    assert all(np.isnan(over_seeds([0.1])))
    assert over_seeds([0.1, 0.1]) == (0.1, 0.1)


def test_a_difference_stays_within_what_is_possible() -> None:
    assert possible(-1.471, 1.383) == (-1.0, 1.0)
    assert possible(-0.2, 0.1) == (-0.2, 0.1)
