"""The metrics of every class of a cell, with percentile intervals over clips: what the page's table of classes shows."""

from collections.abc import Callable, Sequence

import numpy as np

from raysed.evaluation.counts.clip_counts import Counts
from raysed.evaluation.counts.point_counts import share
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.intervals.bootstrap import clip_draws
from raysed.evaluation.metrics.event_f1 import macro_f1, weighted
from raysed.page.curves import BAND_DRAWS, LEVEL

Rates = Callable[[Counts, np.ndarray | None], np.ndarray]


def _f1(counts: Counts, weights_BN: np.ndarray | None) -> np.ndarray:
    return macro_f1(counts, weights_BN)[1]


def _precision(counts: Counts, weights_BN: np.ndarray | None) -> np.ndarray:
    return share(weighted(counts.tp_NK, weights_BN), weighted(counts.n_sys_NK, weights_BN))


def _recall(counts: Counts, weights_BN: np.ndarray | None) -> np.ndarray:
    return share(weighted(counts.tp_NK, weights_BN), weighted(counts.n_ref_NK, weights_BN))


_RATES: dict[str, Rates] = {"F1": _f1, "precision": _precision, "recall": _recall}
_COUNTED = {"event": "event", "intersection": "intersection", "segment": "segment (1 s)"}
CLASS_METRICS = {
    f"{counted}_{rate}".lower(): f"{title} {rate} %"
    for counted, title in _COUNTED.items()
    for rate in _RATES
}
"""Their titles by their names."""


def values_of_classes(seeds: Sequence[Statistics]) -> dict[str, np.ndarray]:
    """Return value, low and high of each class (K, 3) by the names of CLASS_METRICS, the mean over seeds.

    Every seed sees the same 200 draws of clips; NaN where nothing is defined. Seeds must have been scored on the same
    set.
    """
    first = seeds[0]
    weights_BN = clip_draws(first, BAND_DRAWS, 0)
    found = {}
    for counted in _COUNTED:
        for name, rate in _RATES.items():
            counts = [getattr(statistics, counted) for statistics in seeds]
            value_K = np.mean([rate(each, None)[0] for each in counts], axis=0)
            drawn_BK = np.mean([rate(each, weights_BN) for each in counts], axis=0)
            found[f"{counted}_{name}".lower()] = _with_ends(value_K, drawn_BK)
    return found


def _with_ends(value_K: np.ndarray, drawn_BK: np.ndarray) -> np.ndarray:
    known_K = ~np.isnan(value_K) & ~np.isnan(drawn_BK).all(axis=0)
    low_K, high_K = np.full((2, len(value_K)), np.nan)
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    if known_K.any():
        low_K[known_K], high_K[known_K] = np.nanquantile(drawn_BK[:, known_K], tails, axis=0)
    return np.stack((value_K, low_K, high_K), axis=1)
