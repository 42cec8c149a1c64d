"""Where windows lie, and how their scores become one sequence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.predict.windows import Grid, Timeline, windows

TEN_S = Grid(rate_hz=16000, window=160000, frame=1020, frames=157)
SMALL = Grid(rate_hz=100, window=160, frame=7, frames=23)
GRIDS = st.sampled_from([SMALL, Grid(100, 161, 7, 23), Grid(100, 200, 9, 22), Grid(100, 64, 4, 16)])


def cut(samples, grid, block=50):
    wave = np.arange(samples, dtype=np.float32)
    return list(windows((wave[i : i + block] for i in range(0, samples, block)), grid))


def joined(samples, grid):
    """The timeline whose frame scores are (window's first sample, frame)."""
    timeline = Timeline(grid)
    for start, _ in cut(samples, grid):
        timeline.add(start, np.stack([np.full(grid.frames, start), np.arange(grid.frames)], axis=1))
    return timeline.finish(samples / grid.rate_hz)


def test_windows_start_every_half_window_and_the_last_ends_with_the_recording():
    assert [start for start, _ in cut(400, SMALL)] == [0, 80, 160, 240]
    assert [start for start, _ in cut(450, SMALL)] == [0, 80, 160, 240, 290]


def test_a_last_frame_that_passes_the_window_saves_a_window():
    assert SMALL.reach == 161
    assert [start for start, _ in cut(161, SMALL)] == [0]
    assert [start for start, _ in cut(162, SMALL)] == [0, 2]


def test_short_and_empty_recordings():
    ((start, wave_T),) = cut(30, SMALL)
    assert start == 0 and len(wave_T) == 30
    assert cut(0, SMALL) == []


@settings(max_examples=60, deadline=None)
@given(grid=GRIDS, samples=st.integers(1, 1500), block=st.integers(1, 400))
def test_windows_hold_their_samples_whatever_the_blocks(grid, samples, block):
    found = cut(samples, grid, block)
    for start, wave_T in found:
        np.testing.assert_array_equal(wave_T, np.arange(start, start + len(wave_T)))
        assert len(wave_T) == min(grid.window, samples)
    assert found[-1][0] + max(grid.reach, len(found[-1][1])) >= samples
    starts = [start for start, _ in found]
    assert starts == sorted(set(starts))
    assert max(np.diff(starts), default=0) <= grid.window // 2 + 1


@settings(max_examples=60, deadline=None)
@given(grid=GRIDS, samples=st.integers(1, 3000))
def test_every_moment_belongs_to_one_frame_that_lies_where_its_window_heard_it(grid, samples):
    scores_TK, edge_T1 = joined(samples, grid)
    edge_T1 = edge_T1 * grid.rate_hz
    assert edge_T1[0] == 0 and len(edge_T1) == len(scores_TK) + 1
    assert edge_T1[-1] >= min(samples, grid.frames * grid.frame) - max(
        0, grid.window - grid.frames * grid.frame
    )
    own = scores_TK[:, 0] + scores_TK[:, 1] * grid.frame
    length = np.diff(edge_T1)
    inside = edge_T1[1:] < samples
    np.testing.assert_allclose(own[inside], edge_T1[:-1][inside], atol=1e-6)
    assert (length[inside] >= grid.frame / 2 - 1e-6).all()
    assert (length <= 1.5 * grid.frame + 1e-6).all()


def test_even_windows_decide_all_but_an_eighth_at_their_joints():
    scores_TK, edge_T1 = joined(16000 * 60, TEN_S)
    even_T = scores_TK[:, 0] % 160000 == 0
    for second in range(0, 60, 10):
        middle_T = (edge_T1[:-1] >= second + 1.30) & (edge_T1[1:] <= second + 8.70)
        assert even_T[middle_T].all() and middle_T.sum() > 110
        joint_T = (edge_T1[:-1] >= second + 8.82) & (edge_T1[1:] <= second + 11.18)
        if second < 50:
            assert not even_T[joint_T].any()


def test_no_drift_in_a_day():
    """The frames of a day's last clip lie where they lie in the clip alone, to the sample."""
    day = 24 * 3600
    timeline = Timeline(TEN_S)
    empty = np.zeros((157, 1), np.float16)
    for number in range(2 * day // 10 - 1):
        timeline.add(TEN_S.start(number), empty)
    scores_TK, edge_T1 = timeline.finish(float(day))
    samples_T1 = np.rint(edge_T1 * 16000)
    np.testing.assert_allclose(edge_T1 * 16000, samples_T1, atol=1e-4)
    last = np.arange(20, 137) * 1020 + (day - 10) * 16000
    assert np.isin(last, samples_T1).all()
    assert len(scores_TK) == pytest.approx(day * 16000 / 1020, rel=1e-2)
