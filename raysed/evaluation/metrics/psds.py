"""Polyphonic sound detection score (PSDS) from sufficient statistics.

Bilen et al. 2020, DOI 10.1109/ICASSP40776.2020.9052995. The value is exactly that of psds_eval 0.5.3 (parity
to 1e-12), for the set itself or B weighted resamples of its clips: about 20 us a resample and thread for 1168
clips, 10 classes and 50 operating points.

A class that has no ground truth in a resample is skipped: it has no ROC curve, and cross-triggers
average over the classes that are left. That is what psds_eval gives when its classes come from the
resampled ground truth. `lost_classes` counts them.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np

from raysed.evaluation.counts.clip_counts import PAPER, PSDS1, PSDS2, Deltas, PsdsCriteria
from raysed.evaluation.counts.matching import Arrays
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.detections.score_parts import threads_for
from raysed.evaluation.metrics.psds_kernels import (
    RESAMPLE_TILE,
    PsdsRules,
    areas,
    count_lost,
    rates,
)

TILES_AT_ONCE = 8
"""Tiles of resamples whose weights are copied for one core at a time."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Definition:
    """The definition of one PSDS: the counts that it needs and their weights."""

    criteria: PsdsCriteria = PAPER
    alpha_ct: float = 1.0
    """Cost of cross-triggers."""
    alpha_st: float = 0.0
    """Cost of instability across classes."""
    max_efpr: float = 100.0
    """Right end of the area, effective false positives per hour."""
    over: Literal["K-1", "K"] = "K-1"
    """The divisor of the cross-trigger rates: K - 1 in psds_eval 0.5.3, K in 0.3.0 and before."""

    def __post_init__(self) -> None:
        """Refuse weights that psds_eval refuses, and areas without a right end."""
        if not (0 <= self.alpha_ct <= 1 and self.alpha_st >= 0):
            raise ValueError(f"expected alpha_ct in [0, 1], alpha_st >= 0: {self}")
        if not 0 < self.max_efpr < np.inf:
            raise ValueError(f"max_efpr {self.max_efpr} is not a positive number per hour")


DEFINITIONS = {
    "psds": Definition(),
    "psds_2020": Definition(over="K"),
    "psds1": Definition(PSDS1, alpha_ct=0.0, alpha_st=1.0),
    "psds2": Definition(PSDS2, alpha_ct=0.5, alpha_st=1.0),
}
"""The named definitions. psds: psds_eval 0.5.3; psds_2020: as the paper's authors computed it; psds1, psds2:
DCASE scenarios 1 and 2."""


@dataclass(frozen=True)
class PsdRoc:
    """The curves behind a PSDS: steps that hold from each rate to the next."""

    efpr_X: np.ndarray
    """Effective false positives per hour, from 0 to `max_efpr`."""
    tpr_KX: np.ndarray
    """True-positive ratio of each class (NaN for a class without ground truth)."""
    etpr_X: np.ndarray
    """The mean of these minus alpha_st standard deviations; its mean over the axis is the PSDS."""


def psds(
    statistics: Statistics,
    weights_BN: np.ndarray | None = None,
    *,
    definition: str | Definition = "psds",
) -> np.ndarray:
    """Return the PSDS of B weighted resamples (None: the set itself): float64 (B,), NaN where nothing is
    defined.

    `definition` is a name of DEFINITIONS or a `Definition`, whose criteria must be among those that
    were collected.
    """
    definition = DEFINITIONS[definition] if isinstance(definition, str) else definition
    return psds_over(statistics, weights_BN, definitions=(definition,))[:, 0]


def psds_over(
    statistics: Statistics,
    weights_BN: np.ndarray | None = None,
    *,
    definitions: Sequence[Definition] = (DEFINITIONS["psds"], DEFINITIONS["psds_2020"]),
) -> np.ndarray:
    """Return the PSDS by definitions that differ in the divisor of cross-triggers alone, from one reading of the counts:
    float64 (B, D).
    """
    first = definitions[0]
    assert all(replace(each, over=first.over) == first for each in definitions)
    weights_BN = checked_weights(statistics, weights_BN)
    columns, per_clip, (rules, _), n_points = kernel_arguments(statistics, first)
    others_D = np.array([_others(each) for each in definitions])
    out_DB = np.empty((len(definitions), len(weights_BN)))

    def work(part_BN: np.ndarray, part: slice) -> None:
        areas(part_BN, columns, per_clip, (rules, others_D), n_points, out_DB[:, part])

    in_parts(weights_BN, work)
    return out_DB.T


