"""The curves and numbers of a trial, from the metrics of its epochs."""

import math

import pytest

from raysed.page.trials import losses, short, xvalid_curves


@pytest.mark.parametrize(
    ("value", "digits", "found"),
    [
        (123456.0, 4, 123500.0),
        (0.00012344, 3, 0.000123),
        (-2.5, 1, -2.0),
        (0.0, 4, 0.0),
        (None, 4, None),
        (math.nan, 4, None),
        (-math.inf, 4, None),
    ],
)
def test_numbers_are_short_and_fit_json(value, digits, found):
    assert short(value, digits) == found


def test_terms_that_are_never_more_than_zero_have_no_curve():
    epochs = [
        {"loss": 1.0, "strong": 0.0, "weak": 0.0, "consistency_weak": math.nan},
        {"loss": math.inf, "strong": 0.25},
    ]
    assert losses(epochs) == {"loss": [1.0, None], "strong": [0.0, 0.25]}
    assert losses([]) == {}


def test_an_xvalid_set_that_an_epoch_lacks_leaves_a_gap():
    epochs = [
        {"xvalid_f1": {"dry": 0.1}, "xvalid_f1_student": {"dry": 0.1}, "xvalid_f1_teacher": {}},
        {"xvalid_f1": {"dry": 0.2, "plain": 0.3}, "xvalid_f1_student": {"dry": 0.2, "plain": 0.3}},
    ]
    assert xvalid_curves(epochs) == {
        "dry": {"student": [0.1, 0.2], "teacher": [None, None]},
        "plain": {"student": [None, 0.3], "teacher": [None, None]},
    }


def test_other_ranks_lines_hold_no_curves():
    assert xvalid_curves([{"epoch": 0, "loss": 1.0}]) == {}
