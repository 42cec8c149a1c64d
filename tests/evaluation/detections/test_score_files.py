"""Scores that stay in their files are those that are read at once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raysed.evaluation.detections import score_files as module
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores, read_score_folder
from raysed.evaluation.detections.score_files import ScoreFiles, highest_of, open_score_folder

REFERENCE = Reference(
    ("a.wav", "b.wav"), np.array([2.0, 1.0]), ("Cat", "Dog"), Events.sort([], [], [], [])
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    head = "onset\toffset\tOwl\tDog\tCat\n"
    (tmp_path / "a.tsv").write_text(f"{head}0\t1\t.1\t.2\t.3\n1\t2\t.4\t.5\t.6\n")
    (tmp_path / "b.tsv").write_text(f"{head}0\t1\t.7\t.8\t.9\n")
    return tmp_path


def test_large_folders_stay_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clips of two frames and three classes, as the first of them, are 96 bytes."""
    expected = read_score_folder(folder, REFERENCE, ["Owl"])
    monkeypatch.setattr(module, "LARGE", 97)
    assert isinstance(open_score_folder(folder, REFERENCE, ["Owl"]), FrameScores)
    monkeypatch.setattr(module, "LARGE", 96)
    files = open_score_folder(folder, REFERENCE, ["Owl"])
    assert isinstance(files, ScoreFiles)
    assert (files.n_clips, files.n_classes, files.frame_s) == (2, 3, 1.0)
    whole = files.part(slice(None))
    np.testing.assert_array_equal(whole.scores_NTK, expected.scores_NTK)
    np.testing.assert_array_equal(whole.edges_NT1, expected.edges_NT1)
    last = files.classes(slice(1, None)).part(slice(1, 2))
    assert last.scores_NTK.tolist() == [[[0.8, 0.7]]]


def test_what_is_wrong_is_said_when_it_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", 0)
    (folder / "b.tsv").write_text("onset\toffset\tOwl\tDog\tCat\n0\t1\t.7\tx\t.9\n")
    files = open_score_folder(folder, REFERENCE, ["Owl"])
    files.part(slice(0, 1))
    with pytest.raises(ValueError, match=r"b.tsv, line 2: a score that is no number"):
        files.part(slice(1, 2))
    (folder / "b.tsv").unlink()
    with pytest.raises(ValueError, match=r"no scores for clip b\.wav"):
        open_score_folder(folder, REFERENCE, ["Owl"])


def test_a_class_has_the_highest_of_its_columns() -> None:
    scores_TK = np.array([[0.1, 0.5, 0.3], [0.6, 0.2, 0.4]])
    assert highest_of(scores_TK, ((1,), (2,))).tolist() == [[0.5, 0.3], [0.2, 0.4]]
    assert highest_of(scores_TK, ((2,), (0,))).tolist() == [[0.3, 0.1], [0.4, 0.6]]
    found = highest_of(scores_TK, ((0, 2), ()))
    assert found.tolist() == [[0.3, -np.inf], [0.6, -np.inf]]
    assert highest_of(scores_TK, ()).shape == (2, 0)


def test_files_are_told_apart_by_what_is_read_of_them(folder: Path) -> None:
    files = ScoreFiles((folder / "a.tsv",), ("Cat", "Dog", "Owl"), ((0,),))
    assert replace(files, own=((1,),)) != files
    assert files.part(slice(0, 1)).scores_NTK.ravel().tolist() == [0.3, 0.6]
