"""A search draws the same cells every time, each from its own range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.config.fault import ConfigError
from raysed.config.reader import validate
from raysed.config.search import Parameter, Search, draw_cells


def search_of(samples=3, seed=0, **parameters):
    """`a__b` stands for the key a.b."""
    dotted = {key.replace("__", "."): value for key, value in parameters.items()}
    content = {"samples": samples, "seed": seed, "parameters": dotted}
    return validate(content, Search, source="s.yaml", places={(): "s.yaml"})


def test_a_sample_depends_on_its_number_alone():
    few = draw_cells(search_of(2, a__b={"uniform": [0, 1]}), "x")
    more = draw_cells(search_of(9, a__b={"uniform": [0, 1]}, a__c={"choice": [1]}), "x")
    assert [c.set["a"]["b"] for c in few] == [c.set["a"]["b"] for c in more][:2]
    assert more[0].set["a"]["c"] == 1
    other = draw_cells(search_of(2, seed=1, a__b={"uniform": [0, 1]}), "x")
    assert {c.set["a"]["b"] for c in few}.isdisjoint(c.set["a"]["b"] for c in other)


def test_cells_are_counted_with_as_many_digits_as_the_last_one_needs():
    ids = [cell.id for cell in draw_cells(search_of(101, a={"choice": [1]}), "dry")]
    assert (ids[0], ids[-1]) == ("s000", "s100") and ids == sorted(ids)
    first = draw_cells(search_of(1, a={"choice": [1]}), "dry")[0]
    assert (first.id, first.table, first.xvalid) == ("s00", "search", "dry")


def test_columns_say_what_was_drawn():
    drawn = search_of(
        1,
        model__gru_units={"choice": [64]},
        teacher__snr_db={"choice": [None]},
        shares={"choice": [{"synthetic": 6, "weak": 2}]},
        model__filters={"choice": [[8, 16]]},
        optimiser__learning_rate={"choice": [0.001]},
    )
    (cell,) = draw_cells(drawn, "x")
    assert cell.column == (
        "gru units 64, snr db none, shares 6/2, filters [8 16], learning rate 0.001"
    )
    assert cell.set == {
        "model": {"gru_units": 64, "filters": [8, 16]},
        "teacher": {"snr_db": None},
        "shares": {"synthetic": 6, "weak": 2},
        "optimiser": {"learning_rate": 0.001},
    }


@given(st.floats(1e-6, 1e6), st.floats(1.01, 100), st.integers(0, 1000))
def test_numbers_lie_in_their_range_and_have_four_digits(low, factor, seed):
    high = low * factor
    for kind in ("uniform", "log_uniform"):
        value = Parameter(**{kind: (low, high)}).draw(np.random.default_rng(seed))
        # Four digits may round over an end by half of the last one.
        assert low * (1 - 1e-3) <= value <= high * (1 + 1e-3)
        assert value == float(f"{value:.4g}")


def test_log_uniform_is_uniform_in_the_logarithm():
    parameter, random = Parameter(log_uniform=(1e-4, 1.0)), np.random.default_rng(0)
    exponents = [np.log10(parameter.draw(random)) for _ in range(400)]
    counts, _ = np.histogram(exponents, bins=[-4, -3, -2, -1, 0])
    assert min(counts) > 70  # 100 each are expected


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"a": {"uniform": [2, 1]}}, "uniform: [2, 1] is not [low, high]"),
        ({"a": {"log_uniform": [0, 1]}}, "log_uniform: 0 has no logarithm"),
        ({"a": {"uniform": [0, 1], "choice": [1]}}, "given uniform, choice"),
        ({"a": {}}, "given none"),
        ({"a": {"choice": [1]}, "a__b": {"choice": [1]}}, "a.b is inside a, which is drawn whole"),
    ],
)
def test_impossible_parameters(parameters, fault):
    with pytest.raises(ConfigError) as error:
        search_of(**parameters)
    assert fault in error.value.faults[0]


def test_the_number_of_samples_has_a_limit():
    with pytest.raises(ConfigError, match="samples: Input should be less than or equal to 10000"):
        search_of(10_001, a={"choice": [1]})
