"""Stored counts: the same after a round trip, the same bytes, and only compared with their like."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raysed.evaluation.counts.stacked import stack
from raysed.evaluation.counts.statistics import (
    PUBLISHED,
    Statistics,
    collect,
    collect_scores,
    comparable,
)
from raysed.evaluation.detections.postprocess import THRESHOLDS, decode_points
from raysed.evaluation.metrics.psds import psds
from raysed.evaluation.metrics.registry import COUNT_METRICS, METRICS
from tests.evaluation.oracles import Case, random_case

DIFFERENT = ("event_f1", "intersection_f1", "psds", "psds2")


def counted(case: Case) -> Statistics:
    return collect(case.reference, case.points[0.5], case.points)


def saved(statistics: Statistics) -> bytes:
    stream = io.BytesIO()
    statistics.save(stream)
    return stream.getvalue()


def test_round_trip_keeps_everything(tmp_path: Path) -> None:
    statistics = counted(random_case(0))
    statistics.save(tmp_path / "val.npz")
    loaded = Statistics.load(tmp_path / "val.npz")
    assert (tmp_path / "val.npz").read_bytes() == saved(statistics) == saved(loaded)
    for field in ("key", "filenames", "classes", "thresholds", "parameters", "evaluated_s"):
        assert getattr(loaded, field) == getattr(statistics, field)
    weights_BN = np.random.default_rng(0).integers(0, 3, (5, statistics.n_clips)).astype(np.int16)
    for name in COUNT_METRICS:
        metric = METRICS[name]
        np.testing.assert_array_equal(
            metric(loaded, weights_BN), metric(statistics, weights_BN), err_msg=name
        )
    comparable(loaded, statistics)


def test_stored_without_pickle_and_with_a_format(tmp_path: Path) -> None:
    statistics = counted(random_case(0))
    path = tmp_path / "old.npz"
    statistics.save(path)
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    assert all(array.dtype != object for array in arrays.values())
    arrays["header"] = np.frombuffer(
        arrays["header"].tobytes().replace(b'"format": 2', b'"format": 9'), np.uint8
    )
    np.savez_compressed(path, **arrays)
    with pytest.raises(ValueError, match="format 9, expected 2"):
        Statistics.load(path)


def test_counts_do_not_depend_on_the_order_of_points_or_rows() -> None:
    case = random_case(1)
    backwards = dict(reversed(case.points.items()))
    assert saved(counted(case)) == saved(collect(case.reference, case.points[0.5], backwards))


def test_without_points_there_is_no_psds() -> None:
    case = random_case(1)
    statistics = collect(case.reference, case.points[0.5])
    assert statistics.psds == {}
    with pytest.raises(ValueError, match="counts"):
        psds(statistics)


def test_from_scores_equals_decoding_by_hand() -> None:
    case = random_case(2)
    rng = np.random.default_rng(0)
    scores_NTK = rng.random((12, 160, 3)).astype(np.float16)
    decoding = {"median_window": 7, "frame_s": 0.06375}
    points = decode_points(
        scores_NTK, (*THRESHOLDS, 0.5), durations_s=case.reference.durations_s, **decoding
    )
    default = points.pop(0.5)
    tags_NK = rng.random((12, 3)) > 0.5
    expected = collect(case.reference, default, points, tags_NK=tags_NK)
    assert saved(collect_scores(case.reference, scores_NTK, tags_NK=tags_NK, **decoding)) == saved(
        expected
    )


def test_stack_holds_both_systems() -> None:
    case = random_case(3)
    a = counted(case)
    b = collect(case.reference, case.points[0.725], dict.fromkeys(case.points, case.points[0.95]))
    both = stack(a, b)
    n_clips = a.n_clips
    first = np.zeros((2, 2 * n_clips), np.int16)
    first[0, :n_clips] = 1
    first[1, n_clips:] = 1
    for name in COUNT_METRICS:
        metric = METRICS[name]
        alone = [metric(a, None)[0], metric(b, None)[0]]
        np.testing.assert_array_equal(metric(both, first), alone, err_msg=name)
        assert name not in DIFFERENT or alone[0] != alone[1]


def test_only_like_is_compared_with_like() -> None:
    a = counted(random_case(0))
    with pytest.raises(ValueError, match="different sets"):
        stack(a, counted(random_case(1)))
    case = random_case(0)
    other = collect(
        case.reference, case.points[0.5], case.points, parameters=replace(PUBLISHED, t_collar_s=0.3)
    )
    with pytest.raises(ValueError, match="different parameters"):
        comparable(a, other)
