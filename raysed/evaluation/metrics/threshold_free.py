"""PSDS over all thresholds at once, from frame scores; 50 operating points approximate it.

Each class's counts change only at the scores that occur, so its whole curve comes from the changes at each distinct
score of each clip (Ebbers et al. 2022, DOI 10.1109/ICASSP43922.2022.9747556), for the set and for any weighted resample
of its clips. Shares that are met exactly are judged as sed_scores_eval 0.0.4 does (`ROUNDED`), so that its values and
these are one. With several running medians it is the post-processing-independent PSDS (Ebbers et al. 2023,
arXiv:2306.15440): each point of a class's curve may come from another of them.

A class without ground truth in a resample, or in the set, has no curve and is left out, as in `psds`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from raysed.evaluation.counts.clip_counts import seconds, tally
from raysed.evaluation.counts.event_arrays import Arrays
from raysed.evaluation.counts.intersections import ROUNDED
from raysed.evaluation.counts.scored import Intersections, Scored
from raysed.evaluation.counts.scored_changes import ScoredChanges
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.metrics.exact_curves import exact_areas
from raysed.evaluation.metrics.psds import DEFINITIONS, Definition, checked_weights, in_parts
from raysed.evaluation.metrics.psds_kernels import PsdsRules
from raysed.evaluation.metrics.registry import NamedMetric
from raysed.evaluation.metrics.threshold_kernels import threshold_areas


def threshold_free_psds(
    reference: Reference,
    scores: FrameScores,
    definition: Definition = DEFINITIONS["psds"],
    rule: float = ROUNDED,
) -> float:
    """Return the PSDS whose operating points are all the scores that occur; NaN where nothing is defined.

    `rule` EXACT judges shares as psds_eval does.
    """
    shape = len(reference.filenames), len(reference.classes)
    truth = reference.events.positive()
    changes = Scored.of(reference, scores).changes(Intersections(definition.criteria, rule))
    durations_s = np.nan_to_num(np.asarray(reference.durations_s, np.float64), nan=0.0)
    per_clip = (tally(truth, *shape), seconds(truth, *shape), durations_s)
    weights_1N = np.ones((1, shape[0]), np.int16)
    return float(_areas(weights_1N, changes, per_clip, _rules((definition,), None))[0][0, 0])


PairRules = tuple[PsdsRules, np.ndarray]
"""The rules that definitions have in common, and the divisor's difference to K of each."""
DOWN_TO = (1.0, 4.0, np.inf)
"""The false alarms down to which scores that stay in their files are counted, as multiples of the right end of the area.
A higher one is taken where a resample has too few at the first."""


def psds_all(
    statistics: Statistics,
    weights_BN: np.ndarray | None = None,
    *,
    definition: str = "psds",
    windows_s: tuple[float, ...] = (0.0,),
) -> tuple[np.ndarray, np.ndarray]:
    """Return the PSDS over all thresholds, (B,), and the area under each class's own curve, (B, K).

    Raises ValueError for statistics without scores.
    """
    values_BD, classes_BDK = psds_all_over(
        statistics, weights_BN, definitions=(definition,), windows_s=windows_s
    )
    return values_BD[:, 0], classes_BDK[:, 0]


