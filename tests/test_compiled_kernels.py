"""What is compiled without bounds checks has a door: a wrong array is a ValueError there, never a crash.

Each public way into a kernel is fed NaN, infinities, empty and one-element arrays, wrong shapes, types and indexes:
it refuses them, or returns what a plain computation gives.
"""

import ast
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import nn

from raysed.data.soundscapes.loudness import FLOOR_LUFS, integrated_lufs
from raysed.data.soundscapes.stretching import stretched
from raysed.evaluation.counts.intersections import EXACT, intersection_deltas
from raysed.evaluation.counts.match_changes import match_deltas
from raysed.evaluation.counts.matching import event_hits, event_matches
from raysed.evaluation.counts.score_changes import score_deltas
from raysed.evaluation.counts.score_floors import count_rises
from raysed.evaluation.counts.segment_changes import segment_deltas
from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.detections.bounding_boxes import box_candidates
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.postprocess import decode_points, median_filter, regions
from raysed.evaluation.intervals.bootstrap import clip_weights
from raysed.evaluation.metrics.best_f1 import best_f1
from raysed.evaluation.metrics.partial_auc import segment_mpauc
from raysed.evaluation.metrics.psds import psds
from raysed.evaluation.metrics.threshold_free import psds_all, threshold_free_psds
from raysed.model.cpu.fused import Block, BlockSettings
from tests.evaluation.oracles import random_case
from tests.evaluation.scored_sets import statistics_of
from tests.paths import ROOT

DOORS = {
    "data/soundscapes/loudness.py": "integrated_lufs",
    "data/soundscapes/stretching.py": "stretched",
    "evaluation/counts/box_counts.py": "box_hits",
    "evaluation/counts/intersections.py": "intersection_deltas",
    "evaluation/counts/matching.py": "event_hits, event_matches",
    "evaluation/detections/bounding_boxes.py": "box_candidates",
    "evaluation/detections/overlaps.py": "overlapping, which makes its arrays of Events",
    "evaluation/detections/plain_frames.py": "plain_frames, which makes its arrays of a file's bytes",
    "evaluation/detections/postprocess.py": "median_filter, regions",
    "evaluation/intervals/bootstrap.py": "clip_weights",
    "evaluation/metrics/mean_curves.py": "psds of psds.py and psds_all of threshold_free.py",
    "evaluation/metrics/psds_kernels.py": "psds and kernel_arguments of psds.py",
    "evaluation/counts/match_changes.py": "match_deltas",
    "evaluation/counts/segment_changes.py": "segment_deltas",
    "evaluation/metrics/best_f1.py": "best_f1",
    "evaluation/metrics/exact_curves.py": "exact_areas, whose arrays LargeScores makes",
    "evaluation/metrics/partial_auc.py": "segment_mpauc",
    "evaluation/counts/score_changes.py": "score_deltas",
    "evaluation/counts/cell_changes.py": "LargeScores, which checks events and makes its arrays",
    "evaluation/counts/score_floors.py": "count_rises",
    "evaluation/metrics/threshold_kernels.py": "threshold_free_psds and psds_all of threshold_free.py",
    "model/cpu/kernels.py": "Block of fused.py",
}
"""Modules with compiled functions, and what leads into them from elsewhere."""

VALUES = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 0.5, 1.0, -1.0, 1e300])
SCORES = arrays(
    np.float64, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4), elements=VALUES
)
THRESHOLD = st.sampled_from([np.nan, np.inf, -np.inf, 0.5])


def has_kernel(path: Any) -> bool:
    return any(
        "njit" in ast.unparse(decorator)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
    )


def test_every_module_with_a_kernel_is_tried_here() -> None:
    files = (ROOT / "raysed").rglob("*.py")
    found = {path.relative_to(ROOT / "raysed").as_posix() for path in files if has_kernel(path)}
    assert found == set(DOORS)


def tried(call: Any, *arguments: Any, **named: Any) -> Any:
    """What a call returns, or None where it refuses its arguments in words."""
    try:
        return call(*arguments, **named)
    except ValueError as error:
        assert len(str(error)) > 20
        return None


