"""The area kernels against a definition in plain loops; parity with psds_eval is in test_psds.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.evaluation.metrics.psds_kernels import (
    HOUR_S,
    RESAMPLE_TILE,
    areas,
    rates,
)

K, N, M = 2, 5, 4
"""Classes, clips and operating points of the drawn counts."""


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts of each column, clip and point, events of each clip and class, and their seconds."""
    random = np.random.default_rng(seed)
    counts_CNM = random.integers(0, 3, (K * (K + 2), N, M)).cumsum(axis=2)
    n_gt_NK = counts_CNM[:: K + 2, :, -1].T + random.integers(0, 2, (N, K))
    return counts_CNM, n_gt_NK, n_gt_NK * random.uniform(0.5, 2.0, (N, K))


def arguments(seed: int, rules: tuple) -> tuple:
    counts_CNM, n_gt_NK, gt_s_NK = drawn(seed)
    changes = np.diff(counts_CNM, axis=2, prepend=0)
    column_E, clip_E, point_E = np.nonzero(changes)
    column_C, start_C = np.unique(column_E, return_index=True)
    columns = (
        column_C.astype(np.int32),
        np.append(start_C, len(column_E)).astype(np.int64),
        clip_E.astype(np.int32),
        point_E.astype(np.int32),
        changes[column_E, clip_E, point_E].astype(np.int32),
    )
    return columns, (n_gt_NK.astype(np.int32), gt_s_NK, np.full(N, 10.0)), rules


def expected_rates(seed: int, weights_N: np.ndarray, rules: tuple) -> tuple[np.ndarray, np.ndarray]:
    """TP ratios and effective FP rates (K, M), term by term."""
    counts_CNM, n_gt_NK, gt_s_NK = drawn(seed)
    alpha_ct, _, _, others, evaluated_s = rules
    total_CM = np.einsum("n,cnm->cm", weights_N, counts_CNM)
    events_K, seconds_K = weights_N @ n_gt_NK, weights_N @ gt_s_NK
    hours = (evaluated_s if np.isfinite(evaluated_s) else 10.0 * weights_N.sum()) / HOUR_S
    present_K = events_K > 0
    tpr_KM, efpr_KM = np.zeros((2, K, M))
    for k in range(K):
        own = k * (K + 2)
        tpr_KM[k] = total_CM[own] / max(events_K[k], 1)
        efpr_KM[k] = total_CM[own + 1] / hours
        for j in np.flatnonzero(present_K):
            if present_K.sum() > others:
                rate_M = total_CM[own + 2 + j] / (seconds_K[j] / HOUR_S)
                efpr_KM[k] += alpha_ct * rate_M / (present_K.sum() - others)
    return tpr_KM, efpr_KM


@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
@pytest.mark.parametrize(
    "rules",
    [
        (1.0, 0.0, 100.0, 1.0, np.nan),
        (0.0, 0.0, 100.0, 1.0, np.nan),
        (0.5, 1.0, 100.0, 0.0, 123.0),
    ],
)
def test_rates_are_their_definition(seed: int, rules: tuple) -> None:
    weights_NT = np.random.default_rng(seed).integers(0, 3, (N, RESAMPLE_TILE)).astype(np.int32)
    weights_NT[0] = 1
    columns, per_clip, _ = arguments(seed, rules)
    out = (
        np.full((K, M, RESAMPLE_TILE), np.nan),
        np.full((2, K, M, RESAMPLE_TILE), np.nan),
        np.zeros((K, RESAMPLE_TILE), np.bool_),
    )
    rates(weights_NT, columns, per_clip, (rules, np.array([rules[3], 1 - rules[3]])), out)
    for t in range(0, RESAMPLE_TILE, 7):
        tpr_KM, efpr_KM = expected_rates(seed, weights_NT[:, t], rules)
        present_K = weights_NT[:, t] @ per_clip[0] > 0
        assert out[2][:, t].tolist() == present_K.tolist()
        np.testing.assert_allclose(out[0][present_K, :, t], tpr_KM[present_K], rtol=1e-12)
        np.testing.assert_allclose(out[1][0, present_K, :, t], efpr_KM[present_K], rtol=1e-12)
        other = (*rules[:3], 1 - rules[3], rules[4])
        _, efpr_KM = expected_rates(seed, weights_NT[:, t], other)
        np.testing.assert_allclose(out[1][1, present_K, :, t], efpr_KM[present_K], rtol=1e-12)


@pytest.mark.parametrize("draws", [1, RESAMPLE_TILE, RESAMPLE_TILE + 1, 2 * RESAMPLE_TILE + 5])
def test_every_draw_has_its_own_area_in_any_number_of_tiles(draws: int) -> None:
    rules = (1.0, 0.0, 5000.0, 1.0, np.nan)
    weights_BN = np.random.default_rng(0).integers(0, 3, (draws, N)).astype(np.int16)
    columns, per_clip, _ = arguments(3, rules)
    together_2B, alone_11 = np.full((2, draws), -1.0), np.full((1, 1), -1.0)
    areas(weights_BN, columns, per_clip, (rules, np.array([1.0, 0.0])), M, together_2B)
    for d, others in enumerate((1.0, 0.0)):
        for b in {0, draws // 2, draws - 1}:
            alone = (rules, np.array([others]))
            areas(weights_BN[b : b + 1], columns, per_clip, alone, M, alone_11)
            np.testing.assert_array_equal(together_2B[d, b], alone_11[0, 0])
    assert 0 < np.nanmean(together_2B) < 1
