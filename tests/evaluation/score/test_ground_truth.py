"""The clips that are scored: all, or those that are there."""

from pathlib import Path

from raysed.evaluation.score.ground_truth import read_reference, read_scored_set
from raysed.evaluation.score.request import ScoreRequest

HEADER = "filename\tonset\toffset\tevent_label\n"


def test_a_part_of_a_set_keeps_its_classes_and_order(tmp_path: Path) -> None:
    (tmp_path / "truth.tsv").write_text(HEADER + "b.wav\t1\t2\tB\na.wav\t0\t1\tA\nc.wav\t\t\t\n")
    (tmp_path / "left.tsv").write_text("filename\nc.wav\nb.wav\n")
    request = ScoreRequest(Path("p"), tmp_path / "truth.tsv", clips=tmp_path / "left.tsv")
    scored, _ = read_scored_set(request)
    assert scored.whole.filenames == ("a.wav", "b.wav", "c.wav")
    assert (scored.reference.filenames, scored.reference.classes) == (
        ("b.wav", "c.wav"),
        ("A", "B"),
    )
    events = scored.reference.events
    assert (events.clip_E.tolist(), events.label_E.tolist()) == ([0], [1])
    alone = ScoreRequest(Path("p"), tmp_path / "truth.tsv")
    assert read_scored_set(alone)[0].reference.key == read_reference(alone)[0].key
