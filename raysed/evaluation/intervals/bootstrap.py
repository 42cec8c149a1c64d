"""Bootstrap intervals over clips: the drawing of clips, and the metric on each draw.

Weights are a pure function of (reference key, seed, draw): every system on a set, in every process,
sees the same draws, and the first draws of a longer run are those of a shorter one. A clip's
duration is drawn with it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numba import njit

from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.intervals.interval_ends import ends_of
from raysed.evaluation.intervals.resampled import Resampled
from raysed.evaluation.metrics.psds import lost_classes
from raysed.evaluation.metrics.registry import Values

DRAWS = 10_000
DRAW_BLOCK = 256
"""Number of draws that are computed together."""
MANY, GROUPS = 10_000, 1_000
"""Of more clips than so many, random groups are left out in turn instead of each clip. The acceleration of a BCa interval
then has a standard error of at most .41 / GROUPS, the jackknife's standard error one of 1 / sqrt(2 GROUPS) of itself."""


@dataclass(frozen=True)
class Interval:
    """A metric of one system with its uncertainty over clips, fractions."""

    value: float
    """The metric on the whole set (method "paper": the mean of the sub-samples, as published)."""
    low: float
    high: float
    se: float
    """Standard deviation over the draws; NaN where all clips are of one source, or one clip."""
    jackknife_se: float
    """Standard error from leaving out one clip (or group) at a time: a check of `se`."""
    method: str
    """The rule of the ends: "bca", or "moved" where that would correct too much (`ends_of`), "percentile", "paper"."""
    draws: int
    lost: int
    """Number of draws in which at least one class has no ground truth and is skipped."""
    bias: float
    """Return the mean of the draws minus the value on the whole set."""


def clip_weights(
    key: str, n_clips: int, draws: int, seed: int, groups_N: np.ndarray | None = None
) -> np.ndarray:
    """Return how often each clip is in each draw of N clips with replacement: uint8 (draws, N), read-only.

    With `groups_N` (the source of each clip, as any labels) whole sources are drawn, as many as there are.
    """
    if groups_N is None:
        return _draws(key, n_clips, draws, seed)
    names, group_N = np.unique(groups_N, return_inverse=True)
    if group_N.shape != (n_clips,):
        raise ValueError(f"{n_clips} clips need as many groups, not {group_N.shape}")
    return _draws(f"{key}:groups", len(names), draws, seed)[:, group_N]


def clip_draws(statistics: Statistics, draws: int, seed: int) -> np.ndarray:
    """Return the draws of a system's clips, or of their sources where it has any: uint8 (draws, N), read-only."""
    n_clips = statistics.n_clips
    return clip_weights(statistics.key, n_clips, draws, seed, statistics.groups_N)


def group_numbers(statistics: Statistics) -> np.ndarray:
    """Return the number of each clip's source, from 0 on: (N,); without sources each clip is its own."""
    if statistics.groups_N is None:
        return np.arange(statistics.n_clips)
    return np.unique(statistics.groups_N, return_inverse=True)[1]


@lru_cache(maxsize=2)
def _draws(key: str, n_items: int, draws: int, seed: int) -> np.ndarray:
    if n_items < 1:
        raise ValueError("there are no clips to draw from")
    weights_BN = np.empty((draws, n_items), np.uint8)
    for first in range(0, draws, DRAW_BLOCK):
        block_BN = _block(key, n_items, seed, first)[: draws - first]
        if block_BN.size and block_BN.max() > np.iinfo(weights_BN.dtype).max:
            weights_BN = weights_BN.astype(np.int16)  # which hardly happens
        weights_BN[first : first + DRAW_BLOCK] = block_BN
    weights_BN.setflags(write=False)
    return weights_BN


