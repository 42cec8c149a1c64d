"""A metric on a set of clips and on what is drawn from it, before an interval is made of that."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Resampled:
    """A metric on a set and on what is drawn from it. Values of each class stand on a last axis of all three."""

    value: np.ndarray
    values_B: np.ndarray
    """In each draw of clips."""
    left_out_J: np.ndarray
    """Without each clip, source or group in turn."""

    @property
    def se(self) -> float:
        """The standard deviation over the draws; NaN where less than two are known, or all clips are of one source."""
        return spread(self.values_B) if len(self.left_out_J) > 1 else float("nan")

    def column(self, place: int | slice) -> "Resampled":
        """Return one place, or some, of the last axis."""
        return Resampled(*(array[..., place] for array in vars(self).values()))


def spread(values_B: np.ndarray) -> float:
    """Return the standard deviation of the draws in which a metric is known; NaN where less than two are."""
    known_B = values_B[~np.isnan(values_B)]
    return float(known_B.std(ddof=1)) if known_B.size > 1 else float("nan")
