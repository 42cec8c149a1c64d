"""Work on parts of a set, in order and with a word about it."""

from pathlib import Path

import numpy as np
import pytest

from raysed.evaluation.detections import score_parts as module
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.score_files import ScoreFiles
from raysed.pulse import Pulse

SCORES = FrameScores(np.arange(7.0).reshape(7, 1, 1) / 7, np.array([[0.0, 1.0]] * 7))


def test_parts_come_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLIPS_AT_ONCE", 3)
    found = module.over_parts(SCORES, lambda clips, part: (clips, part.scores_NTK.max()))
    assert found == [(slice(0, 3), 2 / 7), (slice(3, 6), 5 / 7), (slice(6, 7), 6 / 7)]


def test_it_says_how_far_the_files_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLIPS_AT_ONCE", 2)
    monkeypatch.setattr(module, "TELL_S", -1.0)
    for n in range(3):
        (tmp_path / f"{n}.tsv").write_text("onset\toffset\tCat\n0\t1\t0.5\n")
    said: list[str] = []
    paths = tuple(sorted(tmp_path.glob("*.tsv")))
    files = ScoreFiles(paths, ("Cat",), ((0,),), Pulse(said.append))
    module.over_parts(files, lambda clips, part: None, "counts")
    assert said == ["counts: 2 of 3 clips read", "counts: 3 of 3 clips read"]