@settings(max_examples=150, deadline=None)
@given(scores=SCORES, threshold=THRESHOLD, window=st.integers(-1, 9))
def test_scores_of_any_kind(scores: np.ndarray, threshold: float, window: int) -> None:
    found = tried(regions, scores, threshold)
    bad = scores.ndim != 3 or np.isnan(scores).any()
    assert (found is None) == (bad or np.isnan(threshold))
    if found is not None:
        on = scores >= threshold
        starts = on & ~np.roll(on, 1, axis=1)
        starts[:, :1] = on[:, :1]
        assert len(found[0]) == starts.sum()
    smooth = tried(median_filter, scores, window)
    assert (smooth is None) == (bad or window < 1 or window % 2 == 0)
    if smooth is not None:
        assert smooth.shape == scores.shape and np.isin(smooth, scores).all()
    n_clips = len(scores)
    named = {"median_window": 3, "frame_s": 1.0, "durations_s": np.full(n_clips, 2.0)}
    points = tried(decode_points, scores, (0.5,), **named)
    assert (points is None) == (scores.ndim != 3 or not np.isfinite(scores).all())


@settings(max_examples=150, deadline=None)
@given(scores=SCORES, edge=st.lists(VALUES, max_size=5), step=VALUES)
def test_scores_for_boxes_of_any_kind(scores: np.ndarray, edge: list[float], step: float) -> None:
    n_clips, n_frames = (*scores.shape, 0)[:2]
    fits = np.arange(n_frames + 1.0)[None].repeat(n_clips, axis=0)
    for edges in (fits, np.array([edge] * n_clips, np.float64).reshape(n_clips, len(edge))):
        frames = tried(FrameScores, scores, edges)
        boxes = None if frames is None else tried(box_candidates, frames, step)
        if boxes is not None:
            assert 0 < step < np.inf
            assert (boxes.offset_E > boxes.onset_E).all() and np.isfinite(boxes.until_E).all()


@settings(max_examples=150, deadline=None)
@given(
    samples=arrays(
        st.sampled_from([np.int32, np.int64, np.float64]),
        array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=4),
        elements=st.sampled_from([0, 1, -1]),
    ),
    rate=st.sampled_from([np.nan, np.inf, -1.0, 0.0, 1000.0, 16000.0]),
    factor=VALUES,
)
def test_stretching_of_any_kind(samples: np.ndarray, rate: float, factor: float) -> None:
    found = tried(stretched, samples, rate, factor)
    fits = samples.ndim == 1 and samples.dtype == np.int32 and samples.size
    assert (found is not None) == bool(fits and rate in (1000, 16000) and factor in (0.5, 1.0))
    if found is not None:
        # What is a rounding error of 24 bits beside 0.
        assert found.tolist() == [0] * round(len(samples) / factor)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_one_element_and_none(dtype: type) -> None:
    one = np.ones((1, 1, 1), dtype)
    assert [array.tolist() for array in regions(one, 0.5)] == [[0], [0], [0], [1]]
    assert median_filter(one, 31).tolist() == [[[1.0]]]
    none = np.ones((0, 3, 2), dtype)
    assert [array.size for array in regions(none, 0.5)] == [0, 0, 0, 0]
    assert median_filter(np.ones((2, 0, 2), dtype), 3).shape == (2, 0, 2)


@pytest.mark.parametrize("wrong", [np.ones((1, 2, 3), int), np.ones((1, 2, 3), complex)])
def test_scores_of_other_types_are_refused(wrong: np.ndarray) -> None:
    for call in (lambda: regions(wrong, 0.5), lambda: median_filter(wrong, 3)):
        with pytest.raises(ValueError, match="are not floating-point numbers of"):
            call()


TIMES = st.lists(VALUES, max_size=3)
INDEXES = st.lists(st.integers(-2, 4), max_size=4)


