"""Post-processing settings: a threshold and a median window for each class, and the decoding of frame scores
by them.

As JSON: `{"threshold": {"Speech": 0.4, ...}, "median_window": {"Speech": 9, ...}}`; classes that are
left out keep the checkpoint's own. Ten classes of 24 h decode in 1 s, one class at a time.
"""

import difflib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from raysed.config.trial import PostProcessing
from raysed.evaluation.detections.postprocess import median_filter, regions

FIELDS = ("threshold", "median_window")


@dataclass(frozen=True)
class ClassPostProcessing:
    """Post-processing of K classes."""

    classes: tuple[str, ...]
    threshold: tuple[float, ...]
    median_window: tuple[int, ...]
    """Output frames, odd; 1 means no filter."""

    @classmethod
    def uniform(cls, classes: Sequence[str], postprocessing: PostProcessing) -> Self:
        """Make the same settings for every class, as a trial configures them."""
        count = len(classes)
        return cls(
            tuple(classes),
            (postprocessing.threshold,) * count,
            (postprocessing.median_window,) * count,
        )

    def updated(self, content: Any, source: str) -> Self:
        """Return settings changed by the parsed JSON of a settings file. Raises ValueError naming `source`
        and key.
        """
        if not isinstance(content, Mapping) or not set(content) & set(FIELDS):
            raise ValueError(f"{source}: expected an object with {' or '.join(FIELDS)}")
        settings = self
        for field in FIELDS:
            given = content.get(field, {})
            if not isinstance(given, Mapping):
                raise ValueError(f"{source}: {field} is not an object of classes and numbers")
            for label, value in given.items():
                settings = settings.with_value(field, label, value, source)
        return settings

    def with_value(self, field: str, label: str, value: Any, source: str) -> Self:
        """Return settings with another threshold or median window for one class."""
        self._check_label(label, source)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if field == "threshold" and not (number and 0 < value < 1):
            raise ValueError(f"{source}: threshold of {label} is {value!r}, expected 0 to 1")
        if field == "median_window" and not (
            isinstance(value, int) and number and value > 0 and value % 2
        ):
            raise ValueError(
                f"{source}: median_window of {label} is {value!r}, expected an odd number of frames"
            )
        values = list(getattr(self, field))
        values[self.classes.index(label)] = value
        return replace(self, **{field: tuple(values)})

    def with_thresholds(self, given: Sequence[str]) -> Self:
        """Return settings with command-line thresholds, each `0.4` for all classes or `Speech=0.4`; the last
        one counts.
        """
        settings = self
        for text in given:
            label, _, number = text.rpartition("=")
            try:
                value = float(number)
            except ValueError:
                value = math.nan
            if math.isnan(value):
                raise ValueError(f"--threshold {text}: expected 0.4, or CLASS=0.4")
            for one in [label] if label else self.classes:
                settings = settings.with_value("threshold", one, value, f"--threshold {text}")
        return settings

    def as_json(self) -> dict[str, Any]:
        """Return what `updated` reads."""
        return {
            field: dict(zip(self.classes, getattr(self, field), strict=True)) for field in FIELDS
        }

    def _check_label(self, label: str, source: str) -> None:
        if label not in self.classes:
            close = difflib.get_close_matches(label, self.classes, n=1)
            raise ValueError(
                f"{source}: {label} is not one of the checkpoint's classes "
                f"{', '.join(self.classes)}" + (f"; did you mean {close[0]}?" if close else "")
            )


def smooth(scores_BUK: np.ndarray, settings: ClassPostProcessing) -> np.ndarray:
    """Return each class's running median over the frames of its window, in the scores' dtype; mirrored at the
    ends, as in training's metrics.
    """
    smoothed_BUK = np.empty_like(scores_BUK)
    for window in set(settings.median_window):
        of_K = [k for k, other in enumerate(settings.median_window) if other == window]
        smoothed_BUK[..., of_K] = median_filter(scores_BUK[..., of_K], window)
    return smoothed_BUK


def events(
    smoothed_TK: np.ndarray, edge_T1: np.ndarray, settings: ClassPostProcessing
) -> list[tuple[float, float, str]]:
    """Return (onset, offset, label) in seconds, by onset, of smoothed scores; events of no length are left
    out.

    Scores and thresholds are compared in float16, as training's metrics do.
    """
    found = []
    for k, label in enumerate(settings.classes):
        threshold = float(np.float16(settings.threshold[k]))
        column_1T1 = np.ascontiguousarray(smoothed_TK[None, :, k : k + 1], np.float32)
        _, _, first_E, stop_E = regions(column_1T1, threshold)
        found += [
            (onset, offset, label)
            for onset, offset in zip(
                edge_T1[first_E].tolist(), edge_T1[stop_E].tolist(), strict=True
            )
            if offset > onset
        ]
    return sorted(found, key=lambda event: event[0])


def parse_settings(text: bytes | str, source: str) -> Any:
    """Parse the JSON of a settings file. Raises ValueError naming the file."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{source}: not JSON ({error})") from error
