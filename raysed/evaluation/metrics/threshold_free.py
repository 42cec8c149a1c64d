"""PSDS over all thresholds at once, from frame scores; 50 operating points approximate it.

Each class's counts change only at the scores that occur, so its whole curve comes from the changes at each distinct
score of each clip (Ebbers et al. 2022, DOI 10.1109/ICASSP43922.2022.9747556), for the set and for any weighted resample
of its clips. Shares that are met exactly are judged as sed_scores_eval 0.0.4 does (`ROUNDED`), so that its values and
these are one. With several running medians it is the post-processing-independent PSDS (Ebbers et al. 2023,
arXiv:2306.15440): each point of a class's curve may come from another of them.

A class without ground truth in a resample, or in the set, has no curve and is left out, as in `psds`.
"""

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
    return float(_areas(weights_1N, changes, per_clip, _rules(definition, None))[0][0])


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
    defined = DEFINITIONS[definition]
    durations_s = np.nan_to_num(statistics.durations_s, nan=0.0)
    per_clip = (statistics.n_gt_NK, statistics.gt_s_NK, durations_s)
    weights_BN = checked_weights(statistics, weights_BN)
    rules, counts = _rules(defined, statistics.evaluated_s), scored(statistics)
    for times in DOWN_TO:
        kind = Intersections(defined.criteria, ROUNDED, windows_s, times * defined.max_efpr)
        found_B, found_BK, n_short = _areas(weights_BN, counts.changes(kind), per_clip, rules)
        if not n_short:
            break
    if counts.large is None or kind.per_hour == np.inf:  # then every score was taken
        return found_B, found_BK
    exact, of_set = _of_large(counts, kind, per_clip, rules)
    return found_B + (exact[0] - of_set[0]), found_BK + (exact[1] - of_set[1])


def _of_large(
    counts: Scored, kind: Intersections, per_clip: Arrays, rules: PsdsRules
) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Return value (1,) and values of classes (1, K) of the whole set at every score, and at the scores that draws take."""
    key = (kind, rules)
    if key not in counts.known:
        ones_1N = np.ones((1, len(per_clip[0])), np.int16)
        of_set = _areas(ones_1N, counts.changes(kind), per_clip, rules)[:2]
        assert counts.large is not None
        counts.known[key] = (exact_areas(counts.large, kind, per_clip, rules), of_set)
    return counts.known[key]


def scored(statistics: Statistics) -> Scored:
    """Return the scores' counts. Raises ValueError where there are none."""
    if statistics.scored is None:
        raise ValueError(
            "a metric over all thresholds needs the frame scores, and only counts at operating points are there"
        )
    return statistics.scored


def _rules(definition: Definition, evaluated_s: float | None) -> PsdsRules:
    """Return a definition as the kernels take it."""
    others = 1.0 if definition.over == "K-1" else 0.0
    span_s = np.nan if evaluated_s is None else evaluated_s
    return definition.alpha_ct, definition.alpha_st, definition.max_efpr, others, span_s


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
    weights_BN: np.ndarray, changes: ScoredChanges, per_clip: Arrays, rules: PsdsRules
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the areas (B,), those of each class (B, K), and how many of these need scores that were not counted."""
    out_B, out_BK = np.empty(len(weights_BN)), np.empty((len(weights_BN), per_clip[0].shape[1]))
    arrays = kernel_changes(changes)

    def work(part_BN: np.ndarray, part: slice) -> int:
        return threshold_areas(part_BN, arrays, per_clip, rules, out_BK[part], out_B[part])

    n_short = sum(in_parts(weights_BN, work))
    return out_B, out_BK, n_short
