"""What `benchmarks.predict` counts, that its two sides agree, and that docs/predict.md shows what is stored."""

import json

import numpy as np
import pytest

from benchmarks.gpu_check import PARTS
from benchmarks.predict import demo_checkpoint, ours, plainly
from benchmarks.predict_agreement import agreement, compare, draw, read_clips, write_recording
from benchmarks.predict_tables import tables
from raysed.data.windows import Grid
from tests.paths import ROOT
from tests.predict.small import FEATURES, bursts, detector

GRID = Grid(rate_hz=100, window=100, frame=7, frames=15)
STORED = json.loads((ROOT / "benchmarks" / "results" / "predict.json").read_text())


def numbers(recording, alone):
    made = compare(recording, alone, GRID, clips=3)
    return made.alone, made.apart, made.equal, made.covered, made.other, made.new


def test_events_away_from_joints_are_equal_covered_or_other():
    equal, inside, lost = (10, 20, "A"), (150, 160, "A"), (250, 260, "B")
    across, unknown = (140, 210, "A"), (220, 230, "A")
    assert numbers([equal, across], [equal, inside]) == (2, 2, 1, 1, 0, 0)
    assert numbers([equal, unknown], [equal, lost]) == (2, 2, 1, 0, 1, 1)
    # Another label covers nothing, nor does an event that lies at no joint.
    assert numbers([(140, 210, "B")], [inside]) == (1, 1, 0, 0, 1, 0)
    assert numbers([(140, 170, "A")], [inside]) == (1, 1, 0, 0, 1, 1)


def test_what_is_left_of_an_event_at_a_joint_is_not_new():
    at_joint, piece = (100, 140, "A"), (120, 140, "A")
    made = compare([piece], [at_joint], GRID, clips=3)
    assert (made.apart, made.left, made.new) == (0, 1, 0)
    made = compare([piece], [(100, 130, "A"), (100, 140, "B"), (110, 150, "A")], GRID, clips=3)
    assert (made.apart, made.left, made.new) == (1, 0, 1)


def test_events_at_joints_are_not_compared_and_the_ends_are_no_joints():
    assert numbers([], [(80, 100, "A"), (100, 120, "A")]) == (2, 0, 0, 0, 0, 0)
    # Frames of 98 samples in windows of 100: the last one lies at the joint.
    shorter = Grid(rate_hz=100, window=100, frame=7, frames=14)
    assert compare([(80, 100, "A")], [(80, 98, "A")], shorter, clips=3).apart == 0
    assert compare([], [(80, 91, "A")], shorter, clips=3).apart == 1
    ends = [(0, 20, "A"), (280, 300, "A")]
    assert numbers(ends, ends) == (2, 2, 2, 0, 0, 0)


def test_short_events_that_begin_at_a_joint_are_counted():
    alone = [(0, 10, "A"), (100, 139, "A"), (100, 140, "B"), (201, 210, "A")]
    made = compare([(100, 130, "B"), (200, 210, "A"), *alone], alone, GRID, clips=3)
    assert (made.short_alone, made.short_in_recording) == (1, 3)


def test_no_clip_comes_again_before_all_have_come():
    order = draw(5, 12, seed=0)
    assert len(order) == 12
    assert sorted(order[:5]) == sorted(order[5:10]) == list(range(5))
    assert order != draw(5, 12, seed=1)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    made = detector(tmp_path_factory.mktemp("checkpoint"))
    return made, [bursts(FEATURES.duration_s, seed=n) for n in range(6)]


def test_prediction_keeps_the_rule(small, tmp_path):
    made, windows = small
    found = agreement(made, windows, 8, 2, tmp_path)
    assert [one["threshold"] for one in found] == [0.5, 0.3, 0.2]
    for one in found:
        assert one["n"] == 2
        assert one["equal"] > 10, "the events are too few to say anything"
        assert one["equal"] + one["covered"] == one["apart"] < one["alone"]
        assert one["other"] == one["new"] == 0
        assert one["equal_share_min"] <= one["equal_share_max"] <= 1


def test_both_sides_of_the_row_give_the_same_scores(small, tmp_path):
    made, clips = small
    source = write_recording(tmp_path / "recording.flac", clips, made.grid)
    expected = plainly(made, source)
    assert len(expected) > 6 * made.grid.frames - 6
    np.testing.assert_allclose(ours(made, source), expected, atol=1e-3)


def test_clips_are_as_long_as_a_window(small, tmp_path):
    made, (clip_T, *_) = small
    for name, wave_T in (("long", np.tile(clip_T, 2)), ("short", clip_T[:5000])):
        write_recording(tmp_path / f"{name}.flac", [wave_T], made.grid)
    long_T, short_T = read_clips(str(tmp_path), made.grid)
    np.testing.assert_allclose(long_T, clip_T, atol=1e-4)
    assert len(short_T) == made.grid.window and not short_T[5000:].any()
    (tmp_path / "short.flac").unlink()
    with pytest.raises(ValueError, match="holds 1 clips, expected at least two"):
        read_clips(str(tmp_path), made.grid)


def test_without_the_demo_a_checkpoint_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="run `make demo`, or give CHECKPOINT AUDIO"):
        demo_checkpoint()


def test_the_documents_tables_are_the_stored_result():
    text = (ROOT / "docs" / "predict.md").read_text()
    for line in tables(STORED):
        assert f"{line}\n" in text, line
    lines = [line for line in text.split("### Long")[1].split("\n## ")[0].splitlines() if line]
    assert {line for line in lines if line[0] == "|"} == set(tables(STORED)) - {""}


def test_the_documents_sentences_are_the_stored_result():
    text = " ".join((ROOT / "docs" / "predict.md").read_text().split())
    one, row = STORED["agreement"][0], STORED["rows"][0]
    assert one["threshold"] == 0.5
    assert f"at 0.5, {one['short_alone']} of {one['alone']} events of the clips alone" in text
    assert f"{one['short_in_recording']} of {one['in_recording']} of the files" in text
    spread = f"{row['ratio']} ({row['ratio_min']} to {row['ratio_max']}, n = {row['n']})"
    assert (
        f"{spread} times as fast as one window after the other, the scores within {row['error']},"
        in text
    )
    files = f"{one['n']} files, each of {STORED['clips_in_10_minutes']} of the {STORED['clips']}"
    assert files in text
    assert f"real-time factor {STORED['costs'][-1]['real_time_factor']}" in text


def test_none_of_the_stored_events_breaks_the_rule():
    for one in STORED["agreement"]:
        assert one["other"] == one["new"] == 0
        assert one["equal"] + one["covered"] == one["apart"]


def test_prediction_is_part_of_the_check_on_a_gpu():
    assert PARTS["predict"]("cpu")["ok"]
