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
from raysed.evaluation.detections.bounding_boxes import (
    PUBLISHED_BOXES,
    BoxSettings,
    bounding_boxes,
)
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.hysteresis import hysteresis
from raysed.evaluation.detections.postprocess import median_filter, regions
from raysed.evaluation.postprocessing.methods import HysteresisSettings, Setting

FIELDS = ("threshold", "median_window")
PredictedEvent = tuple[Any, ...]
"""Onset, offset, label; a box has a confidence, too."""


@dataclass(frozen=True)
class ClassPostProcessing:
    """Post-processing of K classes."""

    classes: tuple[str, ...]
    threshold: tuple[float, ...]
    median_window: tuple[int, ...]
    """Output frames, odd; 1 means no filter."""
    low_share: tuple[float, ...] | None = None
    """Hysteresis: the threshold at which an event ends, as a share of the one that begins it."""
    boxes: tuple[BoxSettings, ...] | None = None
    """Bounding boxes: how each class's are found; the threshold is one of their confidence."""

    @property
    def method(self) -> str:
        """The way of post-processing: median, hysteresis or boxes."""
        if self.boxes is not None:
            return "boxes"
        return "median" if self.low_share is None else "hysteresis"

    def __str__(self) -> str:
        """Return one line for people: the method, and each number or the range that the classes have."""
        numbers = {
            name: list(of.values()) for name, of in self.as_json().items() if name != "method"
        }
        if self.boxes is not None:
            del numbers["median_window"]
        spans = (
            f"{name} {min(values):g}" + (f" to {max(values):g}" if len({*values}) > 1 else "")
            for name, values in numbers.items()
        )
        return f"{self.method}, {', '.join(spans)}"

    def of_class(self, k: int) -> str:
        """Return what one class gets, for people."""
        text = f"threshold {self.threshold[k]:g}"
        if self.boxes is not None:
            box = self.boxes[k]
            return f"{text}, boxes of step {box.step_filter_s:g} s, merged below {box.merge_abs:g} and x {box.merge_rel:g}"
        if self.low_share is not None:
            text += f", down to {self.low_share[k]:g} of it"
        return f"{text}, median window {self.median_window[k]}"

    def with_chosen(self, chosen: Mapping[str, tuple[Setting, float]]) -> Self:
        """Return what a search chose: a setting of one method and a threshold for each class."""
        settings, thresholds = zip(*(chosen[label] for label in self.classes), strict=True)
        found = replace(self, threshold=tuple(thresholds), low_share=None, boxes=None)
        if isinstance(settings[0], BoxSettings):
            return replace(found, median_window=(1,) * len(self.classes), boxes=tuple(settings))
        found = replace(found, median_window=tuple(each.median_window for each in settings))
        if isinstance(settings[0], HysteresisSettings):
            found = replace(found, low_share=tuple(each.low_share for each in settings))
        return found

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
        settings = self._of_method(content, source)
        for field in FIELDS:
            given = content.get(field, {})
            if not isinstance(given, Mapping):
                raise ValueError(f"{source}: {field} is not an object of classes and numbers")
            for label, value in given.items():
                settings = settings.with_value(field, label, value, source)
        return settings

    def _of_method(self, content: Mapping[str, Any], source: str) -> Self:
        """Return settings of the method that a settings file names, with its numbers of each class."""
        method = content.get("method", self.method)
        if method == "median":
            return replace(self, low_share=None, boxes=None)
        if method == "hysteresis":
            shares = self.low_share or (0.5,) * len(self.classes)
            given = self._numbers(content, "low_share", shares, source)
            if not all(0 < share <= 1 for share in given):
                raise ValueError(
                    f"{source}: low_share is a share of the threshold, expected 0 to 1"
                )
            return replace(self, low_share=given, boxes=None)
        if method != "boxes":
            raise ValueError(
                f"{source}: method is {method!r}, expected median, hysteresis or boxes"
            )
        before = self.boxes or (PUBLISHED_BOXES,) * len(self.classes)
        columns = [
            self._numbers(content, name, tuple(getattr(each, name) for each in before), source)
            for name in BoxSettings._fields
        ]
        boxes = tuple(BoxSettings(*row) for row in zip(*columns, strict=True))
        for label, each in zip(self.classes, boxes, strict=True):
            try:
                each.check()
            except ValueError as error:
                raise ValueError(f"{source}: {label}: {error}") from error
        return replace(self, low_share=None, boxes=boxes)

    def _numbers(
        self, content: Mapping[str, Any], field: str, before: tuple[float, ...], source: str
    ) -> tuple[float, ...]:
        """Return one number for each class, those of before where none is given."""
        given = content.get(field, {})
        if not isinstance(given, Mapping):
            raise ValueError(f"{source}: {field} is not an object of classes and numbers")
        values = dict(zip(self.classes, before, strict=True))
        for label, value in given.items():
            self._check_label(label, source)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{source}: {field} of {label} is {value!r}, expected a number")
            values[label] = float(value)
        return tuple(values.values())

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
        found: dict[str, Any] = {"method": self.method}
        columns = {field: getattr(self, field) for field in FIELDS}
        if self.low_share is not None:
            columns["low_share"] = self.low_share
        if self.boxes is not None:
            columns |= {
                name: [getattr(each, name) for each in self.boxes] for name in BoxSettings._fields
            }
        for field, values in columns.items():
            found[field] = dict(zip(self.classes, values, strict=True))
        return found

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
    if settings.method == "boxes":
        return scores_BUK
    smoothed_BUK = np.empty_like(scores_BUK)
    for window in set(settings.median_window):
        of_K = [k for k, other in enumerate(settings.median_window) if other == window]
        smoothed_BUK[..., of_K] = median_filter(scores_BUK[..., of_K], window)
    return smoothed_BUK


