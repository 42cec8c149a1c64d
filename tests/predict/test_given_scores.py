"""Score files from elsewhere with their ground truth."""

import numpy as np
import pytest

from raysed.predict.given_scores import GivenScores


@pytest.fixture
def files(tmp_path):
    (tmp_path / "s").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"s/{name}.tsv").write_text(
            "onset\toffset\tDog\tCat\tBird\n0\t1\t0.9\t0.1\t0\n1\t2\t0.2\t0.6\t0\n"
        )
    (tmp_path / "gt.tsv").write_text(
        "filename\tonset\toffset\tevent_label\na.wav\t0\t1\tDog\nb.wav\t1\t2\tCat\nc.wav\t1\t2\tCat\n"
    )
    (tmp_path / "clips.tsv").write_text("filename\na.wav\nb.wav\n")
    return tmp_path


def test_classes_of_the_ground_truth_in_its_order(files):
    given = GivenScores(files / "s", files / "gt.tsv", clips=files / "clips.tsv")
    judged, remarks = given.read()
    assert judged.reference.classes == ("Cat", "Dog")
    assert judged.reference.filenames == ("a.wav", "b.wav")
    np.testing.assert_array_equal(judged.scores.scores_NTK[0], [[0.1, 0.9], [0.6, 0.2]])
    assert any("scores of Bird are left out" in line for line in remarks)


def test_what_is_refused(files):
    with pytest.raises(ValueError, match=r"no scores for clip c\.wav"):
        GivenScores(files / "s", files / "gt.tsv").read()
    (files / "s/a.tsv").write_text("onset\toffset\tDog\tCat\tBird\n0\t1\t3.5\t0.1\t0\n")
    with pytest.raises(ValueError, match="scores outside of 0 to 1"):
        GivenScores(files / "s", files / "gt.tsv", clips=files / "clips.tsv").read()
    (files / "empty").mkdir()
    with pytest.raises(ValueError, match="no score file"):
        GivenScores(files / "empty", files / "gt.tsv").read()