def _block(key: str, n_items: int, seed: int, first: int) -> np.ndarray:
    """Return DRAW_BLOCK draws from draw `first` on. They use raw bits, the one stream that numpy promises never to
    change.
    """
    return _tally(random_bits(key, seed, first, DRAW_BLOCK * n_items).reshape(DRAW_BLOCK, n_items))


@njit(cache=True, nogil=True)
def _tally(raw_BN: np.ndarray) -> np.ndarray:
    """Return how often each of N items is drawn by the upper 32 bits of N numbers: int16 (B, N)."""
    draws, n_items = raw_BN.shape
    weights_BN = np.zeros((draws, n_items), np.int16)
    half = np.uint64(32)
    for b in range(draws):
        for n in range(n_items):
            weights_BN[b, ((raw_BN[b, n] >> half) * np.uint64(n_items)) >> half] += 1
    return weights_BN


def random_bits(key: str, seed: int, first: int, size: int) -> np.ndarray:
    """Return uint64 (size,), a pure function of the arguments on every platform and version of numpy."""
    digest = hashlib.sha256(f"{key}:{seed}:{first}".encode()).digest()
    return np.random.PCG64(int.from_bytes(digest)).random_raw(size)


def subsample_weights(
    key: str, n_clips: int, draws: int, seed: int, share: float = 0.8
) -> np.ndarray:
    """Draw `share` of the clips without replacement: int16 (draws, N), 0 or 1 for each clip."""
    order_BN = np.argsort(
        random_bits(f"{key}:share", seed, 0, draws * n_clips).reshape(draws, n_clips), axis=1
    )
    weights_BN = np.zeros((draws, n_clips), np.int16)
    np.put_along_axis(weights_BN, order_BN[:, : round(share * n_clips)], 1, axis=1)
    return weights_BN


def interval(
    metric: Values,
    statistics: Statistics,
    *,
    method: Literal["bca", "percentile", "paper"] = "bca",
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
    groups_N: np.ndarray | None = None,
) -> Interval:
    """Return the metric on the whole set, and the interval in which it may lie for other clips of this kind.

    The methods are "bca": bias-corrected and accelerated bootstrap (Efron 1987, DOI 10.1080/01621459.1987.10478410), where most
    draws lie to one side of the value the draws moved to it ("moved", `ends_of`);
    "percentile": plain bootstrap quantiles; "paper": what Turpault & Serizel (2020) published, 5 to 95 percentiles of
    200 sub-samples of 80 % of the clips with the full set's duration (`level`, `draws` and groups do not apply). That
    is about half as wide as a 95 % interval and its PSDS is too high: `bias` says by how much.
    """
    if groups_N is not None:
        statistics = replace(statistics, groups_N=groups_N)
    if method == "paper":
        return _published_interval(metric, statistics, seed)
    found = resampled(metric, statistics, draws=draws, seed=seed)
    return interval_of(found, statistics, method=method, level=level, seed=seed)


def resampled(
    metric: Values, statistics: Statistics, *, draws: int = DRAWS, seed: int = 0
) -> Resampled:
    """Compute a metric (B,), or values of classes (B, K), on the set, in each draw and without each clip."""
    weights_BN = clip_draws(statistics, draws, seed)
    return Resampled(
        metric(statistics, None)[0], metric(statistics, weights_BN), jackknife(metric, statistics)
    )


