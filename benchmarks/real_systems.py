"""Real predictions for the benchmarks of metrics and statistics: the DCASE 2020 baseline's 50
operating points on the 1168 validation clips, copies of it that are better or worse, and simulated
sets drawn from its clips.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from raysed.evaluation.counts.clip_counts import Counts, Deltas, PsdsCriteria
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.detections.event_table import read_durations_tsv, read_events_tsv
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores, read_score_folder, score_files
from raysed.evaluation.detections.postprocess import THRESHOLDS

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TRUTH = DATA / "desed_metadata" / "validation" / "validation.tsv"
BASELINE = DATA / "dcase2020_baseline"
BEATS = DATA / "dcase2023_beats"


def read_real() -> tuple[Reference, Events, dict[float, Events]]:
    """Read the ground truth (2022), the detections at 0.5 and those at the 50 operating points."""
    table = read_events_tsv(TRUTH)
    classes = sorted(set(table["event_label"].dropna()))
    reference = Reference.from_frame(table, read_durations_tsv(BASELINE / "durations.tsv"), classes)
    names = reference.filenames
    points = {
        float(path.stem): Events.from_frame(read_events_tsv(path), names, classes)
        for path in sorted((BASELINE / "predictions").glob("*.tsv"))
    }
    default = read_events_tsv(BASELINE / "predictions_default_threshold.tsv")
    return reference, Events.from_frame(default, names, classes), points


def read_real_scores(seed: int = 0) -> tuple[Reference, FrameScores]:
    """Return frame scores whose events at the 50 operating points are the real ones, on frames of 63.75 ms.

    A frame's score is the highest operating point that has it in an event, and between that one and the next a
    smooth random value, so that scores hardly repeat.
    """
    reference, _, points = read_real()
    edges_NT1 = np.arange(158) * 0.06375 + np.zeros((len(reference.filenames), 1))
    scores_NTK = np.zeros((len(edges_NT1), 157, len(reference.classes)), np.float32)
    levels = sorted(points)
    for level in levels:
        events = points[level]
        first_E = np.rint(events.onset_E / 0.06375).astype(int)
        stop_E = np.maximum(np.rint(events.offset_E / 0.06375).astype(int), first_E + 1)
        for clip, label, first, stop in zip(
            events.clip_E, events.label_E, first_E, stop_E, strict=True
        ):
            scores_NTK[clip, first:stop, label] = level
    noise_NTK = np.random.default_rng(seed).random(scores_NTK.shape, np.float32)
    for _ in range(3):
        noise_NTK = (np.roll(noise_NTK, 1, axis=1) + noise_NTK) / 2
    following = np.append(levels[1:], 1.0).astype(np.float32)
    known_NTK = scores_NTK > 0
    place_NTK = np.searchsorted(np.array(levels, np.float32), scores_NTK[known_NTK])
    step = following[place_NTK] - scores_NTK[known_NTK]
    scores_NTK[known_NTK] += step * noise_NTK[known_NTK]
    scores_NTK[~known_NTK] = levels[0] * noise_NTK[~known_NTK]
    return reference, FrameScores(scores_NTK, np.minimum(edges_NT1, 10.0))


def read_beats() -> tuple[Reference, Events, dict[float, Events]]:
    """Read the 12 clips of DCASE 2023's BEATs baseline: ground truth, detections at 0.5 and at the 50 operating points."""
    names = {f"{name}.wav" for name in score_files(BEATS / "scores")}
    table = read_events_tsv(BEATS / "ground_truth.tsv")
    classes = sorted(set(table["event_label"].dropna()))
    table = table.loc[table["filename"].isin(sorted(names))]
    durations_s = read_durations_tsv(BEATS / "audio_durations.tsv")
    reference = Reference.from_frame(table, {name: durations_s[name] for name in names}, classes)
    scores = read_score_folder(BEATS / "scores", reference)
    return reference, scores.decode(0.5), {each: scores.decode(each) for each in THRESHOLDS}


