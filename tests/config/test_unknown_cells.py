"""What speaks of cells that a space does not have is a fault at its own key."""

import pytest

from raysed.config.fault import Fault
from raysed.config.reader import validate
from raysed.config.space import Space
from raysed.config.trial import Trial
from raysed.config.unknown_cells import unknown_cells


def cell(name):
    return {"id": name, "table": "1", "column": name, "xvalid": "dry", "published": {"eval": {}}}


def claim(cell_id, against, evaluation="val"):
    comparison = {"cell": cell_id, "against": against, "expect": "higher"}
    return {"id": "K1", "text": "x", "evaluation": evaluation, "comparisons": [comparison]}


def found(trials=2, **change):
    content = {"name": "s", "data_job": "j", "run": "r", "seeds": [0], "base": {}, **change}
    space = validate({"cells": [cell("a"), cell("b")], **content}, Space, source="s.yaml")
    data = {"xvalid": ["dry"], "evaluation": ["val"], "weak": "w"}
    shares = {"synthetic": 0, "unlabelled": 0}
    trial = validate({"data": data, "shares": shares}, Trial, source="t")
    return unknown_cells(space, [trial] * trials)


@pytest.mark.parametrize(
    ("change", "key", "text"),
    [
        (
            {"contrasts": [{"cell": "a", "against": "c"}]},
            ("contrasts", 0),
            "contrasts: no cell has the id c",
        ),
        (
            {"contrasts": [{"cell": "a", "against": "b"}, {"cell": "a", "against": "a"}]},
            ("contrasts", 1),
            "contrasts: a is compared with itself",
        ),
        (
            {"energy_baseline": "c"},
            ("energy_baseline",),
            "energy_baseline: no cell that is trained has the id c",
        ),
        (
            {"claims": [claim("c", "a")]},
            ("claims", 0, "comparisons", 0),
            "claim K1: no cell has the id c",
        ),
        (
            {"claims": [claim("a", "b", evaluation="other")]},
            ("claims", 0),
            "claim K1: evaluation other is no set that a cell is evaluated on or has published values of"
            " (eval, val)",
        ),
        ({"change": {"c": {}}}, ("change", "c"), "change: no cell has the id c"),
    ],
)
def test_each_is_a_fault_of_its_key(change, key, text):
    assert found(**change) == [Fault(key, text)]


def test_nothing_is_wrong_with_what_is_there():
    contrasts = [{"cell": "a", "against": "b"}]
    claims = [claim("a", "b"), {**claim("b", "a", evaluation="eval"), "id": "K2"}]
    assert found(contrasts=contrasts, claims=claims, change={"a": {}}) == []


def test_the_sets_of_claims_are_unknown_as_long_as_a_cell_is_faulty():
    assert found(trials=1, claims=[claim("a", "b", evaluation="other")]) == []
