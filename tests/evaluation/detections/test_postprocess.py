"""Decoding against the published system's stored result, scipy, and by hand."""

import numpy as np
import pandas as pd
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from raysed.evaluation.detections.postprocess import (
    THRESHOLDS,
    decode,
    decode_points,
    median_filter,
)
from tests.paths import GOLDEN

FRAME_S = 0.06375


def slow_decode(
    scores_NTK: np.ndarray, threshold: float, window: int
) -> set[tuple[int, int, int, int]]:
    """(clip, class, first, after last): threshold, then the median of the mirrored binary map.

    Not by scipy, which reads past the end of two frames with a window of 27 (1.17.1).
    """
    regions = set()
    for n, scores_TK in enumerate(scores_NTK):
        half = ((window // 2, window // 2), (0, 0))
        padded_PK = np.pad(scores_TK >= threshold, half, mode="symmetric")
        on_TK = np.median(
            np.lib.stride_tricks.sliding_window_view(padded_PK, window, axis=0), axis=2
        )
        for k in range(on_TK.shape[1]):
            edges = np.flatnonzero(np.diff(on_TK[:, k].astype(int), prepend=0, append=0))
            regions |= {(n, k, int(a), int(b)) for a, b in edges.reshape(-1, 2)}
    return regions


def test_equals_the_published_decoding() -> None:
    golden = np.load(GOLDEN / "labels.npz", allow_pickle=False)
    expected = pd.read_csv(GOLDEN / "decoded.tsv", sep="\t")
    scores_NTK, classes = golden["scores_NTK"], tuple(golden["classes"])
    durations_s = np.full(len(scores_NTK), 10.0)
    assert set(expected.threshold) == {0.1, 0.5, 0.9}
    for threshold, table in expected.groupby("threshold"):
        events = decode(
            scores_NTK,
            float(threshold),
            median_window=int(golden["median_window"]),
            frame_s=FRAME_S,
            durations_s=durations_s,
        )
        order = ["clip", "event_label", "onset"]
        found = (
            events.to_frame(range(len(scores_NTK)), classes)
            .rename(columns={"filename": "clip"})
            .sort_values(order)
        )
        table = table.sort_values(order)
        assert found.event_label.tolist() == table.event_label.tolist()
        assert found["clip"].tolist() == table["clip"].tolist()
        np.testing.assert_allclose(
            found[["onset", "offset"]], table[["onset", "offset"]], rtol=0, atol=1e-6
        )


SHAPES = st.tuples(st.integers(1, 2), st.integers(1, 25), st.integers(1, 3))
STEPS = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


@settings(max_examples=60, deadline=None)
@given(
    scores_NTK=arrays(np.float32, SHAPES, elements=STEPS),
    window=st.sampled_from([1, 3, 7, 27]),
    threshold=st.sampled_from([0.25, 0.5, 1.0]),
)
def test_filtering_scores_equals_filtering_the_binary_map(
    scores_NTK: np.ndarray, window: int, threshold: float
) -> None:
    events = decode(
        scores_NTK,
        threshold,
        median_window=window,
        frame_s=1.0,
        durations_s=np.full(len(scores_NTK), 1e9),
    )
    found = {
        (int(n), int(k), int(a), int(b)) for n, k, a, b in zip(*vars(events).values(), strict=True)
    }
    assert found == slow_decode(scores_NTK, threshold, window)
    assert list(zip(events.clip_E, events.onset_E, strict=True)) == sorted(
        zip(events.clip_E, events.onset_E, strict=True)
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_median_equals_scipy(dtype: type) -> None:
    scores_NTK = np.random.default_rng(0).random((3, 40, 2)).astype(dtype)
    expected = scipy.ndimage.median_filter(
        scores_NTK.astype(np.float64), size=(1, 7, 1), mode="reflect"
    )
    np.testing.assert_array_equal(median_filter(scores_NTK, 7).astype(np.float64), expected)


def test_offsets_are_cut_and_later_events_dropped() -> None:
    scores_NTK = np.zeros((1, 10, 2), np.float32)
    scores_NTK[0, 2:9, 0] = 1.0
    scores_NTK[0, 8:, 1] = 1.0
    events = decode(scores_NTK, 0.5, median_window=1, frame_s=0.5, durations_s=np.array([4.0]))
    np.testing.assert_array_equal(events.label_E, [0])
    np.testing.assert_array_equal((events.onset_E[0], events.offset_E[0]), (1.0, 4.0))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_score_equal_to_the_threshold_is_on_in_every_precision(dtype: type) -> None:
    for threshold in THRESHOLDS:
        scores_NTK = np.full((1, 5, 1), threshold, dtype)
        assert (
            len(
                decode(
                    scores_NTK, threshold, median_window=3, frame_s=1.0, durations_s=np.array([5.0])
                )
            )
            == 1
        )


def test_every_threshold_decodes_as_alone() -> None:
    scores_NTK = np.random.default_rng(1).random((4, 50, 3)).astype(np.float16)
    decoding = {"median_window": 7, "frame_s": FRAME_S, "durations_s": np.full(4, 3.0)}
    points = decode_points(scores_NTK, **decoding)
    assert tuple(points) == THRESHOLDS
    assert len(THRESHOLDS) == 50
    for threshold in (0.01, 0.31, 0.99):
        alone = decode(scores_NTK, threshold, **decoding)
        for one, other in zip(vars(alone).values(), vars(points[threshold]).values(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_bad_input_is_refused() -> None:
    scores_NTK = np.zeros((2, 5, 1), np.float32)
    decoding = {"frame_s": 1.0, "durations_s": np.full(2, 5.0)}
    with pytest.raises(ValueError, match="odd"):
        decode(scores_NTK, 0.5, median_window=4, **decoding)
    with pytest.raises(ValueError, match="durations"):
        decode(scores_NTK[:1], 0.5, median_window=1, **decoding)
    scores_NTK[1, 2] = np.nan
    with pytest.raises(ValueError, match="clip 1 are not finite"):
        decode(scores_NTK, 0.5, median_window=1, **decoding)