def interval_of(
    found: Resampled,
    statistics: Statistics,
    *,
    method: Literal["bca", "percentile"] = "bca",
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the interval of a metric that was drawn with the same `seed`."""
    left_out_J = found.left_out_J if method == "bca" else None
    *ends, rule = ends_of(found.values_B, float(found.value), left_out_J, level)
    lost_B = lost_classes(statistics, clip_draws(statistics, len(found.values_B), seed))
    return _interval(found, ends, rule, lost_B)


def _published_interval(metric: Values, statistics: Statistics, seed: int) -> Interval:
    weights_BN, values_B = _as_published(metric, statistics, seed)
    found = Resampled(metric(statistics, None)[0], values_B, jackknife(metric, statistics))
    ends = np.nanquantile(values_B, (0.05, 0.95)).tolist()
    return _interval(found, ends, "paper", lost_classes(statistics, weights_BN))


def _interval(found: Resampled, ends: Sequence[float], method: str, lost_B: np.ndarray) -> Interval:
    known_B = found.values_B[~np.isnan(found.values_B)]
    value, mean = float(found.value), float(known_B.mean()) if known_B.size else float("nan")
    return Interval(
        value=mean if method == "paper" else value,
        low=float(ends[0]),
        high=float(ends[1]),
        se=found.se,
        jackknife_se=jackknife_se(found.left_out_J),
        method=method,
        draws=len(found.values_B),
        lost=int((lost_B > 0).sum()),
        bias=mean - value,
    )


def published_recipe(
    metric: Values, by_seed: Sequence[Statistics], *, seed: int = 0
) -> tuple[float, float, float]:
    """Return mean and ends of the published recipe (method "paper" of `interval`) for the mean over trained seeds."""
    values_B = np.mean([_as_published(metric, each, seed)[1] for each in by_seed], axis=0)
    low, high = np.nanquantile(values_B, (0.05, 0.95))
    return float(np.nanmean(values_B)), float(low), float(high)


def _as_published(
    metric: Values, statistics: Statistics, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of the method "paper" and the metric at them, by the seconds of the full set."""
    weights_BN = subsample_weights(statistics.key, statistics.n_clips, 200, seed)
    full = replace(statistics, evaluated_s=float(np.nansum(statistics.durations_s)))
    return weights_BN, metric(full, weights_BN)


def class_intervals(
    per_class: Values, statistics: Statistics, *, draws: int = DRAWS, seed: int = 0
) -> np.ndarray:
    """Return the intervals of a metric that has a value per class: float64 (K, 5), NaN for a class without a
    value.

    `per_class` gives (B, K). Columns: value, low, high, standard deviation over the draws, and 1 where the draws were moved
    to the value (`ends_of`), else 0.
    """
    return class_ends(resampled(per_class, statistics, draws=draws, seed=seed))


def class_ends(found: Resampled) -> np.ndarray:
    """Return the table of `class_intervals` for values of classes that are computed."""
    found_K5 = np.full((len(found.value), 5), np.nan)
    for k in np.flatnonzero(~np.isnan(found.value)):
        of = found.column(k)
        low, high, rule = ends_of(of.values_B, float(of.value), of.left_out_J, 0.95)
        found_K5[k] = of.value, low, high, of.se, rule == "moved"
    return found_K5


def jackknife(
    metric: Values, statistics: Statistics, groups_N: np.ndarray | None = None
) -> np.ndarray:
    """Return the metric without each clip (or group, of the statistics unless others are given) in turn: (J,).

    Where these are more than MANY, they are put into GROUPS random ones.
    """
    if groups_N is not None:
        statistics = replace(statistics, groups_N=groups_N)
    group_N = group_numbers(statistics)
    if (count := int(group_N.max()) + 1) > MANY:
        order_G = np.argsort(random_bits(f"{statistics.key}:jackknife", 0, 0, count), kind="stable")
        group_N = np.argsort(order_G)[group_N] % GROUPS
    parts = []
    for first in range(0, int(group_N.max()) + 1, DRAW_BLOCK):
        out = np.arange(first, min(first + DRAW_BLOCK, int(group_N.max()) + 1))
        parts.append(metric(statistics, (group_N[None] != out[:, None]).astype(np.int16)))
    return np.concatenate(parts)


def jackknife_se(left_out_J: np.ndarray) -> float:
    """Return the standard error of the metric from its leave-one-out values."""
    known_J = left_out_J[~np.isnan(left_out_J)]
    if known_J.size < 2:
        return float("nan")
    return float(np.sqrt((known_J.size - 1) * known_J.var()))
