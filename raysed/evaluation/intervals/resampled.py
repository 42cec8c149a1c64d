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

    def column(self, place: int | slice) -> "Resampled":
        """Return one place, or some, of the last axis."""
        return Resampled(*(array[..., place] for array in vars(self).values()))
