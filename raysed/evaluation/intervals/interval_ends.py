"""The ends of one value's interval, from the metric in each draw (B,) and without each clip (J,).

Two things can be meant by the truth behind a value: the value of infinitely many clips, or what sets of this size give. They differ
by the bias of the value: PSDS1 subtracts the spread between classes, which the noise of few events adds to, and a best F1
over thresholds fits the noise. Draws show that bias, since they add the same noise again. It does not shrink with the number of
classes, as the standard error of their mean does, so that of many classes nearly all draws lie to one side of the value.
"""

from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

Rule = Literal["bca", "moved", "percentile", "symmetric"]
_SUMS = 1e-9
"""Differences of metrics that come from the order of sums."""


class Ends(NamedTuple):
    """An interval, and the rule that it comes from."""

    low: float
    high: float
    rule: Rule


def ends_of(
    values_B: np.ndarray, value: float, left_out_J: np.ndarray | None, level: float
) -> Ends:
    """Return the interval that a value gets: `bca`, about infinitely many clips, while that corrects the value by little, else
    `moved`, about sets of this size. Without jackknife values: percentiles.
    """
    if left_out_J is None:
        return Ends(*bca(values_B, value, None, level), "percentile")
    if is_far(values_B, value, level):
        return Ends(*moved(values_B, value, level), "moved")
    return Ends(*bca(values_B, value, left_out_J, level), "bca")


def is_far(values_B: np.ndarray, value: float, level: float) -> bool:
    """Tell whether BCa would move the middle of the interval by more than half of its half-width: at 95 % where more than 84 % of
    the draws lie to one side. A little further on it needs quantiles that draws do not have, and at twice as far it
    does not hold the value any more.
    """
    known_B = values_B[~np.isnan(values_B)]
    if np.isnan(value) or not known_B.size or np.ptp(known_B) <= _SUMS:
        return False
    return bool(abs(bias_z(known_B, value)) > ndtri((1 + level) / 2) / 2)


def bias_z(values_B: np.ndarray, value: float) -> float:
    """Return by how many standard errors the draws lie below the value: the normal quantile of the share that does, BCa's z0."""
    below = (values_B < value).mean() + (values_B == value).mean() / 2
    edge = 0.5 / values_B.size  # a value outside all draws still gets a finite correction
    return float(ndtri(np.clip(below, edge, 1 - edge)))


def moved(values_B: np.ndarray, value: float, level: float) -> tuple[float, float]:
    """Return the quantiles of the draws, moved by as much as takes their median to the value. Where all of them are fractions, as
    metrics are, the ends are, too.
    """
    known_B = values_B[~np.isnan(values_B)]
    low, middle, high = np.quantile(known_B, ((1 - level) / 2, 0.5, (1 + level) / 2))
    ends = np.array([value + low - middle, value + high - middle])
    if min(known_B.min(), value) >= 0 and max(known_B.max(), value) <= 1:
        ends = np.clip(ends, 0, 1)
    return float(ends[0]), float(ends[1])


def bca(
    values_B: np.ndarray, value: float, left_out_J: np.ndarray | None, level: float
) -> tuple[float, float]:
    """Return the ends of the BCa interval (Efron 1987, DOI 10.1080/01621459.1987.10478410) from bootstrap and jackknife values, or
    percentiles without the latter.

    Draws in which the metric is undefined (NaN) are left out. Of one clip (or source) all draws are that clip, which says
    nothing of others: the interval is all that a metric can be.
    """
    values_B = np.sort(values_B[~np.isnan(values_B)])
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if values_B.size == 0:
        return np.nan, np.nan
    if left_out_J is not None and left_out_J.size < 2:
        return 0.0, 1.0
    if left_out_J is None or values_B[0] == values_B[-1]:
        low, high = np.quantile(values_B, tails)
        return float(low), float(high)
    z0 = bias_z(values_B, value)
    centred_J = np.nanmean(left_out_J) - left_out_J[~np.isnan(left_out_J)]
    spread = (centred_J**2).sum() ** 1.5
    acceleration = (centred_J**3).sum() / (6 * spread) if spread > 0 else 0.0
    shifted = z0 + ndtri(tails)
    low, high = np.quantile(values_B, ndtr(z0 + shifted / (1 - acceleration * shifted)))
    return float(low), float(high)
