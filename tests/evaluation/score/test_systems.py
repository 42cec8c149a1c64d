"""Two systems on the clips that are scored."""

from pathlib import Path

import pytest

from raysed.evaluation.score.ground_truth import read_scored_set
from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.systems import differences, known, read_system

HEADER = "filename\tonset\toffset\tevent_label\n"


@pytest.fixture
def request_for(tmp_path: Path) -> ScoreRequest:
    rows = "".join(f"{name}.wav\t1\t2\tA\n" for name in "abcd")
    for name, text in {
        "truth": rows,
        "good": rows,
        "poor": rows.replace("c.wav\t1", "c.wav\t0"),
    }.items():
        (tmp_path / f"{name}.tsv").write_text(HEADER + text)
    (tmp_path / "left.tsv").write_text("filename\na.wav\nc.wav\n")
    return ScoreRequest(
        tmp_path / "poor.tsv", tmp_path / "truth.tsv", clips=tmp_path / "left.tsv", draws=50
    )


def test_both_are_read_for_the_clips_that_are_scored(request_for: ScoreRequest) -> None:
    scored, _ = read_scored_set(request_for)
    assert scored.reference.filenames == ("a.wav", "c.wav") and scored.missing == ("b.wav", "d.wav")
    poor = read_system(request_for, request_for.predictions, scored)
    good = read_system(request_for, request_for.ground_truth.with_name("good.tsv"), scored)
    assert poor.statistics.n_clips == 2 and not poor.has("psds") and poor.has("event_f1")
    found, _ = differences(request_for, poor, good)
    assert found["event_f1"]["difference"] == 0.5 - 1.0
    assert found["psds"] is None


def test_what_is_not_known_is_none() -> None:
    assert (known(float("nan")), known(0.25)) == (None, 0.25)
