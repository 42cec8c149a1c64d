"""Work on the frame scores of a set, some clips at a time and on every core."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.score_files import AnyScores, ScoreFiles

CLIPS_AT_ONCE = 64
TELL_S = 6.0
"""Time between two lines about how far the reading is."""
_T = TypeVar("_T")


def over_parts(
    scores: AnyScores, work: Callable[[slice, FrameScores], _T], what: str = "scores"
) -> list[_T]:
    """Return what the work makes of each part of the clips, in their order; `what` names it for people."""
    n_clips = scores.n_clips
    parts = [
        slice(first, min(first + CLIPS_AT_ONCE, n_clips))
        for first in range(0, n_clips, CLIPS_AT_ONCE)
    ]
    found, told_s = [], time.monotonic()
    with ThreadPoolExecutor(threads_for(len(parts))) as pool:
        made = pool.map(lambda clips: work(clips, scores.part(clips)), parts)
        for part, result in zip(parts, made, strict=True):
            found.append(result)
            if isinstance(scores, ScoreFiles) and time.monotonic() - told_s > TELL_S:
                scores.pulse(f"{what}: {part.stop} of {n_clips} clips read")
                told_s = time.monotonic()
    return found


def threads_for(parts: int) -> int:
    """Return the number of threads that this many parts of work are worth.

    numba.get_num_threads() would start numba's own pool, and from then on numba refuses to compile in a process whose
    NUMBA_NUM_THREADS has been changed.
    """
    cores = len(os.sched_getaffinity(0))
    return max(1, min(int(os.environ.get("NUMBA_NUM_THREADS", cores)), parts))
