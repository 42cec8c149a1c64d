"""The counts of some clips of a set, taken out of those of all."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np

from raysed.evaluation.counts.clip_counts import Counts, Deltas
from raysed.evaluation.counts.statistics import COUNTED, Statistics


def some_clips(statistics: Statistics, kept_N: np.ndarray, key: str | None = None) -> Statistics:
    """Return the statistics of the clips where `kept_N` (bool) is true, as if only they had been scored.

    `key` names the set of these clips (that of its `Reference`, so that systems scored on it alone can be compared);
    by default it is made of the whole set's key and the clips. Raises ValueError where no clip is left.
    """
    kept_N = np.asarray(kept_N, dtype=bool)
    if kept_N.shape != (statistics.n_clips,) or not kept_N.any():
        raise ValueError(
            f"of {statistics.n_clips} clips some must be kept: given {kept_N.sum()} of {kept_N.size}"
        )
    counts: dict[str, Any] = {
        name: Counts(*(array_NK[kept_N] for array_NK in vars(getattr(statistics, name)).values()))
        for name in COUNTED
    }
    made_of = f"{statistics.key}:{hashlib.sha256(kept_N.tobytes()).hexdigest()}"
    return replace(
        statistics,
        key=key or hashlib.sha256(made_of.encode()).hexdigest(),
        filenames=tuple(np.array(statistics.filenames, dtype=object)[kept_N]),
        durations_s=statistics.durations_s[kept_N],
        n_gt_NK=statistics.n_gt_NK[kept_N],
        gt_s_NK=statistics.gt_s_NK[kept_N],
        groups_N=None if statistics.groups_N is None else statistics.groups_N[kept_N],
        psds={criteria: _some(deltas, kept_N) for criteria, deltas in statistics.psds.items()},
        scored=statistics.scored.some(kept_N) if statistics.scored else None,
        **counts,
    )


def _some(deltas: Deltas, kept_N: np.ndarray) -> Deltas:
    """Return the changes of the kept clips, which keep their order."""
    entry_E4 = deltas.entries()
    entry_E4 = entry_E4[kept_N[entry_E4[:, 1]]]
    place_N = np.cumsum(kept_N) - 1
    entry_E4[:, 1] = place_N[entry_E4[:, 1]]
    return Deltas.of_sorted(entry_E4)
