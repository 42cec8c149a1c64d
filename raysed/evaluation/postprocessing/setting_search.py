"""The counts of every setting of a method on a set, clip by clip, and the choice of one for each class.

Nothing is trained: the grid is a matter of counting. N clips, K classes, S settings, T thresholds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from raysed.evaluation.counts.clip_counts import event_counts, tally
from raysed.evaluation.counts.statistics import PUBLISHED, Parameters, Statistics, collect
from raysed.evaluation.detections.bounding_boxes import BoxSettings
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.postprocess import THRESHOLDS
from raysed.evaluation.metrics.psds import DEFINITIONS
from raysed.evaluation.postprocessing.class_curves import ClassCurves, box_curves
from raysed.evaluation.postprocessing.methods import (
    MEDIAN_WINDOWS,
    FrameSource,
    MedianSettings,
    Method,
    Setting,
    decoders,
    smoothed,
)

GOALS = ("event_f1", "psds1", "psds2")
"""The metrics that a setting can be chosen for; its threshold is always chosen for event F1, since PSDS has none."""
SEARCHED_THRESHOLDS = tuple(point / 100 for point in range(4, 100, 4))
FOLDS = 5


@dataclass(frozen=True)
class OwnSettings:
    """A trial's own post-processing: of equals, the setting and the threshold nearest to it win."""

    threshold: float
    median_window: int


@dataclass(frozen=True)
class Choice:
    """A setting and a threshold for each class, by their places in a search: int (K,), or (N, K) clip by clip."""

    setting: np.ndarray
    threshold: np.ndarray


@dataclass(frozen=True)
class SettingSearch:
    """The settings of one method on one set; whatever a goal needs is counted once, when it is asked for."""

    reference: Reference
    scores: FrameSource
    settings: tuple[Setting, ...]
    thresholds: tuple[float, ...]
    """By their distance to the trial's own."""
    own_threshold: float

    @classmethod
    def of(
        cls, method: Method, reference: Reference, scores: FrameSource, own: OwnSettings
    ) -> "SettingSearch":
        """Return the search of a method; `median` has the trial's own setting alone."""
        mine = MedianSettings(own.median_window)
        settings: Sequence[Setting] = method.settings or (mine,)
        if method.name == "class_median":
            windows = {own.median_window, *MEDIAN_WINDOWS}
            nearest = sorted(windows, key=lambda window: abs(window - own.median_window))
            settings = [MedianSettings(window) for window in nearest]
        thresholds = sorted(
            {*SEARCHED_THRESHOLDS, own.threshold} if method.tuned else {own.threshold},
            key=lambda threshold: abs(threshold - own.threshold),
        )
        return cls(reference, scores, tuple(settings), tuple(thresholds), own.threshold)

    @cached_property
    def f1_counts(self) -> tuple[np.ndarray, np.ndarray]:
        """True positives and detections as int16 (S, T, N, K)."""
        shape = (len(self.settings), len(self.thresholds), *self._n_ref_NK.shape)
        tp_STNK, n_sys_STNK = np.empty(shape, np.int16), np.empty(shape, np.int16)
        for s, decode in enumerate(decoders(self.scores, self.settings)):
            for t, threshold in enumerate(self.thresholds):
                found = event_counts(
                    self.reference,
                    decode(threshold),
                    PUBLISHED.t_collar_s,
                    PUBLISHED.percentage_of_length,
                )
                tp_STNK[s, t], n_sys_STNK[s, t] = found.tp_NK, found.n_sys_NK
        return tp_STNK, n_sys_STNK

    @cached_property
    def _n_ref_NK(self) -> np.ndarray:
        reference = self.reference
        return tally(reference.events, len(reference.filenames), len(reference.classes))

    @cached_property
    def _nearest_P(self) -> np.ndarray:
        """Places of the (setting, threshold) pairs to choose from by their distance to the trial's own; thresholds
        count before settings.
        """
        n_thresholds = len(self.thresholds)
        windows = [each.median_window for each in self.settings if isinstance(each, MedianSettings)]
        if not windows:
            farther_T = [abs(threshold - self.own_threshold) for threshold in self.thresholds]
            return np.argsort(np.tile(farther_T, len(self.settings)), kind="stable")
        pairs = _median_pairs(self.own_threshold, windows[0])
        return np.array(
            [windows.index(w) * n_thresholds + self.thresholds.index(t) for t, w in pairs]
        )

    def f1(self, kept_N: np.ndarray) -> np.ndarray:
        """Return the event-based F1 (S, T, K) on the kept clips (bool); NaN for classes without events there."""
        tp_STK, n_sys_STK = (
            counts[:, :, kept_N].sum(axis=2, dtype=np.int64) for counts in self.f1_counts
        )
        n_ref_K = self._n_ref_NK[kept_N].sum(axis=0, dtype=np.int64)
        f1_STK = 2 * tp_STK / np.maximum(n_sys_STK + n_ref_K, 1)
        return np.where(n_ref_K > 0, f1_STK, np.nan)

    @cached_property
    def _curves(self) -> dict[str, list[ClassCurves]]:
        return {}

    def curves(self, goal: str) -> list[ClassCurves]:
        """Return each setting's curves for a PSDS; they are made once."""
        if goal not in self._curves:
            self._curves[goal] = self._curves_for(goal)
        return self._curves[goal]

    def _curves_for(self, goal: str) -> list[ClassCurves]:
        definition = DEFINITIONS[goal]
        boxes = [each for each in self.settings if isinstance(each, BoxSettings)]
        if boxes:
            return box_curves(self.reference, smoothed(self.scores, 1), boxes, definition)
        return [
            ClassCurves.of_points(
                self.reference, {point: decode(point) for point in THRESHOLDS}, definition
            )
            for decode in decoders(self.scores, self.settings)
        ]

    def choose(self, goal: str, parts: Sequence[np.ndarray]) -> list[Choice]:
        """Return the best choice on each of some parts of the set (bool, (N,)).

        Of equals the one nearest to the trial's own wins; a class without events in a part keeps the first
        setting and the trial's own threshold. Raises ValueError for an unknown goal.
        """
        if goal not in GOALS:
            raise ValueError(f"{goal} is not one of {', '.join(GOALS)}")
        curves = [] if goal == "event_f1" or len(self.settings) == 1 else self.curves(goal)
        return [self._choose(curves, kept_N) for kept_N in parts]

    def _choose(self, curves: list[ClassCurves], kept_N: np.ndarray) -> Choice:
        n_classes = len(self.reference.classes)
        if len(self.settings) == len(self.thresholds) == 1:
            return Choice(np.zeros(n_classes, int), np.zeros(n_classes, int))
        f1_STK = np.nan_to_num(self.f1(kept_N), nan=0.0)
        if curves:
            area_SK = np.stack([each.areas(kept_N) for each in curves])
            setting_K = area_SK.argmax(axis=0)
        else:
            setting_K = self._nearest_P[
                f1_STK.reshape(-1, n_classes)[self._nearest_P].argmax(axis=0)
            ]
            return Choice(*np.divmod(setting_K, len(self.thresholds)))
        chosen_TK = np.take_along_axis(f1_STK, setting_K[None, None], axis=0)[0]
        return Choice(setting_K, chosen_TK.argmax(axis=0))

    def statistics(self, choice: Choice, parameters: Parameters = PUBLISHED) -> Statistics:
        """Return everything counted of the system that decodes as chosen, for each clip or for all alike."""
        shape = len(self.reference.filenames), len(self.reference.classes)
        choice = Choice(*(np.broadcast_to(each, shape) for each in vars(choice).values()))
        own = replace(parameters, threshold=self.own_threshold)
        used = np.unique(choice.setting).tolist()
        decode = dict(
            zip(used, decoders(self.scores, tuple(self.settings[s] for s in used)), strict=True)
        )
        detections = []
        for s, t in sorted(set(zip(choice.setting.flat, choice.threshold.flat, strict=True))):
            chosen_NK = (choice.setting == s) & (choice.threshold == t)
            detections.append(_of_cells(decode[s](self.thresholds[t]), chosen_NK))
        points = {
            point: _joined([_of_cells(decode[s](point), choice.setting == s) for s in used])
            for point in (THRESHOLDS if own.psds else ())
        }
        return collect(self.reference, _joined(detections), points or None, parameters=own)