def perturbed_systems(
    count: int,
    drop: Sequence[float],
    real: tuple[Reference, Events, dict[float, Events]] | None = None,
) -> list[Statistics]:
    """Return copies of the real system (default: the baseline of DCASE 2020), which differ as retrained systems do: copy s loses the share
    `drop[s]` of its clip x class cells and moves 30 % of the others by a normal 0.25 s, alike at
    all operating points.
    """
    reference, default, points = real or read_real()
    shape = len(reference.filenames), len(reference.classes)
    systems = []
    for s in range(count):
        rng = np.random.default_rng([5, s])
        kept_NK = rng.random(shape) >= drop[s]
        shift_NK = np.where(rng.random(shape) < 0.3, rng.normal(0, 0.25, shape), 0.0)

        def changed(events: Events, kept_NK=kept_NK, shift_NK=shift_NK) -> Events:  # noqa: ANN001
            kept = events.take(kept_NK[events.clip_E, events.label_E])
            shift_E = shift_NK[kept.clip_E, kept.label_E]
            onset_E = np.maximum(kept.onset_E + shift_E, 0)
            offset_E = np.maximum(kept.offset_E + shift_E, onset_E)
            return Events.sort(kept.clip_E, kept.label_E, onset_E, offset_E)

        moved = {threshold: changed(events) for threshold, events in points.items()}
        systems.append(collect(reference, changed(default), moved))
    return systems


@dataclass(frozen=True)
class Pool:
    """S systems on N clips, ready for simulated sets to be drawn from them."""

    systems: list[Statistics]
    criteria: PsdsCriteria | None
    entry_E4: np.ndarray
    """Changes of the PSDS counts sorted by row = system * N + clip."""
    start_R: np.ndarray
    tp_RK: np.ndarray
    n_sys_RK: np.ndarray
    n_ref_RK: np.ndarray

    @classmethod
    def of(cls, systems: list[Statistics], criteria: PsdsCriteria | None) -> "Pool":
        """Make the pool with the counts of one criteria set, or None for F1 alone."""
        n_clips = systems[0].n_clips
        parts = []
        for s, statistics in enumerate(systems):
            if criteria is None:
                break
            entry_E4 = statistics.psds[criteria].entries()
            entry_E4[:, 1] += s * n_clips
            parts.append(entry_E4)
        entry_E4 = np.concatenate(parts or [np.zeros((0, 4), np.int32)])
        entry_E4 = entry_E4[np.argsort(entry_E4[:, 1], kind="stable")]
        rows = np.arange(len(systems) * n_clips + 1)
        counts = (
            np.concatenate([getattr(statistics.event, field) for statistics in systems])
            for field in ("tp_NK", "n_sys_NK", "n_ref_NK")
        )
        return cls(systems, criteria, entry_E4, np.searchsorted(entry_E4[:, 1], rows), *counts)

    def draw(self, key: str, clip_I: np.ndarray, system_I: np.ndarray) -> Statistics:
        """Return a simulated set whose clip i is clip `clip_I[i]` as detected by system `system_I[i]`."""
        first = self.systems[0]
        row_I = system_I * first.n_clips + clip_I
        length_I = self.start_R[row_I + 1] - self.start_R[row_I]
        instance_E = np.repeat(np.arange(len(row_I)), length_I)
        offset_E = np.arange(instance_E.size) - np.repeat(np.cumsum(length_I) - length_I, length_I)
        entry_E4 = self.entry_E4[self.start_R[row_I][instance_E] + offset_E]
        entry_E4[:, 1] = instance_E
        entry_E4 = entry_E4[np.argsort(entry_E4[:, 0].astype(np.int16), kind="stable")]
        event = Counts(
            *(array_RK[row_I] for array_RK in (self.tp_RK, self.n_sys_RK, self.n_ref_RK))
        )
        return replace(
            first,
            key=key,
            filenames=tuple(map(str, range(len(clip_I)))),
            durations_s=first.durations_s[clip_I],
            n_gt_NK=first.n_gt_NK[clip_I],
            gt_s_NK=first.gt_s_NK[clip_I],
            event=event,
            psds={self.criteria: Deltas.of_sorted(entry_E4)} if self.criteria else {},
        )
