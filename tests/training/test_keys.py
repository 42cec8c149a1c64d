"""Keys to draws: fixed for ever, different for every key, the same from numpy and torch on any machine."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from raysed.training.keys import numpy_generator, seed_of, torch_generator

KEYS = st.lists(st.integers(0, 2**32 - 1) | st.text(max_size=8), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("key", "seed"),
    [
        ((0,), 7896617691693857887),
        ((7, "dropout", 3, 0), 594162116046442086),
        ((7, "noise", 3), 5267387478964056676),
    ],
)
def test_the_seeds_of_every_trial_trained_so_far(key: tuple, seed: int) -> None:
    assert seed_of(*key) == seed


@given(KEYS, KEYS)
def test_every_key_has_a_seed_of_its_own(first: list, second: list) -> None:
    assert 0 <= seed_of(*first) < 2**63
    # SeedSequence takes no notice of zeros at a key's end.
    if words(first) != words(second):
        assert seed_of(*first) != seed_of(*second)


def words(key: list) -> list[int]:
    import zlib

    found = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in key]
    while len(found) <= 4:
        found.append(0)
    return found


def test_order_and_purpose_matter() -> None:
    seeds = {seed_of(*key) for key in ((1, 2), (2, 1), ("a", 1), ("b", 1), (1, "a"), ("ab",))}
    assert len(seeds) == 6


def test_generators_start_anew_from_their_key() -> None:
    torch_draws = [torch.rand(3, generator=torch_generator(7, "noise", 3)) for _ in range(2)]
    assert torch.equal(*torch_draws)
    other = torch.rand(3, generator=torch_generator(7, "noise", 4))
    assert not torch.equal(torch_draws[0], other)
    numpy_draws = [numpy_generator(7, "order").random(3) for _ in range(2)]
    np.testing.assert_array_equal(*numpy_draws)
    assert not np.array_equal(numpy_draws[0], numpy_generator(8, "order").random(3))


def test_a_generator_leaves_the_global_one_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    torch.rand(3, generator=torch_generator(1))
    assert torch.equal(torch.get_rng_state(), before)
