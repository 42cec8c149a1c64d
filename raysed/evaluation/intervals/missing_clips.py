"""The value on a whole set, estimated from the clips of it that are left.

The whole set is a fixed collection of N clips, of which n are left, so the error is that of drawing n of N without
replacement, and is 0 where none is missing. Its distribution comes from the approximate Bayesian bootstrap (Rubin &
Schenker 1986, DOI 10.1080/01621459.1986.10478280): n donors are drawn with replacement from the clips left, then the
missing clips from these donors, and the metric is taken over the clips left and the N - n drawn ones. For a mean
this has exactly the variance (1 - n/N) s^2/n. The clips that are missing are taken to be like those left.

A reference system that was scored on all N clips tells whether the missing ones are easier or harder: the controlled
estimate takes off what the reference lost by them, times the slope of our clips' influences on the reference's.
"""

from dataclasses import dataclass

import numpy as np

from raysed.evaluation.counts.some_clips import some_clips
from raysed.evaluation.counts.statistics import Statistics, comparable
from raysed.evaluation.intervals.bootstrap import (
    DRAW_BLOCK,
    DRAWS,
    jackknife,
    random_bits,
)
from raysed.evaluation.intervals.interval_ends import Ends, Rule, bca, is_far
from raysed.evaluation.intervals.resampled import Resampled
from raysed.evaluation.intervals.significance import symmetric
from raysed.evaluation.metrics.registry import Values


@dataclass(frozen=True)
class WholeSetEstimate:
    """A metric on the whole set, from the clips that are left; fractions."""

    value: float
    low: float
    high: float
    se: float
    method: Rule
    """The rule of the ends: "bca" or "symmetric"."""


@dataclass(frozen=True)
class ControlledEstimate(WholeSetEstimate):
    """A metric on the whole set, from the clips that are left and a reference system on all clips."""

    reference_left: float
    """The reference system's value on the clips that are left."""
    reference_whole: float
    """The reference system's value on the whole set."""
    slope: float
    """The share of the reference system's loss that is ours."""
    correlation: float
    """That of the two systems' clips, by their influences: the error falls by sqrt(1 - correlation^2)."""


def refilled_weights(key: str, n_left: int, n_missing: int, draws: int, seed: int) -> np.ndarray:
    """Return how often each clip that is left counts in each refilled set: int16 (draws, n_left), rows of sum N.

    Every clip counts once, and for each missing clip one donor once more.
    """
    blocks = []
    for first in range(0, draws, DRAW_BLOCK):
        size = (DRAW_BLOCK, n_left + n_missing)
        raw = random_bits(f"{key}:missing", seed, first, size[0] * size[1]).reshape(size)
        half = np.uint64(32)
        donor_BN = ((raw[:, :n_left] >> half) * np.uint64(n_left)) >> half
        place_BM = ((raw[:, n_left:] >> half) * np.uint64(n_left)) >> half
        filled_BM = np.take_along_axis(donor_BN, place_BM.astype(np.int64), axis=1)
        weights_BN = np.ones((DRAW_BLOCK, n_left), np.int16)
        np.add.at(weights_BN, (np.arange(DRAW_BLOCK)[:, None], filled_BM.astype(np.int64)), 1)
        blocks.append(weights_BN)
    return np.concatenate(blocks or [np.zeros((0, n_left), np.int16)])[:draws]


def whole_set_estimate(
    metric: Values,
    left: Statistics,
    n_clips: int,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> WholeSetEstimate:
    """Return the metric on all `n_clips` clips, from the statistics of those that are left."""
    value = float(metric(left, None)[0])
    weights_BN = refilled_weights(left.key, left.n_clips, n_clips - left.n_clips, draws, seed)
    values_B = metric(left, weights_BN)
    found = Resampled(np.array(value), values_B, jackknife(metric, left))
    low, high, rule = ends_about_whole(values_B, value, found.left_out_J, level)
    return WholeSetEstimate(value, low, high, found.se, rule)


def controlled_estimate(
    metric: Values,
    left: Statistics,
    reference: Statistics,
    kept_N: np.ndarray,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> ControlledEstimate:
    """Return the metric on the whole set, of which `reference` holds another system's counts.

    `kept_N` (bool) tells which of its clips are left.
    """
    reference_left = some_clips(reference, kept_N, left.key)
    comparable(left, reference_left)
    value, of_left, whole = (float(metric(s, None)[0]) for s in (left, reference_left, reference))
    left_J, reference_J = jackknife(metric, left), jackknife(metric, reference_left)
    slope, correlation = _slope(left_J, reference_J)
    weights_BN = refilled_weights(
        left.key, left.n_clips, reference.n_clips - left.n_clips, draws, seed
    )
    lost_B = metric(reference_left, weights_BN) - whole
    values_B = metric(left, weights_BN) - slope * lost_B
    estimate = value - slope * (of_left - whole)
    found = Resampled(np.array(estimate), values_B, left_J - slope * reference_J)
    low, high, rule = ends_about_whole(values_B, estimate, found.left_out_J, level)
    return ControlledEstimate(
        estimate, low, high, found.se, rule, of_left, whole, slope, correlation
    )


def ends_about_whole(
    values_B: np.ndarray, value: float, left_out_J: np.ndarray, level: float
) -> Ends:
    """Return BCa's ends, or `symmetric` ones where BCa would correct too much: what is estimated is one fixed number, not the value
    of sets of the size that is left, so that the draws cannot be moved to the value.
    """
    if is_far(values_B, value, level):
        return Ends(*symmetric(values_B, value, level), "symmetric")
    return Ends(*bca(values_B, value, left_out_J, level), "bca")


def _slope(left_J: np.ndarray, reference_J: np.ndarray) -> tuple[float, float]:
    """Return the least-squares slope of our leave-one-out values on the reference's, and their correlation; 0
    where either does not vary.
    """
    known_J = ~(np.isnan(left_J) | np.isnan(reference_J))
    if known_J.sum() < 3:
        return 0.0, 0.0
    (ours, both), (_, theirs) = np.cov(left_J[known_J], reference_J[known_J])
    if not (ours > 0 and theirs > 0):
        return 0.0, 0.0
    return float(both / theirs), float(both / np.sqrt(ours * theirs))