@settings(max_examples=300, deadline=None)
@given(start=INDEXES, label=st.lists(st.integers(-1, 3), max_size=3), onset=TIMES, offset=TIMES)
def test_events_of_any_kind(
    start: list[int], label: list[int], onset: list[float], offset: list[float]
) -> None:
    events = (
        np.array(start, np.int64),
        np.array(label, np.int32),
        np.array(onset, np.float64),
        np.array(offset, np.float64),
    )
    truth = (np.array([0, 1, 1]), np.array([0]), np.array([0.0]), np.array([1.0]))
    fits = (
        len(start) == 3
        and len(label) == len(onset) == len(offset)
        and 0 <= start[0] <= start[1] <= start[2] <= len(label)
        and np.isfinite([*onset, *offset]).all()
        and all(k >= 0 for k in label)
    )
    found = tried(event_hits, truth, events, 0.2, 0.2)
    assert (found is None) == (not fits)
    found = tried(event_matches, truth, events, 2, 0.2, 0.2)
    assert (found is None) == (not fits or any(k > 1 for k in label))
    points = (events[0][None], *events[1:])
    found = tried(intersection_deltas, truth, points, np.ones(2), 2, (0.5, 0.5, 0.3, EXACT))
    positive = all(off > on for on, off in zip(onset, offset, strict=False))
    assert (found is None) == (not fits or any(k > 1 for k in label) or not positive)
    scores = FrameScores(np.ones((2, 1, 2)), np.array([[0.0, 1.0]] * 2))
    found = tried(score_deltas, events, scores, np.ones(2), (0.5, 0.5, np.nan, EXACT))
    assert (found is None) == (not fits or any(k > 1 for k in label) or not positive)
    found = tried(match_deltas, events, scores, 0.2, 0.2)
    assert (found is None) == (not fits or any(k > 1 for k in label))
    found = tried(count_rises, events, scores, np.ones(2), np.ones((2, 3)))
    assert (found is None) == (not fits or any(k > 1 for k in label))
    found = tried(segment_deltas, events, scores, np.ones(2), 1.0)
    assert (found is None) == (not fits or any(k > 1 for k in label))


@pytest.mark.parametrize(
    "criteria", [(np.nan, 0.5, 0.3, 0.0), (0.5, 2.0, 0.3, 0.0), (0.5, 0.5, 0.3, 7.0)]
)
def test_criteria_that_are_no_shares_are_refused(criteria: Any) -> None:
    none = (np.zeros(2, int), np.zeros(0, int), np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match=r"criteria|rule"):
        intersection_deltas(none, (none[0][None], *none[1:]), np.ones(1), 1, criteria)


@settings(max_examples=100, deadline=None)
@given(
    scores=SCORES,
    edges=arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=4), elements=VALUES),
)
def test_frame_scores_of_any_kind(scores: np.ndarray, edges: np.ndarray) -> None:
    found = tried(FrameScores, scores, edges)
    if found is None:
        return
    n_clips, _, n_classes = scores.shape
    names = tuple(f"{n}.wav" for n in range(n_clips))
    truth = Events.sort([0], [0], [0.0], [1.0]) if scores.size else Events.sort([], [], [], [])
    classes = tuple(f"class{k}" for k in range(n_classes))
    reference = Reference(names, np.ones(n_clips), classes, truth)
    value = threshold_free_psds(reference, found)
    assert np.isnan(value) or 0 <= value <= 1
    if n_clips:
        statistics = statistics_of(reference, found)
        for metric in (best_f1, segment_mpauc, psds_all):
            value = metric(statistics)[0][0]
            assert np.isnan(value) or 0 <= value <= 1
    assert (np.diff(found.decode(0.5).clip_E) >= 0).all()


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("column_C", 10**6), ("start_C", 10**6), ("clip_E", -1), ("point_E", 5), ("clip_E", 12)],
)
def test_statistics_whose_indexes_point_elsewhere_are_refused(field: str, wrong: int) -> None:
    """Such as a file that was edited: 12 clips, 3 classes and 5 operating points."""
    case = random_case(0)
    statistics = collect(case.reference, case.points[0.5], case.points)
    criteria, deltas = next(iter(statistics.psds.items()))
    index = getattr(deltas, field).copy()
    index[-1] = wrong
    broken = replace(statistics, psds={criteria: replace(deltas, **{field: index})})
    with pytest.raises(ValueError, match=f"a {field.split('_')[0]} is not below"):
        psds(broken)


