"""Scores are read where they are, and made once where they are not."""

import numpy as np
import pytest

from raysed.data.features.store import open_dataset
from raysed.predict.stored_scores import stored_scores
from raysed.storage.folder import Folder
from raysed.training.checkpoint import load_predictor
from tests.predict.small import checkpoint
from tests.predict.test_retune import CLIPS, data_set


def test_made_once_then_read(tmp_path):
    trial = Folder(str(tmp_path / "trial"))
    checkpoint(tmp_path / "trial" / "checkpoints", "best-xvalid.pt")
    data_set(tmp_path / "val", np.full((CLIPS, 2), 5))
    used = open_dataset(str(tmp_path / "val"), str(tmp_path / "cache"))
    said, loaded = [], []

    def predictor():
        loaded.append(1)
        return load_predictor(trial, "checkpoints/best-xvalid.pt")

    made, read = (stored_scores(trial, used, "xvalid", predictor, said.append) for _ in range(2))
    assert said == [f"scores/val.xvalid.arrow: not stored, scoring {CLIPS} clips"] and loaded == [1]
    np.testing.assert_array_equal(made.scores_NUK, read.scores_NUK)
    data_set(tmp_path / "other", np.full((CLIPS, 2), 5))
    (tmp_path / "trial/scores/other.xvalid.arrow").write_bytes(b"")
    other = open_dataset(str(tmp_path / "other"), str(tmp_path / "cache"))
    with pytest.raises(ValueError, match=r"other\.xvalid\.arrow: not whole scores"):
        stored_scores(trial, other, "xvalid", predictor, said.append)
