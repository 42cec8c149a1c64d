"""Predictions of a model whose classes are not those of the labels."""

import pytest

from raysed.evaluation.score.certificate import certificate_of, found_by
from raysed.evaluation.score.label_map import read_label_map
from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.score import score


@pytest.fixture
def place(tmp_path):
    """Labels of Dog and Speech; a system that calls them Bark and Talk and hears Rain, too."""
    head = "filename\tonset\toffset\tevent_label\n"
    (tmp_path / "gt.tsv").write_text(
        head + "a.wav\t0\t2\tDog\na.wav\t3\t5\tSpeech\nb.wav\t1\t3\tDog\n"
    )
    (tmp_path / "p.tsv").write_text(
        head + "a.wav\t0\t2\tBark\na.wav\t3\t5\tTalk\nb.wav\t1\t3\tGrowl\nb.wav\t4\t5\tRain\n"
    )
    (tmp_path / "map.tsv").write_text(
        "predicted\tevent_label\nBark\tDog\nGrowl\tDog\nTalk\tSpeech\n"
    )
    (tmp_path / "s").mkdir()
    frames = {"a": [(0, 2, 0.9, 0, 0), (2, 3, 0, 0, 0), (3, 5, 0, 0.8, 0)],
              "b": [(0, 1, 0, 0, 0), (1, 3, 0, 0, 0.7), (3, 5, 0, 0, 0)]}  # fmt: skip
    for name, rows in frames.items():
        text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
        (tmp_path / f"s/{name}.tsv").write_text("onset\toffset\tBark\tTalk\tGrowl\n" + text)
    return tmp_path


def request(place, predictions="p.tsv", **more):
    about = {"draws": 100, "metrics": ("event_f1",)} | more
    return ScoreRequest(place / predictions, place / "gt.tsv", **about)


def test_a_map_makes_them_one(place):
    assert score(request(place))["event_f1"]["value"] == 0.0
    for predictions in ("p.tsv", "s"):
        found = score(request(place, predictions, label_map=place / "map.tsv"))
        assert found["event_f1"]["value"] == 1.0, predictions
    table = score(request(place, label_map=place / "map.tsv"))
    assert any("Rain 1" in line for line in table["warnings"])


def test_a_class_without_a_column_is_said(place):
    (place / "map.tsv").write_text("predicted\tevent_label\nBark\tDog\nGrowl\tDog\n")
    found = score(request(place, "s", label_map=place / "map.tsv"))
    assert any("no scores of Speech" in line for line in found["warnings"])
    assert found["per_class"]["Dog"]["event_f1"]["value"] == 1.0


def test_some_classes_alone(place):
    found = score(request(place, label_map=place / "map.tsv", classes=("Dog",)))
    assert found["classes"] == ["Dog"] and found["clips"] == 2
    assert found["event_f1"]["value"] == 1.0


def test_what_is_refused(place):
    with pytest.raises(ValueError, match=r"--classes: Dogs is no class.*did you mean Dog\?"):
        score(request(place, classes=("Dogs",)))
    (place / "map.tsv").write_text("predicted\tevent_label\nBark\tDogs\n")
    with pytest.raises(ValueError, match="--map: Dogs is no class of the ground truth"):
        score(request(place, label_map=place / "map.tsv"))
    (place / "map.tsv").write_text("predicted\tevent_label\nBark\tDog\nBark\tSpeech\n")
    with pytest.raises(ValueError, match=r"map\.tsv, line 3: Bark is Dog and Speech"):
        read_label_map(place / "map.tsv")
    (place / "map.tsv").write_text("predicted\tevent_label\nBark\t\n")
    with pytest.raises(ValueError, match=r"line 2: an empty name"):
        read_label_map(place / "map.tsv")


def test_a_certificate_holds_both(place):
    asked = request(place, label_map=place / "map.tsv", classes=("Dog",))
    found = certificate_of(asked, found_by(asked))
    assert found["options"]["classes"] == ["Dog"] and "label_map" in found["files"]
