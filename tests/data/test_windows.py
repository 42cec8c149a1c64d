"""Where windows lie, and how their scores become one sequence."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.data.windows import Bridge, Grid, Timeline, windows

TEN_S = Grid(rate_hz=16000, window=160000, frame=1020, frames=157)
SMALL = Grid(rate_hz=100, window=160, frame=7, frames=23)
GRIDS = st.sampled_from([SMALL, Grid(100, 161, 7, 23), Grid(100, 200, 9, 22), Grid(100, 64, 4, 16)])


def cut(samples, grid, block=50):
    wave = np.arange(samples, dtype=np.float32)
    return list(windows((wave[i : i + block] for i in range(0, samples, block)), grid))


def joined(samples, grid):
    """The timeline whose frame scores are (window's first sample, frame); nothing is bridged."""
    timeline = Timeline(grid)
    with patch.object(Bridge, "join", lambda self, scores_TK, edge_T1, before: scores_TK):
        for start, _ in cut(samples, grid):
            names_U2 = np.stack([np.full(grid.frames, start), np.arange(grid.frames)], axis=1)
            timeline.add(start, names_U2)
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
    edge_T1 = np.rint(edge_T1 * grid.rate_hz)
    assert edge_T1[0] == 0 and len(edge_T1) == len(scores_TK) + 1
    assert edge_T1[-1] >= min(samples, grid.frames * grid.frame) - max(
        0, grid.window - grid.frames * grid.frame
    )
    # A frame begins where its window heard it, but for one that a joint cuts.
    heard = edge_T1[:-1] < samples
    onset = edge_T1[:-1][heard]
    own = (scores_TK[:, 0] + scores_TK[:, 1] * grid.frame)[heard]
    assert (own <= onset).all() and (own + grid.frame > onset).all()
    assert (onset[own < onset] % grid.window == 0).all()
    length = np.diff(edge_T1)[heard]
    assert (length >= 1).all()
    assert (length <= grid.frame + max(0, grid.window - grid.frames * grid.frame)).all()


@st.composite
def grids(draw):
    """Any grid of a model: hops and poolings of any size, frames that pass the window's end or fall short of it."""
    hop, pooling = draw(st.integers(1, 12)), draw(st.integers(1, 8))
    window = draw(st.integers(2 * hop * pooling, 40 * hop * pooling))
    return Grid(100, window, hop * pooling, (window // hop + 1) // pooling)


@settings(max_examples=400, deadline=None)
@given(grid=grids(), data=st.data())
def test_every_moment_of_one_to_three_windows_lies_in_exactly_one_frame(grid, data):
    """And no window gives none: what is left after the last frame is less than training leaves of a clip."""
    short = max(0, grid.window - grid.frames * grid.frame)
    near = [grid.window * n + hair for n in (1, 2, 3) for hair in (-1, 0, 1, short, short + 1)]
    samples = data.draw(
        st.one_of(st.sampled_from(near), st.integers(grid.window, 3 * grid.window + 1))
    )
    scores_TK, edge_T1 = joined(samples, grid)
    edge_T1 = np.rint(edge_T1 * grid.rate_hz)
    assert edge_T1[0] == 0 and len(edge_T1) == len(scores_TK) + 1
    heard = edge_T1[:-1] < samples
    assert (np.diff(edge_T1)[heard] >= 1).all() and (np.diff(edge_T1) >= 0).all()
    assert samples - short <= edge_T1[-1] <= samples
    frames = [tuple(row) for row in scores_TK.tolist()]
    assert len(set(frames)) == len(frames)
    own = (scores_TK[:, 0] + scores_TK[:, 1] * grid.frame)[heard]
    onset = edge_T1[:-1][heard]
    assert (own <= onset).all() and (own + grid.frame > onset).all()


@pytest.mark.parametrize(("duration_s", "hop"), [(5, 255), (8, 255), (10, 256), (12, 255)])
def test_a_hair_over_a_window_is_heard(duration_s, hop):
    """Frames of four hops fall short of these windows: the rest used to have no frame, and ended everything."""
    window = duration_s * 16000
    grid = Grid(16000, window, 4 * hop, (window // hop + 1) // 4)
    assert grid.frames * grid.frame < window
    timeline = Timeline(grid)
    for start in (0, 160):
        timeline.add(start, np.full((grid.frames, 1), 0.5, np.float16))
    scores_TK, edge_T1 = timeline.finish((window + 160) / 16000)
    assert len(scores_TK) == grid.frames + 1 and (scores_TK == 0.5).all()
    assert edge_T1[-1] * 16000 == grid.frames * grid.frame + 160


def test_windows_decide_end_to_end_and_the_last_one_its_rest():
    scores_TK, edge_T1 = joined(round(16000 * 63.7), TEN_S)
    for second in range(0, 60, 10):
        inside_T = (edge_T1[:-1] >= second) & (edge_T1[1:] <= second + 10)
        np.testing.assert_array_equal(scores_TK[inside_T, 0], 16000.0 * second)
        np.testing.assert_array_equal(scores_TK[inside_T, 1], np.arange(157))
        onset_T = 16000 * second + 1020 * np.arange(157)
        np.testing.assert_allclose(edge_T1[:-1][inside_T] * 16000, onset_T, atol=1e-6)
    assert (scores_TK[edge_T1[:-1] >= 60, 0] == round(53.7 * 16000)).all()


BRIDGED = Grid(rate_hz=1, window=8, frame=1, frames=8)
"""Frames of one second: the middle window lies over the joint at 8 s from 4 to 12 s."""


def over_the_joint(before, over, after):
    timeline = Timeline(BRIDGED)
    for start, row in ((0, before), (4, over), (8, after)):
        timeline.add(start, np.array([row], np.float16).T / np.float16(10))
    scores_TK, edge_T1 = timeline.finish(16.0)
    np.testing.assert_array_equal(edge_T1, np.arange(17))
    return np.rint(scores_TK[:, 0] * 10).astype(int).tolist()


def test_what_is_heard_across_a_joint_joins_both_sides():
    """The window over the joint hears a 7 from 6 to 10 s, of which the others hear the ends."""
    found = over_the_joint([0] * 6 + [7, 1], [0, 0, 7, 7, 7, 7, 0, 0], [2, 7, 0, 0, 0, 0, 0, 0])
    assert found == [0] * 6 + [7, 7, 7, 7] + [0] * 6


def test_what_is_heard_beside_a_joint_changes_nothing():
    """4 to 6 s and 11 to 12 s are parted from the joint; at 8 s it hears no more than 1."""
    found = over_the_joint([0] * 5 + [3, 0, 0], [9, 9, 0, 0, 1, 0, 0, 9], [0, 5, 0, 0, 0, 0, 0, 0])
    assert found == [0] * 5 + [3, 0, 0] + [1, 5] + [0] * 6


@pytest.mark.parametrize(
    ("after", "over", "left"),
    [
        ([5, 3, 0, 0, 0, 0, 0, 0], [0] * 8, [0] * 8),  # the edge of a window, and nothing there
        ([5, 3, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 2, 0, 0], [2, 2, 0, 0, 0, 0, 0, 0]),
        ([5, 3, 0, 4, 0, 0, 0, 0], [0] * 8, [0, 0, 0, 4, 0, 0, 0, 0]),
        ([5, 5, 5, 5, 5, 0, 0, 0], [0] * 8, [5, 5, 5, 5, 5, 0, 0, 0]),  # passes the bridge's end
    ],
)
def test_what_only_touches_a_joint_is_left_where_the_bridge_hears_it(after, over, left):
    assert over_the_joint([0] * 8, over, after) == [0] * 8 + left
    mirrored = over_the_joint(after[::-1], over[::-1], [0] * 8)
    assert mirrored == left[::-1] + [0] * 8


def test_a_recordings_rest_is_bridged_by_its_own_window():
    timeline = Timeline(BRIDGED)
    timeline.add(0, np.zeros((8, 1), np.float16))
    timeline.add(3, np.array([[0, 0, 0, 1, 1, 1, 1, 0]], np.float16).T)
    scores_TK, edge_T1 = timeline.finish(11.0)
    assert scores_TK[:, 0].tolist() == [0] * 6 + [1, 1, 1, 1, 0] and edge_T1[-1] == 11


LEVELS = st.lists(st.integers(0, 9), min_size=8, max_size=8)


@settings(max_examples=200, deadline=None)
@given(before=LEVELS, over=LEVELS, after=LEVELS, threshold=st.integers(1, 9))
def test_events_away_from_joints_are_their_windows_own(before, over, after, threshold):
    """At any threshold: kept to the frame, or within one event that is heard across the joint."""
    found = regions_of(over_the_joint(before, over, after), threshold)
    alone = regions_of(before, threshold) + [
        (8 + a, 8 + b) for a, b in regions_of(after, threshold)
    ]
    across = [region for region in found if region[0] < 8 < region[1] or 8 in region]
    assert len(across) <= 1
    touching = [region for region in alone if 8 in region]
    for onset, offset in alone:
        kept = (onset, offset) in found
        assert kept or 8 in (onset, offset) or any(a <= onset and offset <= b for a, b in across)
    for onset, offset in found:
        assert (onset, offset) in alone + across or any(
            a <= onset and offset <= b for a, b in touching
        )
    for onset, offset in touching:
        passes = onset < 4 or offset > 12
        if passes or max(over[onset - 4 : offset - 4]) >= threshold:
            assert any(a <= onset and offset <= b for a, b in across)
        else:  # the frame at the joint is off
            edge = 8 if onset == 8 else 7
            assert not any(a <= edge < b for a, b in found)
    heard = [(4 + a, 4 + b) for a, b in regions_of(over, threshold)]
    for onset, offset in heard:
        if onset <= 8 < offset:
            assert any(a <= onset and offset <= b for a, b in across)


def regions_of(scores, threshold):
    on = np.diff(np.r_[0, np.array(scores) >= threshold, 0].astype(int))
    return list(
        zip(np.flatnonzero(on == 1).tolist(), np.flatnonzero(on == -1).tolist(), strict=True)
    )


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
