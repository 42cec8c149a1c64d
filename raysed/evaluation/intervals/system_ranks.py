"""Ranks of several systems, with all their differences: simultaneous intervals over the same draws.

A system's rank is certain as far as its differences are: it is behind every system that is better by the simultaneous
intervals, and before every one that is worse, so that all ranks' intervals hold together with the level of the
differences' (Mogstad, Romano, Shaikh & Wilhelm 2024, DOI 10.1093/restud/rdad006).
"""

from collections.abc import Sequence

import numpy as np

from raysed.evaluation.intervals.significance import TIE, Drawn, max_t


def all_differences(systems: Sequence[Drawn], level: float = 0.95) -> np.ndarray:
    """Return difference, low, high and p of every pair: float64 (S, S, 4), row system minus column system.

    All S(S - 1)/2 intervals hold together with `level` (`max_t`). The diagonal is 0, 0, 0, 1.
    """
    value_S = np.array([system.value for system in systems])
    values_SB = np.stack([system.values_B for system in systems])
    row_C, column_C = np.triu_indices(len(systems), 1)
    found_SS4 = np.zeros((len(systems), len(systems), 4))
    found_SS4[..., 3] = 1.0
    if row_C.size:
        difference_C = value_S[row_C] - value_S[column_C]
        low_C, high_C, p_C = max_t(difference_C, values_SB[row_C] - values_SB[column_C], level).T
        if len(systems[0].left_out_J) < 2:  # one clip or source, which says nothing of others
            low_C, high_C, p_C = -np.ones_like(p_C), np.ones_like(p_C), np.ones_like(p_C)
        found_SS4[row_C, column_C] = np.stack((difference_C, low_C, high_C, p_C), axis=1)
        found_SS4[column_C, row_C] = np.stack((-difference_C, -high_C, -low_C, p_C), axis=1)
    return found_SS4


def ranks(found_SS4: np.ndarray) -> np.ndarray:
    """Return rank, lowest and highest rank of each system: int64 (S, 3), 1 is the best; equal systems share a rank."""
    better_SS = found_SS4[..., 0] < -TIE
    surely_better_SS, surely_worse_SS = found_SS4[..., 2] < 0, found_SS4[..., 1] > 0
    n_systems = len(found_SS4)
    return np.stack(
        (
            1 + better_SS.sum(axis=1),
            1 + surely_better_SS.sum(axis=1),
            n_systems - surely_worse_SS.sum(axis=1),
        ),
        axis=1,
    )
