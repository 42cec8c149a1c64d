"""The PSD-ROC area of every class by itself, on any part of a set: what a class-wise setting is chosen by.

The whole PSDS1 and PSDS2 subtract the spread over classes, so no class has a share of its own in them; its own area
is the field's stand-in. An entry counts at every threshold that is not above its value.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from raysed.evaluation.counts.box_counts import box_hits
from raysed.evaluation.counts.clip_counts import intersection_points, seconds, tally
from raysed.evaluation.counts.intersections import TP
from raysed.evaluation.detections.bounding_boxes import Boxes, BoxSettings, box_candidates
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.metrics.psds import Definition, area, roc_through
from raysed.evaluation.metrics.psds_kernels import HOUR_S


@dataclass(frozen=True)
class ClassEntries:
    """The entries of one class, by falling value."""

    value_E: np.ndarray
    clip_E: np.ndarray
    slot_E: np.ndarray
    """0: a hit, 1: a false alarm, 2 + j: a cross-trigger on class j."""
    change_E: np.ndarray

    def area(
        self, kept_N: np.ndarray, n_hits: float, cost_S: np.ndarray, definition: Definition
    ) -> float:
        """Return the class's area on the kept clips (bool), which hold `n_hits` events of it."""
        kept_E = kept_N[self.clip_E]
        value_E, slot_E, change_E = (
            array[kept_E] for array in (self.value_E, self.slot_E, self.change_E)
        )
        if not value_E.size:
            return 0.0
        last_E = np.append(value_E[1:] != value_E[:-1], True)
        hits_P = np.where(slot_E == TP, change_E, 0).cumsum()[last_E]
        efpr_P = (cost_S[slot_E] * change_E).cumsum()[last_E]
        alone = replace(definition, alpha_st=0.0)
        return area(roc_through([(np.maximum(efpr_P, 0.0), hits_P / n_hits)], alone))


@dataclass(frozen=True)
class ClassCurves:
    """The entries of one system on one set, class by class."""

    reference: Reference
    classes: tuple[ClassEntries, ...]
    definition: Definition

    @classmethod
    def of_boxes(cls, reference: Reference, boxes: Boxes, definition: Definition) -> Self:
        """Return the curves through every confidence."""
        column_E, box_E = box_hits(reference, boxes, definition.criteria).T
        entries = boxes.confidence_E[box_E], boxes.events.clip_E[box_E], np.ones(len(box_E))
        return cls._sorted(reference, column_E, entries, definition)

    @classmethod
    def of_points(
        cls, reference: Reference, points: dict[float, Events], definition: Definition
    ) -> Self:
        """Return the curves through operating points, ascending."""
        values_M = np.array(list(points))
        found = intersection_points(reference, list(points.values()), definition.criteria)
        column_E, clip_E, point_E, change_E = found.entries().T
        # Counts are given as changes from the next lower threshold: all of them count at the highest, and what came
        # at a point does not count below it.
        later_E = point_E > 0
        entries = (
            np.append(np.full(len(point_E), values_M[-1]), values_M[point_E[later_E] - 1]),
            np.append(clip_E, clip_E[later_E]),
            np.append(change_E, -change_E[later_E]),
        )
        return cls._sorted(reference, np.append(column_E, column_E[later_E]), entries, definition)

    @classmethod
    def _sorted(
        cls,
        reference: Reference,
        column_E: np.ndarray,
        entries: tuple[np.ndarray, ...],
        definition: Definition,
    ) -> Self:
        n_classes = len(reference.classes)
        owner_E, slot_E = np.divmod(column_E, n_classes + 2)
        value_E, clip_E, change_E = entries
        order_E = np.lexsort((-value_E, owner_E))
        starts = np.searchsorted(owner_E[order_E], np.arange(n_classes + 1))
        parts = (order_E[starts[k] : starts[k + 1]] for k in range(n_classes))
        classes = tuple(
            ClassEntries(value_E[at], clip_E[at], slot_E[at], change_E[at]) for at in parts
        )
        return cls(reference, classes, definition)

    def areas(self, kept_N: np.ndarray) -> np.ndarray:
        """Return the area of each class (K,) on the kept clips (bool); 0 for a class without events there."""
        reference, definition = self.reference, self.definition
        n_clips, n_classes = len(reference.filenames), len(reference.classes)
        truth = reference.events.positive()
        n_gt_K = tally(truth, n_clips, n_classes)[kept_N].sum(axis=0)
        gt_s_K = seconds(truth, n_clips, n_classes)[kept_N].sum(axis=0)
        set_s = float(np.nansum(reference.durations_s[kept_N]))
        if not set_s > 0:
            return np.zeros(n_classes)
        n_others = max(np.count_nonzero(n_gt_K) - (definition.over == "K-1"), 1)
        cost_K = definition.alpha_ct / n_others * HOUR_S / np.where(n_gt_K > 0, gt_s_K, np.inf)
        cost_S = np.concatenate(([0.0, HOUR_S / set_s], cost_K))
        return np.array(
            [
                entries.area(kept_N, float(n_gt), cost_S, definition) if n_gt else 0.0
                for entries, n_gt in zip(self.classes, n_gt_K, strict=True)
            ]
        )


def box_curves(
    reference: Reference,
    scores: FrameScores,
    settings: Sequence[BoxSettings],
    definition: Definition,
) -> list[ClassCurves]:
    """Return the curves of each setting; the change detection of a step filter runs once."""
    candidates = {
        length_s: box_candidates(scores, length_s)
        for length_s in {setting.step_filter_s for setting in settings}
    }
    merged = (candidates[setting.step_filter_s].merged(setting) for setting in settings)
    return [ClassCurves.of_boxes(reference, boxes, definition) for boxes in merged]
