"""`raysed.score` gives what `raysed score` gives for the same rows in files."""

import numpy as np
import pandas as pd
import pytest

from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.score import score
from raysed.interface.score_frames import score_predictions

CLIPS = [f"{letter}.wav" for letter in "abcdef"]
TRUTH = pd.DataFrame(
    [(name, 1.0, 2.0 + n / 3, label) for n, name in enumerate(CLIPS) for label in ("Cat", "Dog")],
    columns=["filename", "onset", "offset", "event_label"],
)
FOUND = TRUTH.assign(onset=TRUTH.onset + np.linspace(0, 0.4, len(TRUTH)))
DURATIONS = dict.fromkeys(CLIPS, 10.0)


def test_tables_and_files_score_alike(tmp_path):
    for name, table in (("found", FOUND), ("truth", TRUTH)):
        table.to_csv(tmp_path / f"{name}.tsv", sep="\t", index=False)
    pd.Series(DURATIONS, name="duration").rename_axis("filename").to_csv(
        tmp_path / "durations.tsv", sep="\t"
    )
    paths = [tmp_path / f"{name}.tsv" for name in ("found", "truth", "durations")]
    expected = score(ScoreRequest(*paths, draws=50, versus=paths[1]))
    made = score_predictions(FOUND, TRUTH, DURATIONS, draws=50, versus=TRUTH)
    by_path = score_predictions(*map(str, paths), draws=50, versus=paths[1])
    assert by_path.found == expected
    assert {k: v for k, v in made.found.items() if k != "warnings"} == {
        k: v for k, v in expected.items() if k != "warnings"
    }
    assert made.warnings == tuple(
        w.replace(f"{paths[0]}", "predictions").replace(f"{paths[1]}", "versus")
        for w in expected["warnings"]
    )


def test_the_views_hold_the_same_numbers():
    made = score_predictions(FOUND, TRUTH, DURATIONS, draws=50, versus=TRUTH)
    value = made.found["event_f1"]
    assert made["event_f1"] == made.metrics.loc["event_f1", "value"] == value["value"]
    assert np.isnan(made["psds1"])
    assert made.per_class.loc["Dog", "events"] == 6
    assert (
        made.per_class.loc["Dog", "event_f1"] == made.found["per_class"]["Dog"]["event_f1"]["value"]
    )
    assert (
        made.versus.loc["event_f1", "difference"] == made.found["versus"]["event_f1"]["difference"]
    )
    assert score_predictions(FOUND, TRUTH, draws=50).versus is None
    assert "<table" in made._repr_html_()


def test_frame_scores_have_psds():
    frames = {
        name: pd.DataFrame(
            {
                "onset": np.arange(10.0),
                "offset": np.arange(1.0, 11),
                "Cat": 0.1,
                "Dog": np.eye(10)[1],
            }
        )
        for name in CLIPS
    }
    made = score_predictions(frames, TRUTH, DURATIONS, draws=50)
    assert np.isfinite(made["psds1"]) and made.found["threshold"] == 0.5


def test_a_fault_names_the_table_and_the_row():
    wrong = FOUND.assign(offset=np.where(FOUND.index == 3, 0.5, FOUND.offset))
    with pytest.raises(ValueError, match=r"^predictions, row 3: clip b.wav has its offset before"):
        score_predictions(wrong, TRUTH, DURATIONS)
    with pytest.raises(ValueError, match=r"^ground_truth, row 0: clip a.wav has no duration"):
        score_predictions(FOUND, TRUTH, {"b.wav": 10.0})
    with pytest.raises(ValueError, match="unknown option drawz"):
        score_predictions(FOUND, TRUTH, DURATIONS, **{"drawz": 3})
    with pytest.raises(ValueError, match="event_f2"):
        score_predictions(FOUND, TRUTH, DURATIONS, metrics=["event_f2"])


def test_times_in_memory_are_not_rounded_on_the_way():
    """x and x + .2 are at most .2 apart or not by their last bit, which the road through files has to keep."""
    onset_E = np.random.default_rng(0).random(500) * 10
    columns = {"filename": [f"{n:03d}.wav" for n in range(500)], "event_label": ["Cat"] * 500}
    truth = columns | {"onset": onset_E, "offset": onset_E + 1}
    hits = int((np.abs(onset_E + 0.2 - onset_E) <= 0.2).sum())
    made = score_predictions(truth | {"onset": onset_E + 0.2}, truth, draws=10)
    assert 0 < hits < 500 and made["event_f1"] == pytest.approx(hits / 500, abs=1e-12)
