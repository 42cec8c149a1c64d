"""Per-clip sufficient statistics: everything that any metric, interval or test needs, without the
detections.

A metric of any resample of clips is a function of weighted sums of these counts, so a trial stores
them once (about 100 kB for 1168 clips, 50 operating points and three criteria sets) and intervals,
tests and corrections are computed later.
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from raysed import __version__
from raysed.evaluation.counts.clip_counts import (
    PAPER,
    PSDS1,
    PSDS2,
    Counts,
    Deltas,
    PsdsCriteria,
    event_counts,
    intersection_counts,
    intersection_points,
    seconds,
    segment_counts,
    tag_counts,
    tally,
)
from raysed.evaluation.counts.scored import Scored
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.postprocess import THRESHOLDS, decode, decode_points
from raysed.evaluation.detections.score_parts import threads_for
from raysed.package_version import version_of

STATISTICS_FORMAT = 2
"""Version of the stored layout; 2 added segments."""

COUNTED = ("event", "intersection", "segment", "tagging")
"""Counts at the default threshold, each behind one F1."""

PACKAGES = ("numpy", "numba")  # beside raysed itself, which need not be installed


@dataclass(frozen=True)
class Parameters:
    """The parameters that decide the counts; the defaults are the published system's."""

    threshold: float = 0.5
    """Threshold of the detections behind event, intersection, segment and tagging F1."""
    t_collar_s: float = 0.2
    percentage_of_length: float = 0.2
    segment_s: float = 1.0
    intersection: PsdsCriteria = PAPER
    psds: tuple[PsdsCriteria, ...] = (PAPER, PSDS1, PSDS2)


PUBLISHED = Parameters()


@dataclass(frozen=True)
class Statistics:
    """The counts of one system on one evaluation set of N clips and K classes."""

    key: str
    """`Reference.key`: systems with equal keys can be compared, and share their bootstrap draws."""
    filenames: tuple[str, ...]
    classes: tuple[str, ...]
    durations_s: np.ndarray
    n_gt_NK: np.ndarray
    """int32: events of positive length, which are what PSDS counts."""
    gt_s_NK: np.ndarray
    """float64: their seconds, each event in full."""
    thresholds: tuple[float, ...]
    """The M operating points of `psds`, ascending."""
    parameters: Parameters
    event: Counts
    intersection: Counts
    segment: Counts
    tagging: Counts
    psds: dict[PsdsCriteria, Deltas]
    evaluated_s: float | None = None
    """Seconds of audio by which false positives are divided; None: the seconds of the drawn clips."""
    groups_N: np.ndarray | None = None
    """The number of the source of each clip: intervals and tests then draw sources. It is not stored."""
    scored: Scored | None = None
    """The counts at every score, where the frame scores are at hand; they are not stored."""

    @property
    def n_clips(self) -> int:
        """N."""
        return len(self.filenames)

    def without_psds(self) -> Self:
        """Return the same statistics without operating points, for F1 alone."""
        parameters = replace(self.parameters, psds=())
        return replace(self, parameters=parameters, psds={}, thresholds=())

    def save(self, file: str | Path | IO[bytes]) -> None:
        """Write as compressed npz without pickle; equal statistics give equal bytes."""
        if isinstance(file, str | Path):
            with Path(file).open("wb") as stream:
                return self.save(stream)
        header = {
            "format": STATISTICS_FORMAT,
            "key": self.key,
            "filenames": self.filenames,
            "classes": self.classes,
            "thresholds": self.thresholds,
            "evaluated_s": self.evaluated_s,
            "parameters": asdict(self.parameters),
            "psds": list(self.psds),
            "versions": {"raysed": __version__} | {name: version_of(name) for name in PACKAGES},
        }
        text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
        arrays = {
            "header": text,
            "durations_s": self.durations_s,
            "n_gt_NK": _narrow(self.n_gt_NK),
            "gt_s_NK": self.gt_s_NK,
        }
        for name in COUNTED:
            counts = getattr(self, name)
            arrays |= {f"{name}.{field}": _narrow(array) for field, array in vars(counts).items()}
        for index, deltas in enumerate(self.psds.values()):
            arrays |= {
                f"psds{index}.{field}": _narrow(array) for field, array in vars(deltas).items()
            }
        np.savez_compressed(file, allow_pickle=False, **arrays)
        return None

    @classmethod
    def load(cls, file: str | Path | IO[bytes]) -> Self:
        """Read what `save` wrote."""
        with np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
        header = json.loads(arrays["header"].tobytes())
        if header["format"] != STATISTICS_FORMAT:
            raise ValueError(
                f"statistics of format {header['format']}, expected {STATISTICS_FORMAT}"
            )
        psds = {}
        for index, criteria in enumerate(header["psds"]):
            fields = {
                field: arrays[f"psds{index}.{field}"].astype(np.int32)
                for field in Deltas.__dataclass_fields__
            }
            fields["start_C"] = fields["start_C"].astype(np.int64)
            psds[PsdsCriteria(*criteria)] = Deltas(**fields)
        kept = Counts.__dataclass_fields__
        counts: dict[str, Any] = {
            name: Counts(*(arrays[f"{name}.{field}"].astype(np.int32) for field in kept))
            for name in COUNTED
        }
        return cls(
            key=header["key"],
            filenames=tuple(header["filenames"]),
            classes=tuple(header["classes"]),
            durations_s=arrays["durations_s"],
            n_gt_NK=arrays["n_gt_NK"].astype(np.int32),
            gt_s_NK=arrays["gt_s_NK"],
            thresholds=tuple(header["thresholds"]),
            parameters=_parameters(header["parameters"]),
            psds=psds,
            evaluated_s=header["evaluated_s"],
            **counts,
        )


