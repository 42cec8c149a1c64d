"""Answers from intervals: does a claimed relation hold, and is a difference the published one?

Whether a relation holds is read from a simultaneous interval of the difference. Whether the numbers agree is a test
of equivalence (two one-sided tests, Schuirmann 1987, DOI 10.1007/BF01068419): yes where the whole interval lies within
the margin around the published difference. All of several comparisons have to agree, which needs no correction
(intersection-union, Berger 1982, DOI 10.1080/00401706.1982.10487790).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.special import stdtrit

YesNoOpen = Literal["yes", "no", "open"]


def holds(low: float, high: float, expect: str, margin: float) -> YesNoOpen:
    """Answer whether the claimed relation holds, by the interval of the difference, as fractions.

    * higher: yes where the interval is above 0, no where it is below 0; lower is its mirror image.
    * far_higher: yes where it is above the margin, no where it is at most the margin; far_lower mirrors it.
    * not_higher: yes where it is at most the margin (non-superiority), else no where it is above 0.
    * equal: yes where it is within the margin on both sides, no where it is beyond on one side.

    Raises ValueError for an interval that is none.
    """
    _check_interval(low, high)
    if expect in ("lower", "far_lower"):
        return holds(-high, -low, expect.replace("lower", "higher"), margin)
    if expect == "not_higher":
        return "yes" if high <= margin else "no" if low > 0 else "open"
    if expect == "equal":
        return agrees(low, high, 0.0, margin)
    if expect == "far_higher":
        return "yes" if low > margin else "no" if high <= margin else "open"
    if expect != "higher":
        raise ValueError(f"{expect!r} is no relation")
    return "yes" if low > 0 else "no" if high < 0 else "open"


def agrees(low: float, high: float, published: float, margin: float) -> YesNoOpen:
    """Answer whether a difference equals the published one up to the margin: yes where its whole interval lies
    within, no where all of it lies beyond on one side.
    """
    _check_interval(low, high)
    # Published values have four digits; digits beyond are binary rounding.
    low, high = round(low - published, 12), round(high - published, 12)
    if -margin <= low and high <= margin:
        return "yes"
    return "no" if low > margin or high < -margin else "open"


def over_seeds(value_S: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Return Student's interval of the mean over S seeds, these clips given; NaN for one seed.

    It says between what the mean of other seeds may lie on the same clips, as two runs of one paper's recipe on one
    evaluation set differ.
    """
    n_seeds = len(value_S)
    if n_seeds < 2:
        return np.nan, np.nan
    mean = float(np.mean(value_S))
    half = float(stdtrit(n_seeds - 1, (1 + level) / 2) * np.std(value_S, ddof=1) / np.sqrt(n_seeds))
    return mean - half, mean + half


def possible(low: float, high: float) -> tuple[float, float]:
    """Return the interval of a difference of two metrics from 0 to 1 within what is possible, -1 to 1."""
    return max(low, -1.0), min(high, 1.0)


def _check_interval(low: float, high: float) -> None:
    if low > high or np.isnan(low) or np.isnan(high):
        raise ValueError(f"[{low}, {high}] is not an interval")