def psds_all_over(
    statistics: Statistics,
    weights_BN: np.ndarray | None = None,
    *,
    definitions: tuple[str, ...] = ("psds", "psds_2020"),
    windows_s: tuple[float, ...] = (0.0,),
) -> tuple[np.ndarray, np.ndarray]:
    """Return the PSDS over all thresholds by definitions that differ in the divisor of cross-triggers alone, from one
    reading of the counts: (B, D), and the area under each class's own curve (B, D, K).
    """
    defined = [DEFINITIONS[name] for name in definitions]
    assert all(replace(each, over=defined[0].over) == defined[0] for each in defined)
    durations_s = np.nan_to_num(statistics.durations_s, nan=0.0)
    per_clip = (statistics.n_gt_NK, statistics.gt_s_NK, durations_s)
    weights_BN = checked_weights(statistics, weights_BN)
    rules, counts = _rules(defined, statistics.evaluated_s), scored(statistics)
    for times in DOWN_TO:
        kind = Intersections(defined[0].criteria, ROUNDED, windows_s, times * defined[0].max_efpr)
        rounds = counts.large is not None and kind.per_hour < np.inf  # else every score is taken
        more = _of_large(counts, kind, per_clip, rules) if rounds else (0.0, 0.0)
        found_DB, found_DBK, n_short = _areas(weights_BN, counts.changes(kind), per_clip, rules)
        if not n_short:
            break
    found_DB += more[0]
    found_DBK += more[1]
    return found_DB.T, found_DBK.transpose(1, 0, 2)


def first_counted(metric: NamedMetric) -> tuple[tuple[float, ...], float]:
    """Return the running medians, and the false alarms an hour down to which scores are counted first, of a PSDS over all
    thresholds.
    """
    windows_s = metric.options.get("windows_s", (0.0,))
    return windows_s, DOWN_TO[0] * DEFINITIONS[metric.options["definition"]].max_efpr


def pair_psds_all(statistics: Statistics, weights_BN: np.ndarray | None = None) -> np.ndarray:
    """Return both PSDS of the paper over all thresholds: (B, 2)."""
    return psds_all_over(statistics, weights_BN)[0]


def _of_large(
    counts: Scored, kind: Intersections, per_clip: Arrays, rules: PairRules
) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much the values (D, 1) and values of classes (D, 1, K) of the whole set at every score exceed those at the
    scores that draws take.
    """
    key = (kind, rules[0], rules[1].tobytes())
    if key not in counts.known:
        ones_1N = np.ones((1, len(per_clip[0])), np.int16)
        exact = exact_areas(counts, kind, per_clip, rules)
        of_set = _areas(ones_1N, counts.changes(kind), per_clip, rules)
        counts.known[key] = (exact[0] - of_set[0], exact[1] - of_set[1])
    return counts.known[key]


def scored(statistics: Statistics) -> Scored:
    """Return the scores' counts. Raises ValueError where there are none."""
    if statistics.scored is None:
        raise ValueError(
            "a metric over all thresholds needs the frame scores, and only counts at operating points are there"
        )
    return statistics.scored


def _rules(definitions: Sequence[Definition], evaluated_s: float | None) -> PairRules:
    """Return definitions that differ in the divisor of cross-triggers as the kernels take them."""
    first, span_s = definitions[0], np.nan if evaluated_s is None else evaluated_s
    others_D = np.array([1.0 if each.over == "K-1" else 0.0 for each in definitions])
    about = (first.alpha_ct, first.alpha_st, first.max_efpr, float(others_D[0]), span_s)
    return about, others_D


def kernel_changes(changes: ScoredChanges) -> Arrays:
    """Return changes as the kernels take them."""
    return (
        np.array([changes.n_variants]),
        changes.start_G,
        changes.clip_E,
        changes.slot_E,
        changes.change_E,
        changes.mark_E,
        changes.floor_G,
    )


def _areas(
    weights_BN: np.ndarray, changes: ScoredChanges, per_clip: Arrays, rules: PairRules
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the areas (D, B), those of each class (D, B, K), and how many of these need scores that were not counted."""
    shape = (len(rules[1]), len(weights_BN))
    out_DB, out_DBK = np.empty(shape), np.empty((*shape, per_clip[0].shape[1]))
    arrays = kernel_changes(changes)

    def work(part_BN: np.ndarray, part: slice) -> int:
        return threshold_areas(part_BN, arrays, per_clip, rules, out_DBK[:, part], out_DB[:, part])

    n_short = sum(in_parts(weights_BN, work))
    return out_DB, out_DBK, n_short