def class_psds(
    statistics: Statistics,
    weights_BN: np.ndarray | None = None,
    *,
    definition: str | Definition = "psds",
) -> np.ndarray:
    """Return the area under each class's own curve in B weighted resamples, as a share of `max_efpr`: float64 (B, K), NaN
    for a class without ground truth. Costs of cross-triggers are in it; instability is of all classes, so that without
    `alpha_st` the mean over classes is the PSDS.
    """
    definition = DEFINITIONS[definition] if isinstance(definition, str) else definition
    weights_BN = checked_weights(statistics, weights_BN)
    arguments = kernel_arguments(statistics, definition)
    areas_BK = np.empty((len(weights_BN), len(statistics.classes)))

    def work(part_BN: np.ndarray, part: slice) -> None:
        for first in range(0, len(part_BN), RESAMPLE_TILE):
            tile_BN = part_BN[first : first + RESAMPLE_TILE]
            areas_BK[part][first : first + len(tile_BN)] = _tile_areas(
                tile_BN, arguments, definition.max_efpr
            )

    in_parts(weights_BN, work)
    return areas_BK


def _tile_areas(
    weights_BN: np.ndarray,
    arguments: tuple[Arrays, Arrays, tuple[PsdsRules, np.ndarray], int],
    max_efpr: float,
) -> np.ndarray:
    """Return the areas (B, K) of at most RESAMPLE_TILE resamples."""
    columns, per_clip, rules, n_points = arguments
    (n_clips, n_classes), count = per_clip[0].shape, len(weights_BN)
    weights_NT = np.zeros((n_clips, RESAMPLE_TILE), np.int16)
    weights_NT[:, :count] = weights_BN.T
    tpr_KMT, efpr_KMT = np.zeros((2, n_classes, n_points, RESAMPLE_TILE))
    present_KT = np.zeros((n_classes, RESAMPLE_TILE), np.bool_)
    rates(weights_NT, columns, per_clip, rules, (tpr_KMT, efpr_KMT[None], present_KT))
    # Points beyond the right end get no width there.
    order_KMT = np.argsort(efpr_KMT, axis=1, kind="stable")
    rate_KMT = np.minimum(np.take_along_axis(efpr_KMT, order_KMT, 1), max_efpr)
    best_KMT = np.maximum.accumulate(np.take_along_axis(tpr_KMT, order_KMT, 1), axis=1)
    width_KMT = np.diff(rate_KMT, axis=1, append=max_efpr)
    area_KT = (best_KMT * width_KMT).sum(axis=1) / max_efpr
    return np.where(present_KT, area_KT, np.nan).T[:count]


