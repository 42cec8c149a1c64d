"""Places of the last axis, of all three arrays alike."""

import numpy as np

from raysed.evaluation.intervals.resampled import Resampled, spread


def test_a_column_is_one_place_of_each_array() -> None:
    found = Resampled(np.array([1.0, 2.0]), np.array([[3.0, 4.0]] * 3), np.array([[5.0, 6.0]] * 2))
    one, some = found.column(1), found.column(slice(1, None))
    assert (one.value, one.values_B.tolist(), one.left_out_J.tolist()) == (2, [4] * 3, [6] * 2)
    assert (some.value.shape, some.values_B.shape, some.left_out_J.shape) == ((1,), (3, 1), (2, 1))


def test_the_spread_is_that_of_known_draws() -> None:
    assert spread(np.array([1.0, np.nan, 3.0])) == np.std([1, 3], ddof=1)
    assert np.isnan(spread(np.array([np.nan, 2.0])))
    one = Resampled(np.array(0.5), np.full(9, 0.5), np.array([np.nan]))
    assert np.isnan(one.se)  # of one clip nothing is known
    assert Resampled(np.array(0.5), np.full(9, 0.5), np.full(2, 0.5)).se == 0
