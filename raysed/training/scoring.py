"""A set by its frame scores, which are stored as float16 Arrow: enough for any threshold or metric later.

Reports read scores, too, so torch is not imported here. Reported metrics come from the stored float16 values. N clips, U output frames, K classes.
"""

import io
import json
from dataclasses import asdict

import numpy as np
import pyarrow as pa

from raysed.config.data_job import Features
from raysed.config.trial import PostProcessing
from raysed.data.features.store import FeatureSet
from raysed.data.labels import hard
from raysed.data.lengths import unheard_from_s
from raysed.data.windows import Grid
from raysed.evaluation.counts.clip_counts import tag_counts
from raysed.evaluation.counts.statistics import Parameters, Statistics, collect, collect_scores
from raysed.evaluation.detections.baselines import always_on, permuted_clips
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.postprocess import THRESHOLDS
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.evaluation.metrics.event_f1 import macro_f1 as counts_f1
from raysed.training.scores import Scores, found_events

# The errors of Arrow for bytes of another format, and of Python for tables of another kind.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OSError)


def reference_of(feature_set: FeatureSet) -> Reference:
    """Return the ground truth of a strongly labelled set, one clip for each recording, of the classes that it annotates.

    Of soft labels, those above 0.5 count. Of a clip that was cut a little, events that begin after the cut are left out: nothing could hear them.
    """
    clip, label, onset, offset = [], [], [], []
    classes = feature_set.scored_classes
    first_R = feature_set.recordings
    rows_R = np.diff([*first_R, len(feature_set)])
    for index, n in enumerate(first_R):
        events = feature_set.events[n]
        if events is None:
            raise ValueError(
                f"{feature_set.name}: clip {feature_set.filenames[n]} has no strong labels,"
                " so nothing can be scored against it"
            )
        heard_s = heard_until_s(
            float(feature_set.durations_s[n]), int(rows_R[index]), feature_set.features
        )
        for event in hard(events):
            if event.onset >= heard_s or event.event_label not in classes:
                continue
            clip.append(index)
            label.append(classes.index(event.event_label))
            onset.append(event.onset)
            offset.append(event.offset)
    return Reference(
        filenames=tuple(feature_set.filenames[n] for n in first_R),
        durations_s=feature_set.durations_s[first_R],
        classes=classes,
        events=Events.sort(*map(np.asarray, (clip, label, onset, offset))),
    )


def heard_until_s(duration_s: float, rows: int, features: Features) -> float:
    """Return the second from which on nothing of a recording is in its so many rows; infinity where all of it is."""
    return np.inf if rows > 1 else unheard_from_s(duration_s, features)


def strong_macro_f1(scores: Scores, reference: Reference, postprocessing: PostProcessing) -> float:
    """Return the event-based macro-F1 at the configured threshold, which selects the epoch."""
    parameters = Parameters(threshold=postprocessing.threshold, psds=())
    return float(event_f1(_collect(scores, reference, postprocessing, parameters))[0][0])


def weak_macro_f1(scores: Scores, feature_set: FeatureSet, threshold: float) -> float:
    """Return the clip-level macro-F1 of a weakly labelled set."""
    present_NK = feature_set.weak_NK
    assert present_NK is not None, "checked before training"
    present_NK = present_NK[:, feature_set.annotated_K]
    present_RK = np.maximum.reduceat(present_NK, feature_set.recordings)
    return float(counts_f1(tag_counts(present_RK, scores.weak_RK >= threshold))[0][0])


def statistics_of(
    scores: Scores, reference: Reference, postprocessing: PostProcessing
) -> Statistics:
    """Return per-clip statistics at the default threshold and at the 50 operating points of PSDS."""
    return _collect(
        scores, reference, postprocessing, Parameters(threshold=postprocessing.threshold)
    )


def _collect(
    scores: Scores, reference: Reference, postprocessing: PostProcessing, parameters: Parameters
) -> Statistics:
    assert tuple(scores.filenames[n] for n in scores.recordings) == reference.filenames
    if scores.starts is not None:
        threshold = parameters.threshold
        wanted = {threshold, *(THRESHOLDS if parameters.psds else ())}
        points = found_events(scores, sorted(wanted), postprocessing.median_window)
        graded = {t: points[t] for t in THRESHOLDS} if parameters.psds else None
        return collect(reference, points[threshold], graded, parameters=parameters)
    return collect_scores(
        reference,
        scores.scores_NUK,
        median_window=postprocessing.median_window,
        frame_s=scores.frame_s,
        parameters=parameters,
    )


def baseline_statistics(
    scores: Scores, reference: Reference, postprocessing: PostProcessing
) -> dict[str, Statistics]:
    """Return the event F1 counts of two baselines that have learnt nothing: every class always on, and clips
    permuted.
    """
    threshold = postprocessing.threshold
    found = found_events(scores, (threshold,), postprocessing.median_window)[threshold]
    parameters = Parameters(threshold=postprocessing.threshold, psds=())
    systems = {
        "always_on": always_on(reference),
        "permuted": permuted_clips(found, len(reference.filenames), seed=0),
    }
    return {
        name: collect(reference, events, None, parameters=parameters)
        for name, events in systems.items()
    }


def encode_statistics(statistics: Statistics) -> bytes:
    """Return the content of a statistics file."""
    buffer = io.BytesIO()
    statistics.save(buffer)
    return buffer.getvalue()


def encode_scores(scores: Scores) -> bytes:
    """Return Arrow IPC with one row a clip, scores in float16.

    Columns: filename, duration, frame scores (U * K, frame-major), clip scores (K); of sets with long recordings also
    the first sample of each row's window.
    """
    _, frames, classes = scores.scores_NUK.shape
    values = pa.array(scores.scores_NUK.reshape(-1), pa.float16())
    columns = {
        "filename": list(scores.filenames),
        "duration_s": scores.durations_s,
        "scores": pa.FixedSizeListArray.from_arrays(values, frames * classes),
        "weak": pa.FixedSizeListArray.from_arrays(
            pa.array(scores.weak_NK.reshape(-1), pa.float16()), classes
        ),
    }
    metadata = {
        "classes": "\t".join(scores.classes),
        "frame_s": repr(scores.frame_s),
        "frames": str(frames),
    }
    if scores.grid is not None:
        columns["start"] = scores.starts
        metadata["grid"] = json.dumps(asdict(scores.grid))
    table = pa.table(columns).replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def decode_scores(content: bytes, path: str) -> Scores:
    """Return what `encode_scores` wrote. Raises ValueError naming `path` for content that is damaged or of
    another kind.
    """
    try:
        table = pa.ipc.open_file(content).read_all()
        metadata = {
            key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()
        }
        classes = tuple(metadata["classes"].split("\t"))
        shape = (len(table), int(metadata["frames"]), len(classes))
        return Scores(
            filenames=tuple(table["filename"].to_pylist()),
            durations_s=table["duration_s"].to_numpy(),
            classes=classes,
            frame_s=float(metadata["frame_s"]),
            scores_NUK=_values(table, "scores").reshape(shape),
            weak_NK=_values(table, "weak").reshape(shape[0], shape[2]),
            starts=table["start"].to_numpy() if "grid" in metadata else None,
            grid=Grid(**json.loads(metadata["grid"])) if "grid" in metadata else None,
        )
    except _UNREADABLE as error:
        raise ValueError(f"{path}: not whole scores of raysed ({error})") from error


def _values(table: pa.Table, column: str) -> np.ndarray:
    return table[column].combine_chunks().values.to_numpy(zero_copy_only=False)