@settings(max_examples=50, deadline=None)
@given(value=VALUES, place=st.sampled_from(["gt_s_NK", "durations_s"]))
def test_statistics_of_any_seconds(value: float, place: str) -> None:
    case = random_case(1)
    statistics = collect(case.reference, case.points[0.5], case.points)
    seconds = getattr(statistics, place).copy()
    seconds.flat[0] = value
    for name in ("psds", "psds1"):
        found = tried(psds, replace(statistics, **{place: seconds}), definition=name)
        assert found is None or np.isnan(found[0]) or 0 <= found[0] <= 1


@pytest.mark.parametrize(
    "weights",
    [np.full((2, 12), -1), np.full((2, 12), 40_000), np.ones((2, 11), int), np.ones((2, 12))],
)
def test_weights_that_are_no_counts_are_refused(weights: np.ndarray) -> None:
    case = random_case(0)
    statistics = collect(case.reference, case.points[0.5], case.points)
    with pytest.raises(ValueError, match="weights"):
        psds(statistics, weights)
    assert psds(statistics, np.zeros((0, 12), int)).shape == (0,)


def test_draws_of_no_clip_and_of_one() -> None:
    with pytest.raises(ValueError, match="no clips"):
        clip_weights("key", 0, 3, 0)
    assert clip_weights("key", 1, 3, 0).tolist() == [[1], [1], [1]]
    assert clip_weights("key", 2, 0, 0).shape == (0, 2)


SIGNALS = arrays(np.float32, array_shapes(max_dims=2, min_side=0, max_side=4),
                 elements=st.sampled_from([np.nan, np.inf, 0.0, 0.5, -1.0]))  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(signal=SIGNALS, rate_hz=st.sampled_from([8000, 16_000, 0, -1]))
def test_signals_of_any_kind(signal: np.ndarray, rate_hz: int) -> None:
    found = tried(integrated_lufs, signal, rate_hz)
    fits = signal.ndim == 1 and signal.size and np.isfinite(signal).all() and rate_hz > 0
    assert (found is None) == (not fits)
    assert found is None or FLOOR_LUFS <= found < 50


@pytest.mark.parametrize(
    ("shape", "channels", "dropped", "pooling"),
    [
        ((0, 1, 4, 4), 3, 0, (1, 1)),
        ((1, 1, 4), 3, 0, (1, 1)),
        ((1, 1, 4, 4), 2, 0, (1, 1)),
        ((1, 2, 4, 4), 3, 0, (1, 1)),
        ((1, 1, 4, 4), 3, 256, (1, 1)),
        ((1, 1, 4, 4), 3, 0, (0, 1)),
    ],
)
def test_a_block_refuses_sizes_that_do_not_fit(
    shape: tuple[int, ...], channels: int, dropped: int, pooling: tuple[int, int]
) -> None:
    """A convolution of one channel into three, whose normalisation and gate may have `channels`."""
    norm, single = nn.BatchNorm2d(channels), torch.float32
    fits = BlockSettings(norm, pooling, dropped, False, storage=single, products=single)
    parameters = [
        torch.zeros(3, 1, 3, 3),
        *torch.zeros(3, channels),
        torch.zeros(3, 3),
        torch.zeros(3),
    ]
    with pytest.raises(ValueError, match="expected"):
        Block.apply(fits, torch.zeros(shape), *parameters)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 1, 2, 3)])
@pytest.mark.parametrize("products", [torch.float32, torch.bfloat16])
def test_a_block_hands_on_what_is_not_finite(
    value: float, shape: tuple[int, ...], products: torch.dtype
) -> None:
    fits = BlockSettings(nn.BatchNorm2d(3).eval(), (2, 2), 0, False, torch.float32, products)
    parameters = [torch.ones(3, 1, 3, 3), *torch.ones(3, 3), torch.ones(3, 3), torch.ones(3)]
    out = Block.apply(fits, torch.full(shape, value), *parameters)
    assert out.shape == (1, 3, shape[2] // 2, shape[3] // 2)
    assert not torch.isfinite(out).any()
