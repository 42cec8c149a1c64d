"""The field's packages, called as the published system does, and random sets to compare on."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import sed_eval
from hypothesis import strategies as st
from psds_eval import PSDSEval
from psds_eval.psds import RatesPerClass

from raysed.evaluation.detections.events import Events, Reference

CLASSES = ("Cat", "Dog", "Speech")


@dataclass(frozen=True)
class Case:
    """A reference and the detections of a few operating points on it."""

    reference: Reference
    points: dict[float, Events]


class AnyEvents(PSDSEval):
    """psds_eval without its refusal of same-class overlaps: the second oracle for such sets."""

    def _validate_input_table_with_events(self, df: pd.DataFrame, name: str) -> None:
        self._validate_simple_dataframe(df, self.detection_cols, name, allow_empty=True)


class OverK(AnyEvents):
    """psds_eval as of 0.3.0: cross-trigger rates averaged over K, a class's own 0 included."""

    def _effective_fp_rate(self, alpha_ct: float = 0.0) -> RatesPerClass:
        rates = super()._effective_fp_rate(alpha_ct)
        mean_over_k = np.nansum(rates.ct_rate, axis=1) / len(rates.ct_rate)
        return rates._replace(effective_fp_rate=rates.fp_rate + alpha_ct * mean_over_k)


def evaluator(
    case: Case, *, cls: type[PSDSEval] = AnyEvents, criteria: tuple = (0.5, 0.5, 0.3)
) -> PSDSEval:
    """psds_eval with the case's ground truth; clips whose duration is unknown have no metadata."""
    reference = case.reference
    metadata = pd.DataFrame(
        {"filename": reference.filenames, "duration": reference.durations_s}
    ).dropna()
    dtc, gtc, cttc = criteria
    return cls(
        dtc_threshold=dtc,
        gtc_threshold=gtc,
        cttc_threshold=0.3 if cttc is None else cttc,
        ground_truth=frame(reference.events, reference),
        metadata=metadata,
    )


def psds_eval_score(
    case: Case,
    *,
    cls: type[PSDSEval] = AnyEvents,
    criteria: tuple = (0.5, 0.5, 0.3),
    alpha_ct: float = 0.0,
    alpha_st: float = 0.0,
    max_efpr: float = 100.0,
) -> float:
    """PSDS by psds_eval."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = evaluator(case, cls=cls, criteria=criteria)
        for events in case.points.values():
            oracle.add_operating_point(frame(events, case.reference))
        return oracle.psds(alpha_ct=alpha_ct, alpha_st=alpha_st, max_efpr=max_efpr).value


def sed_eval_f1(
    case: Case, events: Events, *, collar_s: float = 0.2, share: float = 0.2
) -> tuple[float, list[float]]:
    """Macro and per-class event-based F1 by sed_eval, clip by clip as DESED's baseline feeds it."""
    metric = sed_eval.sound_event.EventBasedMetrics(
        event_label_list=list(case.reference.classes),
        t_collar=collar_s,
        percentage_of_length=share,
        empty_system_output_handling="zero_score",
    )
    return _sed_eval(metric, case, events)


def sed_eval_segment_f1(
    case: Case, events: Events, *, segment_s: float = 1.0
) -> tuple[float, list[float]]:
    """Macro and per-class segment-based F1 by sed_eval.

    Here it has no "zero_score": a class of which the system says nothing is NaN and left out. Such
    a class is set to 0, as for events. Clips are as long as their durations say, where these are known.
    """
    metric = sed_eval.sound_event.SegmentBasedMetrics(
        event_label_list=list(case.reference.classes), time_resolution=segment_s
    )
    _, per_class = _sed_eval(metric, case, events, with_length=True)
    silent = [metric.class_wise[label]["Nsys"] == 0 for label in case.reference.classes]
    named = [metric.class_wise[label]["Nref"] > 0 for label in case.reference.classes]
    per_class = np.where(np.array(silent) & np.array(named), 0.0, per_class)
    known = per_class[~np.isnan(per_class)]
    return (float(known.mean()) if len(known) else np.nan), list(per_class)


