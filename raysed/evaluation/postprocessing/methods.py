"""The ways from frame scores to events: the one place where a way of post-processing is added.

A method is a list of settings, of which each class gets the one that serves it best; a setting turns scores into
events at any threshold. All work on stored scores: no training knows of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from raysed.evaluation.detections.bounding_boxes import BoxSettings, box_candidates
from raysed.evaluation.detections.events import Events
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.hysteresis import hysteresis
from raysed.evaluation.detections.postprocess import median_filter


class MedianSettings(NamedTuple):
    """A running median of the scores before the threshold."""

    median_window: int
    """Frames, odd; 1: none."""


class HysteresisSettings(NamedTuple):
    """A high threshold that begins an event and a low one that ends it, after a running median."""

    low_share: float
    """The low threshold as a share of the high one."""
    median_window: int = 1


Setting = MedianSettings | HysteresisSettings | BoxSettings
FrameSource = FrameScores | Callable[[int], FrameScores]
"""Scores, or what gives them after a running median of so many frames: long recordings filter each window alone."""
Decoder = Callable[[float], Events]
"""The events of all classes at a threshold."""

STEP_FILTERS_S, MERGES_ABS, MERGES_REL = (0.32, 0.48, 0.64), (0.15, 0.2, 0.3), (1.5, 2.0, 3.0)
"""The grid that the paper on bounding boxes searches, all its combinations."""
BOX_GRID = tuple(BoxSettings(*three) for three in product(STEP_FILTERS_S, MERGES_ABS, MERGES_REL))
MEDIAN_WINDOWS = (1, 3, 5, 7, 11, 15, 21, 31)
LOW_SHARES, HYSTERESIS_WINDOWS = (0.25, 0.5, 0.75), (1, 3, 7)


@dataclass(frozen=True)
class Method:
    """A way of post-processing: the settings among which it is tuned."""

    name: str
    title: str
    settings: tuple[Setting, ...] = ()
    """Empty for the trial's own, which is not tuned."""

    @property
    def tuned(self) -> bool:
        """Tell whether anything of it is chosen, the threshold included."""
        return len(self.settings) > 1


_ALL = (
    Method("raw", "raw scores", (MedianSettings(1),)),
    Method("median", "median filter, as trained"),
    Method("class_median", "class-wise median", tuple(map(MedianSettings, MEDIAN_WINDOWS))),
    Method(
        "hysteresis",
        "hysteresis",
        tuple(HysteresisSettings(*pair) for pair in product(LOW_SHARES, HYSTERESIS_WINDOWS)),
    ),
    Method("boxes", "bounding boxes", BOX_GRID),
)
METHODS = {method.name: method for method in _ALL}


def decoders(scores: FrameSource, settings: tuple[Setting, ...]) -> list[Decoder]:
    """Return what turns a threshold into events for each setting; filters that several share run once."""
    shared: dict[Any, Any] = {}

    def once(key: Any, make: Callable[[], Any]) -> Any:
        if key not in shared:
            shared[key] = make()
        return shared[key]

    return [_decoder(scores, setting, once) for setting in settings]


def _decoder(scores: FrameSource, setting: Setting, once: Callable[..., Any]) -> Decoder:
    if isinstance(setting, BoxSettings):
        length_s = setting.step_filter_s
        plain = once(("median", 1), lambda: smoothed(scores, 1))
        candidates = once(("step", length_s), lambda: box_candidates(plain, length_s))
        boxes = candidates.merged(setting)
        n_classes = plain.scores_NTK.shape[2]
        return lambda threshold: boxes.above(np.full(n_classes, threshold))
    window = setting.median_window
    smooth = once(("median", window), lambda: smoothed(scores, window))
    if isinstance(setting, HysteresisSettings):
        share = setting.low_share
        return lambda threshold: hysteresis(smooth, threshold, share * threshold)
    return smooth.decode


def smoothed(scores: FrameSource, median_window: int) -> FrameScores:
    """Return the running median of the scores, in their own precision."""
    if not isinstance(scores, FrameScores):
        return scores(median_window)
    if median_window == 1:
        return scores
    filtered_NTK = median_filter(scores.scores_NTK, median_window)
    return FrameScores(filtered_NTK.astype(scores.scores_NTK.dtype), scores.edges_NT1)