def events(
    smoothed_TK: np.ndarray, edge_T1: np.ndarray, settings: ClassPostProcessing
) -> list[PredictedEvent]:
    """Return (onset, offset, label) in seconds, by onset, of smoothed scores; events of no length are left
    out. Boxes have their confidence as a fourth.

    Scores and thresholds are compared in float16, as training's metrics do; confidences in float64.
    """
    if settings.method != "median":
        return _other_events(smoothed_TK, edge_T1, settings)
    found: list[PredictedEvent] = []
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


def _other_events(
    scores_TK: np.ndarray, edge_T1: np.ndarray, settings: ClassPostProcessing
) -> list[PredictedEvent]:
    """Return the events of hysteresis or of bounding boxes, over the whole recording."""
    found: list[PredictedEvent] = []
    for k, label in enumerate(settings.classes):
        scores = FrameScores(
            np.ascontiguousarray(scores_TK[None, :, k : k + 1]), np.asarray(edge_T1)[None]
        )
        threshold = settings.threshold[k]
        if settings.boxes is not None:
            boxes = bounding_boxes(scores, settings.boxes[k])
            boxes = boxes.take(boxes.confidence_E >= threshold)
            columns = (boxes.events.onset_E, boxes.events.offset_E, boxes.confidence_E)
            rows = zip(*(column.tolist() for column in columns), strict=True)
            found += [(onset, offset, label, confidence) for onset, offset, confidence in rows]
        else:
            assert settings.low_share is not None, "the other method"
            events = hysteresis(scores, threshold, settings.low_share[k] * threshold)
            rows = zip(events.onset_E.tolist(), events.offset_E.tolist(), strict=True)
            found += [(onset, offset, label) for onset, offset in rows]
    return sorted(found, key=lambda event: event[0])


def parse_settings(text: bytes | str, source: str) -> Any:
    """Parse the JSON of a settings file. Raises ValueError naming the file."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{source}: not JSON ({error})") from error
