"""Score files as sed_scores_eval reads them: a stored folder of ours, with the values it gave for it.

`score_folder/` holds what `write_scores` wrote for `written`, with the set's events and durations.
sed_scores_eval 0.0.4 (numpy 2.4) read these files by `intersection_based.psds(scores=FOLDER/scores,
ground_truth=FOLDER/truth.tsv, audio_durations=FOLDER/durations.tsv, ...)`.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from raysed.evaluation.detections.event_table import read_events_tsv
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import read_score_folder
from raysed.evaluation.metrics.psds import DEFINITIONS
from raysed.evaluation.metrics.threshold_free import threshold_free_psds
from raysed.predict.output import write_scores
from raysed.predict.recordings import RecordingScores
from raysed.predict.sources import Recording
from tests.evaluation.metrics.test_threshold_free import scored

STORED = Path(__file__).parent / "score_folder"


def written(folder: Path) -> Reference:
    """Six short clips of three classes, as prediction writes their scores; returns their reference."""
    reference, scores = scored(35, 1000, 6)
    for n, name in enumerate(reference.filenames):
        one = RecordingScores(
            scores.scores_NTK[n].astype("float16"), scores.edges_NT1[n], reference.durations_s[n]
        )
        write_scores(str(folder), Recording(name, name), one, reference.classes)
    return reference


def test_the_files_are_those_that_sed_scores_eval_read(tmp_path: Path) -> None:
    written(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in (STORED / "scores").iterdir()) and len(names) == 6
    for name in names:
        assert (tmp_path / name).read_bytes() == (STORED / "scores" / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("psds", 0.6848575878949713),
        ("psds1", 0.16922220455095627),
        ("psds2", 1.0),
    ],
)
def test_its_value_is_ours(name: str, expected: float) -> None:
    durations = pd.read_csv(STORED / "durations.tsv", sep="\t").set_index("filename")["duration"]
    events = read_events_tsv(STORED / "truth.tsv")
    classes = sorted(events["event_label"].unique())
    reference = Reference.from_frame(events, durations.to_dict(), classes)
    scores = read_score_folder(STORED / "scores", reference)
    found = threshold_free_psds(reference, scores, DEFINITIONS[name])
    assert found == pytest.approx(expected, abs=1e-12)


def test_recordings_of_one_name_in_two_folders_are_two_clips(tmp_path: Path) -> None:
    """What prediction writes for `day1/take.wav` is found again for the clip of that name alone."""
    names = ("day1/take.wav", "day2/take.wav", "day2/take.one.FLAC")
    values = (0.25, 0.5, 0.75)
    for name, value in zip(names, values, strict=True):
        one = RecordingScores(np.full((1, 1), value, np.float16), np.array([0.0, 1.0]), 1.0)
        write_scores(str(tmp_path), Recording(name, name), one, ("Cat",))
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.tsv"))
    assert found == ["day1/take.tsv", "day2/take.one.tsv", "day2/take.tsv"]
    clips = tuple(sorted(names))
    reference = Reference(clips, np.ones(3), ("Cat",), Events.sort([], [], [], []))
    scores = read_score_folder(tmp_path, reference)
    expected = [values[names.index(name)] for name in clips]
    assert scores.scores_NTK[:, 0, 0].tolist() == expected