def in_parts(weights_BN: np.ndarray, work: Callable[[np.ndarray, slice], _T]) -> list[_T]:
    """Do some work on the weights of a few resamples at a time and on every core: int16, in one layout, so that kernels
    are compiled once; with each part comes its place among all.
    """
    tiles = -(-len(weights_BN) // RESAMPLE_TILE)
    threads = threads_for(tiles)
    size = RESAMPLE_TILE * min(TILES_AT_ONCE, -(-tiles // threads))
    parts = [slice(first, first + size) for first in range(0, len(weights_BN), max(size, 1))]
    with ThreadPoolExecutor(threads) as pool:
        return list(
            pool.map(
                lambda part: work(np.array(weights_BN[part], np.int16, order="C"), part), parts
            )
        )


def psd_roc(statistics: Statistics, definition: str | Definition = "psds") -> PsdRoc:
    """Return the curves of the set itself, for plots."""
    definition = DEFINITIONS[definition] if isinstance(definition, str) else definition
    columns, per_clip, rules, n_points = kernel_arguments(statistics, definition)
    weights_NT = np.zeros((statistics.n_clips, RESAMPLE_TILE), np.int32)
    weights_NT[:, 0] = 1
    n_classes = len(statistics.classes)
    tpr_KMT, efpr_KMT = np.zeros((2, n_classes, n_points, RESAMPLE_TILE))
    present_KT = np.zeros((n_classes, RESAMPLE_TILE), np.bool_)
    rates(weights_NT, columns, per_clip, rules, (tpr_KMT, efpr_KMT[None], present_KT))
    present_K = np.flatnonzero(present_KT[:, 0])
    roc = roc_through([(efpr_KMT[k, :, 0], tpr_KMT[k, :, 0]) for k in present_K], definition)
    tpr_KX = np.full((n_classes, roc.efpr_X.size), np.nan)
    tpr_KX[present_K] = roc.tpr_KX
    return replace(roc, tpr_KX=tpr_KX)


def roc_through(points: list[tuple[np.ndarray, np.ndarray]], definition: Definition) -> PsdRoc:
    """Return the curves through each class's operating points (effective FP rates, TP ratios)."""
    used = [efpr_M[efpr_M <= definition.max_efpr] for efpr_M, _ in points]
    efpr_X = np.unique(np.concatenate([*used, [0.0, definition.max_efpr]]))
    tpr_KX = np.empty((len(points), efpr_X.size))
    for k, (efpr_M, tpr_M) in enumerate(points):
        order_M = np.argsort(efpr_M, kind="stable")
        best_M = np.maximum.accumulate(np.append(0.0, tpr_M[order_M]))
        tpr_KX[k] = best_M[np.searchsorted(efpr_M[order_M], efpr_X, side="right")]
    spread_X = definition.alpha_st * tpr_KX.std(axis=0)
    return PsdRoc(efpr_X, tpr_KX, np.maximum(tpr_KX.mean(axis=0) - spread_X, 0.0))


def area(roc: PsdRoc) -> float:
    """Return the PSDS of the curves, which is their mean height."""
    return float((np.diff(roc.efpr_X) * roc.etpr_X[:-1]).sum() / roc.efpr_X[-1])


def lost_classes(statistics: Statistics, weights_BN: np.ndarray) -> np.ndarray:
    """Return int (B,): how many of the classes that have ground truth have none in each resample."""
    class_C, clip_C = np.nonzero(statistics.n_gt_NK.T)
    start_K1 = np.searchsorted(class_C, np.arange(len(statistics.classes) + 1))
    lost_B = np.zeros(len(weights_BN), np.int64)
    count_lost(np.ascontiguousarray(weights_BN), clip_C, start_K1, lost_B)
    return lost_B


def checked_weights(statistics: Statistics, weights_BN: np.ndarray | None) -> np.ndarray:
    """Return the weights, for None those of the set itself. Raises ValueError for others than counts."""
    if weights_BN is None:
        return np.ones((1, statistics.n_clips), np.int16)
    if (
        weights_BN.ndim != 2
        or weights_BN.shape[1] != statistics.n_clips
        or weights_BN.dtype.kind not in "iub"
    ):
        raise ValueError(
            f"weights {weights_BN.dtype} {weights_BN.shape} are not integers "
            f"(draws, {statistics.n_clips} clips)"
        )
    if weights_BN.size and not 0 <= weights_BN.min() <= weights_BN.max() <= np.iinfo(np.int16).max:
        raise ValueError(
            f"weights from {weights_BN.min()} to {weights_BN.max()}, expected 0 to 32767"
        )
    return weights_BN


def _check_counts(statistics: Statistics, deltas: Deltas) -> None:
    """Raise ValueError for statistics (out of a file, say) whose indexes point outside their own arrays."""
    n_clips, n_classes = statistics.n_gt_NK.shape
    limits = {
        "column": (deltas.column_C, n_classes * (n_classes + 2)),
        "clip": (deltas.clip_E, n_clips),
        "point": (deltas.point_E, len(statistics.thresholds)),
        "start": (deltas.start_C, len(deltas.clip_E) + 1),
    }
    for name, (index, limit) in limits.items():
        if index.dtype.kind != "i" or (index.size and not 0 <= index.min() <= index.max() < limit):
            raise ValueError(
                f"counts of {deltas.column_C.size} columns: a {name} is not below {limit}"
            )
    lengths = {len(deltas.clip_E), len(deltas.point_E), len(deltas.change_E)}
    if len(deltas.start_C) != len(deltas.column_C) + 1 or len(lengths) != 1:
        raise ValueError(f"counts of {lengths} entries in {len(deltas.start_C) - 1} columns")
    seconds = (statistics.gt_s_NK, np.nan_to_num(statistics.durations_s, nan=0.0))
    if statistics.gt_s_NK.shape != (n_clips, n_classes) or len(seconds[1]) != n_clips:
        raise ValueError(f"seconds of {statistics.gt_s_NK.shape}, expected {(n_clips, n_classes)}")
    if not all(np.isfinite(array).all() and (array >= 0).all() for array in seconds):
        raise ValueError("seconds of events or clips are negative or not finite")
    if ((statistics.n_gt_NK > 0) & (statistics.gt_s_NK <= 0)).any() or (
        statistics.n_gt_NK < 0
    ).any():
        raise ValueError("a class has events without seconds, or a negative number of them")


def kernel_arguments(
    statistics: Statistics, definition: Definition
) -> tuple[Arrays, Arrays, tuple[PsdsRules, np.ndarray], int]:
    """Return the arguments of the kernels: columns, per-clip totals, rules with the divisor's difference to K, and the
    number of operating points.
    """
    if definition.criteria not in statistics.psds:
        raise ValueError(
            f"statistics hold counts for {list(statistics.psds)}, not for {definition.criteria}"
        )
    deltas: Deltas = statistics.psds[definition.criteria]
    columns = (deltas.column_C, deltas.start_C, deltas.clip_E, deltas.point_E, deltas.change_E)
    _check_counts(statistics, deltas)
    seconds_N = np.nan_to_num(statistics.durations_s, nan=0.0)  # psds_eval: no metadata, no seconds
    per_clip = (statistics.n_gt_NK, statistics.gt_s_NK, seconds_N)
    evaluated_s = np.nan if statistics.evaluated_s is None else statistics.evaluated_s
    others = _others(definition)
    rules = (definition.alpha_ct, definition.alpha_st, definition.max_efpr, others, evaluated_s)
    return columns, per_clip, (rules, np.array([others])), len(statistics.thresholds)


def _others(definition: Definition) -> float:
    return 1.0 if definition.over == "K-1" else 0.0
