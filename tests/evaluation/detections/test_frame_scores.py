"""Frame scores: what a threshold finds in them, by hand, and how a folder of them is read."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import (
    NO_SCORE,
    FrameScores,
    as_one_set,
    read_score_folder,
    score_files,
)


def rows(events: Events) -> list[tuple[int, int, float, float]]:
    fields = (events.clip_E, events.label_E, events.onset_E, events.offset_E)
    return [tuple(row) for row in zip(*(field.tolist() for field in fields), strict=True)]


def one_class(scores: list[list[float]], dtype: type = np.float64) -> np.ndarray:
    return np.array(scores, dtype)[:, :, None]


def test_frames_are_cut_at_the_clips_end() -> None:
    scores = FrameScores.uniform(one_class([[1, 1, 1]] * 2), 0.5, np.array([1.5, 0.75]))
    assert scores.edges_NT1.tolist() == [[0, 0.5, 1, 1.5], [0, 0.5, 0.75, 0.75]]
    # What begins after the end has no length, and is no event.
    assert rows(scores.decode(0.5)) == [(0, 0, 0, 1.5), (1, 0, 0, 0.75)]
    late = FrameScores.uniform(one_class([[0, 0, 1]]), 0.5, np.array([0.75]))
    assert len(late.decode(0.5)) == 0


def test_regions_by_hand() -> None:
    scores_NTK = np.array([[[0.2, 0.9], [0.6, 0.5], [0.6, 0.1], [0.1, 0.7]]])
    scores = FrameScores(scores_NTK, np.array([[0.0, 1, 3, 3.5, 5]]))
    assert sorted(rows(scores.decode(0.5))) == [(0, 0, 1, 3.5), (0, 1, 0, 3), (0, 1, 3.5, 5)]
    assert sorted(rows(scores.decode(0.5, at_threshold=False))) == [
        (0, 0, 1, 3.5),
        (0, 1, 0, 1),
        (0, 1, 3.5, 5),
    ]
    kept = scores.classes(slice(1, 2))
    assert kept.scores_NTK.flags.c_contiguous
    assert sorted(rows(kept.decode(0.5))) == [(0, 0, 0, 3), (0, 0, 3.5, 5)]


def test_a_threshold_is_compared_in_the_scores_own_precision() -> None:
    """0.1 as float32 is a little more than 0.1 as float64; it is the same score all the same."""
    single = FrameScores(one_class([[0.1]], np.float32), np.array([[0.0, 1.0]]))
    assert len(single.decode(0.1)) == 1
    assert len(single.decode(0.1, at_threshold=False)) == 0
    assert len(single.decode(float(np.nextafter(np.float32(0.1), np.float32(1))))) == 0


@given(
    values=st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=12),
    low=st.floats(-2, 2, width=32),
    step=st.floats(0, 1, width=32),
)
def test_a_higher_threshold_finds_nothing_else(
    values: list[float], low: float, step: float
) -> None:
    scores = FrameScores(one_class([values]), np.arange(len(values) + 1.0)[None])

    def frames(threshold: float) -> set[int]:
        found = rows(scores.decode(threshold))
        return {t for _, _, onset, offset in found for t in range(int(onset), int(offset))}

    assert frames(low) == {t for t, value in enumerate(values) if value >= low}
    assert frames(low + step) <= frames(low)
    above = rows(scores.decode(low, at_threshold=False))
    assert sum(int(offset - onset) for *_, onset, offset in above) == sum(v > low for v in values)


@pytest.mark.parametrize(
    ("values", "inside"),
    [
        ([0.0, 1.0], True),
        ([-np.inf, 0.5], True),
        ([-np.inf, -np.inf], True),
        ([0.5, 1.01], False),
        ([-0.1, 0.5], False),
    ],
)
def test_scores_of_any_scale_are_told_from_probabilities(values: list[float], inside: bool) -> None:
    assert FrameScores(one_class([values]), np.zeros((1, 3))).in_unit_interval is inside


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def reference(*names: str) -> Reference:
    return Reference(names, np.full(len(names), 3.0), ("A", "B"), Events.sort([], [], [], []))


def test_shorter_clips_end_in_frames_without_length_or_score(tmp_path: Path) -> None:
    write(tmp_path / "x/one.tsv", "onset\toffset\tB\tA\n0\t1\t.2\t.1\n1\t2.5\t.4\t.3\n")
    write(tmp_path / "two.tsv", "onset\toffset\tA\tB\n0\t2\t.5\t.6\n")
    scores = read_score_folder(tmp_path, reference("two.wav", "x/one.wav"))
    # In the order of the reference's clips and classes.
    assert scores.scores_NTK[0].tolist() == [[0.5, 0.6], [-np.inf, -np.inf]]
    assert scores.scores_NTK[1].tolist() == [[0.1, 0.2], [0.3, 0.4]]
    assert scores.edges_NT1.tolist() == [[0, 2, 2], [0, 1, 2.5]]


def test_hidden_files_are_no_scores(tmp_path: Path) -> None:
    for name in ("a.tsv", "b/c.tsv", ".d.tsv", ".e/f.tsv", "g.txt"):
        write(tmp_path / name, "")
    assert list(score_files(tmp_path)) == ["a", "b/c"]


def test_clips_and_files_must_meet(tmp_path: Path) -> None:
    write(tmp_path / "a.tsv", "onset\toffset\tA\tB\n0\t1\t0\t0\n")
    with pytest.raises(ValueError, match=r"no scores for clip b\.wav: b\.tsv is missing \(1 such"):
        read_score_folder(tmp_path, reference("a.wav", "b.wav"))
    with pytest.raises(ValueError, match=r"a\.tsv: a is not one of the 1 clips .* such as c\.wav"):
        read_score_folder(tmp_path, reference("c.wav"))


@pytest.mark.parametrize(
    ("score_T", "edge_T1", "message"),
    [
        ([0.1, np.nan], [0, 1, 2], "frame 1, class 0 is NaN"),
        ([0.1], [0, 1, 2], r"edges \(1, 3\) do not fit scores"),
        ([0.1, 0.2], [0, 2, 1], "do not fall"),
        ([0.1], [0, np.inf], "finite seconds"),
    ],
)
def test_scores_that_are_none_are_refused(
    score_T: list[float], edge_T1: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        FrameScores(np.array(score_T).reshape(1, -1, 1), np.array([edge_T1], float))


def test_columns_of_other_classes_come_last(tmp_path: Path) -> None:
    write(tmp_path / "a.tsv", "onset\toffset\tOwl\tB\tA\n0\t1\t.5\t.1\t.2\n")
    found = read_score_folder(tmp_path, reference("a.wav"), ["Owl"])
    assert found.scores_NTK.tolist() == [[[0.2, 0.1, 0.5]]]
    assert found.classes(slice(2, None)).scores_NTK.tolist() == [[[0.5]]]
    with pytest.raises(ValueError, match=r"a.tsv, line 1: .*unknown \['Owl'\]"):
        read_score_folder(tmp_path, reference("a.wav"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("0\t1\t.1\tnan\n", "line 2: a score that is no number"),
        ("0\t1\t.1\t.2\n\n1\t2\tinf\t.1\n", "line 4: a score that is no number"),
        ("0\t0\t.1\t.2\n", "line 2: a frame without length"),
        ("0\t1\t.1\t.2\n1.1\t2\t.1\t.2\n", "line 3: a frame that does not begin where"),
        ("", "line 2: a clip without frames"),
    ],
)
def test_rows_are_refused_with_their_line(tmp_path: Path, rows: str, message: str) -> None:
    write(tmp_path / "a.tsv", "onset\toffset\tA\tB\n" + rows)
    with pytest.raises(ValueError, match=f"a.tsv, {message}"):
        read_score_folder(tmp_path, reference("a.wav"))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_clips_of_any_lengths_in_any_order_are_one_set(lengths: list[int]) -> None:
    clips = [(np.full((n, 2), n / 10), np.arange(n + 1.0)) for n in lengths]
    found = as_one_set(iter(clips), len(clips))
    longest = max(lengths)
    assert found.scores_NTK.shape == (len(clips), longest, 2)
    assert found.edges_NT1.shape == (len(clips), longest + 1)
    for n, scores_TK, edge_T1 in zip(lengths, found.scores_NTK, found.edges_NT1, strict=True):
        assert (scores_TK[:n] == n / 10).all() and (scores_TK[n:] == NO_SCORE).all()
        assert edge_T1.tolist() == [min(t, n) for t in range(longest + 1)]