def _median_pairs(own_threshold: float, own_window: int) -> list[tuple[float, int]]:
    """Return the trial's own threshold and window, and all others by their distance to it.

    Pairs at one distance stand in the set's order, as they always have: another order would choose others where
    F1 is equal, and change results.
    """
    pairs = {(threshold, window) for threshold in SEARCHED_THRESHOLDS for window in MEDIAN_WINDOWS}
    return sorted(
        pairs | {(own_threshold, own_window)},
        key=lambda pair: (abs(pair[0] - own_threshold), abs(pair[1] - own_window)),
    )


def _of_cells(events: Events, chosen_NK: np.ndarray) -> Events:
    """Return the events of the chosen clips and classes."""
    return events.take(chosen_NK[events.clip_E, events.label_E])


def _joined(parts: Sequence[Events]) -> Events:
    """Return the events of all parts, in order."""
    fields = ("clip_E", "label_E", "onset_E", "offset_E")
    return Events.sort(*(np.concatenate([getattr(e, field) for e in parts]) for field in fields))


def folds_of(n_clips: int, folds: int = FOLDS, seed: int = 0) -> np.ndarray:
    """Return int (N,): the fold of each clip (or group), drawn with a fixed seed. Raises ValueError for too few."""
    if n_clips < folds:
        raise ValueError(
            f"{n_clips} clips (or groups) cannot be split into {folds} folds, which cross-fitting takes: judge on a set of"
            " more"
        )
    return np.random.default_rng(seed).permutation(n_clips) % folds


def folds_for(reference: Reference) -> np.ndarray:
    """Return int (N,): the fold of each clip of a set. Clips of one group lie in one fold, so that none has a say in the
    choice for a clip of its own source; of less than FOLDS groups each is a fold. Raises ValueError for too few clips, and
    for one group.
    """
    if reference.groups_N is None:
        return folds_of(len(reference.filenames))
    names, group_N = np.unique(reference.groups_N, return_inverse=True)
    return folds_of(len(names), max(min(FOLDS, len(names)), 2))[group_N]


def cross_fit(search: SettingSearch, goal: str) -> Choice:
    """Return each clip's choice (N, K), made on the clips of the other folds."""
    fold_N = folds_for(search.reference)
    chosen = search.choose(goal, [fold_N != fold for fold in range(FOLDS)])
    return Choice(
        np.stack([each.setting for each in chosen])[fold_N],
        np.stack([each.threshold for each in chosen])[fold_N],
    )