def collect(
    reference: Reference,
    detections: Events,
    points: Mapping[float, Events] | None = None,
    *,
    parameters: Parameters = PUBLISHED,
    tags_NK: np.ndarray | None = None,
) -> Statistics:
    """Count one system's detections against the reference.

    `detections` are those at `parameters.threshold`; `points` those at the thresholds of the PSDS
    grid (none: no PSDS). `tags_NK` (bool) are the classes that the clip-level output finds; None
    takes those of `detections`.
    """
    n_clips, n_classes = len(reference.filenames), len(reference.classes)
    truth = reference.events.positive()
    thresholds = tuple(sorted(points or {}))
    ordered = [points[threshold] for threshold in thresholds] if points else []
    return Statistics(
        key=reference.key,
        filenames=reference.filenames,
        classes=reference.classes,
        durations_s=np.asarray(reference.durations_s, dtype=np.float64),
        n_gt_NK=tally(truth, n_clips, n_classes),
        gt_s_NK=seconds(truth, n_clips, n_classes),
        thresholds=thresholds,
        parameters=parameters,
        event=event_counts(
            reference, detections, parameters.t_collar_s, parameters.percentage_of_length
        ),
        intersection=intersection_counts(reference, detections, parameters.intersection),
        segment=segment_counts(reference, detections, parameters.segment_s),
        tagging=_tagging(reference, detections, tags_NK),
        psds=_at_points(reference, ordered, parameters.psds if ordered else ()),
        groups_N=reference.groups_N,
    )


def _at_points(
    reference: Reference, points: list[Events], wanted: tuple[PsdsCriteria, ...]
) -> dict[PsdsCriteria, Deltas]:
    """Count at the operating points by each set of criteria, on every core."""
    with ThreadPoolExecutor(threads_for(len(wanted))) as pool:
        count = partial(intersection_points, reference, points)
        return dict(zip(wanted, pool.map(count, wanted), strict=True))


def _tagging(reference: Reference, detections: Events, tags_NK: np.ndarray | None) -> Counts:
    """Count the classes found in each clip: by `tags_NK` or, where that is None, by the detections."""
    shape = len(reference.filenames), len(reference.classes)
    present_NK = reference.events.presence(*shape)
    found_NK = detections.presence(*shape) if tags_NK is None else np.asarray(tags_NK, dtype=bool)
    if found_NK.shape != present_NK.shape:
        raise ValueError(f"tags {found_NK.shape} are not (clips, classes) = {present_NK.shape}")
    return tag_counts(present_NK, found_NK)


def collect_scores(
    reference: Reference,
    scores_NTK: np.ndarray,
    *,
    median_window: int,
    frame_s: float,
    parameters: Parameters = PUBLISHED,
    tags_NK: np.ndarray | None = None,
) -> Statistics:
    """Decode frame scores (rows as in `reference.filenames`) at all thresholds, and count."""
    decoding: dict[str, Any] = {
        "median_window": median_window,
        "frame_s": frame_s,
        "durations_s": reference.durations_s,
    }
    detections = decode(scores_NTK, parameters.threshold, **decoding)
    points = decode_points(scores_NTK, THRESHOLDS, **decoding) if parameters.psds else None
    return collect(reference, detections, points, parameters=parameters, tags_NK=tags_NK)


def comparable(a: Statistics, b: Statistics) -> None:
    """Raise ValueError unless both systems were counted on the same set in the same way."""
    if a.key != b.key:
        raise ValueError(
            f"systems scored on different sets: {a.key[:12]} ({a.n_clips} clips) "
            f"and {b.key[:12]} ({b.n_clips} clips)"
        )
    if (a.parameters, a.thresholds) != (b.parameters, b.thresholds):
        raise ValueError(
            f"systems scored with different parameters: {a.parameters} at {a.thresholds} "
            f"and {b.parameters} at {b.thresholds}"
        )


def _narrow(array: np.ndarray) -> np.ndarray:
    """Return the same integers in the smallest type that holds them; other types stay as they are."""
    if array.dtype.kind != "i" or array.size == 0:
        return array
    return array.astype(
        np.promote_types(np.min_scalar_type(array.min()), np.min_scalar_type(array.max()))
    )


def _parameters(stored: dict[str, Any]) -> Parameters:
    criteria: dict[str, Any] = {
        "intersection": PsdsCriteria(*stored["intersection"]),
        "psds": tuple(PsdsCriteria(*criteria) for criteria in stored["psds"]),
    }
    return Parameters(**stored | criteria)