def _sed_eval(
    metric: sed_eval.sound_event.SoundEventMetrics,
    case: Case,
    events: Events,
    *,
    with_length: bool = False,
) -> tuple[float, list[float]]:
    reference = case.reference
    tables = [frame(which, reference) for which in (reference.events, events)]
    for filename, duration_s in zip(reference.filenames, reference.durations_s, strict=True):
        length = {"evaluated_length_seconds": duration_s} if with_length and duration_s > 0 else {}
        rows = [
            table[table.filename == filename].to_dict("records") or [{"filename": filename}]
            for table in tables
        ]
        metric.evaluate(*rows, **length)
    per_class = [metric.class_wise_f_measure(label)["f_measure"] for label in reference.classes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return metric.results_class_wise_average_metrics()["f_measure"]["f_measure"], per_class


def frame(events: Events, reference: Reference) -> pd.DataFrame:
    """A table as the packages want it, with the right dtypes also where it is empty."""
    table = events.to_frame(reference.filenames, reference.classes)
    return table.astype(
        {"filename": object, "onset": float, "offset": float, "event_label": object}
    )


def resample(case: Case, weights_N: np.ndarray) -> Case:
    """The same case with each clip as often as it was drawn, under new names."""
    clip_R = np.repeat(np.arange(len(weights_N)), weights_N)
    reference = case.reference
    names = tuple(f"{row:05d}.wav" for row in range(len(clip_R)))
    durations_s = reference.durations_s[clip_R]
    moved = {threshold: _repeat(events, clip_R) for threshold, events in case.points.items()}
    return Case(
        Reference(names, durations_s, reference.classes, _repeat(reference.events, clip_R)), moved
    )


def random_case(
    seed: int, *, n_clips: int = 12, n_points: int = 5, n_classes: int = 3, n_events: int = 6
) -> Case:
    """A detector of mixed quality: noisy copies of the events and inventions, scored."""
    rng = np.random.default_rng(seed)
    names = tuple(f"clip{n:04d}.wav" for n in range(n_clips))
    durations_s = np.round(rng.uniform(3.0, 10.0, n_clips), 2)
    truth = _random_events(rng, n_clips * n_events // 2, durations_s, n_classes)
    noise = _random_events(rng, n_clips * n_events // 2, durations_s, n_classes)
    shift_E2 = rng.normal(0, 0.2, (len(truth), 2))
    onset_E = np.maximum(truth.onset_E + shift_E2[:, 0], 0)
    offset_E = np.maximum(truth.offset_E + shift_E2[:, 1], onset_E + 0.01)
    score_E = np.concatenate((rng.beta(3, 1.5, len(truth)), rng.beta(1.5, 3, len(noise))))
    clip_E, label_E, onset_E, offset_E = (
        np.concatenate(pair)
        for pair in (
            (truth.clip_E, noise.clip_E),
            (truth.label_E, noise.label_E),
            (onset_E, noise.onset_E),
            (offset_E, noise.offset_E),
        )
    )
    points = {}
    for threshold in np.linspace(0.05, 0.95, n_points).round(4):
        keep_E = score_E >= threshold
        late_E = onset_E + 0.2 * threshold * (offset_E - onset_E)
        points[float(threshold)] = Events.sort(
            clip_E[keep_E], label_E[keep_E], late_E[keep_E], offset_E[keep_E]
        )
    classes = tuple(f"class{k}" for k in range(n_classes))
    return Case(Reference(names, durations_s, classes, truth), points)


@st.composite
def cases(draw: st.DrawFn, max_points: int = 3) -> Case:
    """Few events on a coarse grid: they touch, repeat, overlap, have no length, pass the end."""
    n_clips = draw(st.integers(1, 3))
    durations_s = draw(
        st.lists(st.sampled_from([1.0, 1.5, 2.0]), min_size=n_clips, max_size=n_clips)
    )
    names = tuple(f"clip{n}.wav" for n in range(n_clips))
    truth = draw(_grid_events(n_clips))
    points = {
        0.1 * (m + 1): draw(_grid_events(n_clips)) for m in range(draw(st.integers(1, max_points)))
    }
    return Case(Reference(names, np.array(durations_s), CLASSES, truth), points)


@st.composite
def _grid_events(draw: st.DrawFn, n_clips: int) -> Events:
    event = st.tuples(
        st.integers(0, n_clips - 1),
        st.integers(0, len(CLASSES) - 1),
        st.integers(0, 22),
        st.integers(0, 12),
    )
    table = np.array(draw(st.lists(event, max_size=10)), dtype=np.int64).reshape(-1, 4)
    onset_E = table[:, 2] / 10
    return Events.sort(table[:, 0], table[:, 1], onset_E, (table[:, 2] + table[:, 3]) / 10)


def _random_events(
    rng: np.random.Generator, count: int, durations_s: np.ndarray, n_classes: int
) -> Events:
    """Random events without same-class overlap, to 1 ms; some are long."""
    clip_E = rng.integers(len(durations_s), size=count)
    label_E = rng.integers(n_classes, size=count)
    onset_E = np.round(rng.uniform(0, durations_s[clip_E]), 3)
    offset_E = np.round(onset_E + rng.exponential(1.5, count) + 0.05, 3)
    return without_overlap(Events.sort(clip_E, label_E, onset_E, offset_E))


def without_overlap(events: Events) -> Events:
    """Drop each event that overlaps an earlier one of its class."""
    end_s: dict[tuple[int, int], float] = {}
    keep_E = np.zeros(len(events), dtype=bool)
    for e in range(len(events)):
        place = (int(events.clip_E[e]), int(events.label_E[e]))
        keep_E[e] = events.onset_E[e] >= end_s.get(place, -1.0)
        if keep_E[e]:
            end_s[place] = float(events.offset_E[e])
    return events.take(keep_E)


def _repeat(events: Events, clip_R: np.ndarray) -> Events:
    rows = [np.flatnonzero(events.clip_E == clip) for clip in clip_R]
    row_E = np.concatenate(rows) if rows else np.zeros(0, dtype=int)
    new_clip_E = np.repeat(np.arange(len(clip_R)), [len(row) for row in rows])
    return Events.sort(
        new_clip_E, events.label_E[row_E], events.onset_E[row_E], events.offset_E[row_E]
    )
