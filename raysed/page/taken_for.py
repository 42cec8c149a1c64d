"""The classes that are taken for others, for the page: sums over clips, the mean over a cell's seeds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from raysed.evaluation.counts.confusions import Confusions
from raysed.page.rates import has_rates
from raysed.report.results import Result

MOST_PAIRS = 400
"""The most pairs of classes of a cell that the page holds, the largest first."""


def taken_for(results: dict[tuple[str, str], list[Result]]) -> list[dict[str, Any]]:
    """Return one entry for each cell and evaluation set of `results`, by (cell, set); cells that show one system share the
    work.
    """
    known: dict[tuple[Any, ...], dict[str, Any]] = {}
    rows = []
    for (cell, evaluation), seeds in results.items():
        if not has_rates(seeds[0].statistics):
            continue
        systems = tuple(dict.fromkeys(result.system for result in seeds))
        if systems not in known:
            known[systems] = mean_of([Confusions.of(result.statistics) for result in seeds])
        rows.append({"cell": cell, "evaluation": evaluation, **known[systems]})
    return rows


def mean_of(seeds: Sequence[Confusions]) -> dict[str, Any]:
    """Return the mean counts; of the pairs [annotated, detected, count] those that occur."""
    taken_KK = np.mean([each.taken_KK for each in seeds], axis=0)
    np.fill_diagonal(taken_KK, 0.0)
    annotated_P, detected_P = np.nonzero(taken_KK)
    order_P = np.argsort(-taken_KK[annotated_P, detected_P], kind="stable")[:MOST_PAIRS]
    return {
        "threshold": seeds[0].threshold,
        "events": seeds[0].events_K.tolist(),
        "found": _means([each.found_K for each in seeds]),
        "false": _means([each.false_K for each in seeds]),
        "pairs": [
            [int(j), int(k), round(float(taken_KK[j, k]), 1)]
            for j, k in zip(annotated_P[order_P], detected_P[order_P], strict=True)
        ],
        "left_out": max(len(annotated_P) - MOST_PAIRS, 0),
    }


def _means(counts: Sequence[np.ndarray]) -> list[float]:
    return [round(float(value), 1) for value in np.mean(counts, axis=0)]
