"""The counts of two systems on one set, side by side."""

from typing import Any

import numpy as np

from raysed.evaluation.counts.clip_counts import Counts, Deltas
from raysed.evaluation.counts.statistics import COUNTED, Statistics, comparable


def stack(a: Statistics, b: Statistics) -> Statistics:
    """Stack two systems on one set as 2N clips: weights then choose a system clip by clip."""
    comparable(a, b)
    psds = {}
    for criteria, deltas in a.psds.items():
        of_a_E4, of_b_E4 = deltas.entries(), b.psds[criteria].entries()
        of_b_E4[:, 1] += a.n_clips
        psds[criteria] = Deltas.sort(np.concatenate((of_a_E4, of_b_E4)))
    counts: dict[str, Any] = {
        name: _stack_counts(getattr(a, name), getattr(b, name)) for name in COUNTED
    }
    return Statistics(
        key=a.key,
        filenames=a.filenames + b.filenames,
        classes=a.classes,
        durations_s=np.concatenate((a.durations_s, b.durations_s)),
        n_gt_NK=np.concatenate((a.n_gt_NK, b.n_gt_NK)),
        gt_s_NK=np.concatenate((a.gt_s_NK, b.gt_s_NK)),
        thresholds=a.thresholds,
        parameters=a.parameters,
        psds=psds,
        scored=a.scored.beside(b.scored) if a.scored and b.scored else None,
        **counts,
    )


def _stack_counts(a: Counts, b: Counts) -> Counts:
    pairs = zip(vars(a).values(), vars(b).values(), strict=True)
    return Counts(*(np.concatenate(pair) for pair in pairs))
