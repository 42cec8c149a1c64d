"""Seeds that are listed, and seeds that grow."""

import pytest

from raysed.config.fault import ConfigError
from raysed.config.seeds import GrowingSeeds
from tests.config.test_space import cell, space_of

__all__ = ["space_of"]
CELLS = [cell("a"), cell("b", model={"dropout": 0.1})]
CONTRASTS = [{"cell": "b", "against": "a"}]


@pytest.mark.parametrize(
    ("first", "last", "looks"),
    [(3, 10, (3, 6, 10)), (2, 4, (2, 3, 4)), (4, 5, (4, 5)), (5, 20, (5, 12, 20))],
)
def test_there_are_at_most_three_looks(first, last, looks):
    assert GrowingSeeds.model_validate({"from": first, "to": last}).looks == looks


def test_trials_of_growing_seeds_are_those_of_listed_ones(space_of):
    grown = space_of(CELLS, seeds={"from": 2, "to": 4}, contrasts=CONTRASTS)
    listed = space_of(CELLS, seeds=[0, 1, 2, 3], contrasts=CONTRASTS)
    assert grown.space.all_seeds == listed.space.all_seeds == (0, 1, 2, 3)
    assert grown.space.looks == (2, 3, 4) and listed.space.looks == ()
    assert [t.id for t in grown.trainings] == [t.id for t in listed.trainings]


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ({"from": 3, "to": 3}, "seeds: from 3 to 3: `to` has to be more than `from`"),
        ({"from": 1, "to": 4}, "seeds.from: Input should be greater than or equal to 2"),
        ({"from": 3}, "seeds.to: missing"),
        ({"from": 3, "too": 4}, "seeds.too: unknown key; did you mean to?"),
        ([], "seeds: "),
        ([0, -1], "seeds[1]: Input should be greater than or equal to 0"),
        (3, "seeds: "),
        ([1, 1], "seeds: given twice in [1, 1]"),
    ],
)
def test_faults_name_the_key(space_of, seeds, message):
    with pytest.raises(ConfigError) as caught:
        space_of(CELLS, seeds=seeds, contrasts=CONTRASTS)
    assert message in str(caught.value)


def test_seeds_that_grow_need_a_question(space_of):
    with pytest.raises(ConfigError, match="claims or contrasts are open, and there is none"):
        space_of(CELLS, seeds={"from": 2, "to": 4})
