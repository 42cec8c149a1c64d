"""Files as people have them: what `score` makes of their classes, names, scores and surplus columns."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sed_eval

from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.score import score
from tests.evaluation.oracles import AnyEvents, Case, evaluator, frame, random_case

HEADER = "filename\tonset\toffset\tevent_label\n"
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def table(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return table


def scores_of(predictions: Path, truth: Path, **more: Any) -> dict[str, Any]:
    return score(ScoreRequest(predictions, truth, draws=10, **more))


def said(found: dict[str, Any], text: str) -> bool:
    return any(text in warning for warning in found["warnings"])


def test_false_alarms_of_a_class_without_events_are_named_and_stay_out_of_the_mean(
    write: Write,
) -> None:
    truth = write("truth.tsv", HEADER + "a.wav\t1\t2\tA\nb.wav\t\t\t\n")
    one = write("one.tsv", HEADER + "a.wav\t1\t2\tA\nb.wav\t4\t5\tB\n")
    found = scores_of(one, truth)
    assert (found["event_f1"]["value"], found["segment_f1"]["value"]) == (1.0, 1.0)
    assert (found["classes"], list(found["per_class"])) == (["A"], ["A"])
    assert said(found, "1 false alarm of classes without an event in the ground truth")
    assert said(found, ": B 1")
    metric = sed_eval.sound_event.EventBasedMetrics(["A", "B"], t_collar=0.2)
    of_a, of_b = ({"filename": "a.wav"}, {"filename": "b.wav"})
    event_a = {"onset": 1.0, "offset": 2.0, "event_label": "A"}
    event_b = {"onset": 4.0, "offset": 5.0, "event_label": "B"}
    metric.evaluate([of_a | event_a], [of_a | event_a])
    metric.evaluate([of_b], [of_b | event_b])
    assert metric.results_class_wise_average_metrics()["f_measure"]["f_measure"] == 1.0
    assert metric.results_overall_metrics()["f_measure"]["f_measure"] == pytest.approx(2 / 3)


def test_psds_leaves_out_classes_without_events_as_psds_eval_does(
    write: Write, tmp_path: Path
) -> None:
    case = random_case(3)
    foreign = pd.DataFrame(
        {"filename": ["clip0000.wav"], "onset": [0.5], "offset": [1.5], "event_label": ["Owl"]}
    )
    oracle = evaluator(case, cls=AnyEvents)
    for threshold, events in case.points.items():
        table = pd.concat([frame(events, case.reference), foreign], ignore_index=True)
        oracle.add_operating_point(table)
        write(f"points/{threshold}.tsv", table.to_csv(sep="\t", index=False))
    truth = frame(case.reference.events, case.reference)
    durations = pd.DataFrame(
        {"filename": case.reference.filenames, "duration": case.reference.durations_s}
    )
    found = scores_of(
        tmp_path / "points",
        write("truth.tsv", truth.to_csv(sep="\t", index=False)),
        durations=write("durations.tsv", durations.to_csv(sep="\t", index=False)),
    )
    expected = oracle.psds(alpha_ct=1.0, alpha_st=0.0, max_efpr=100).value
    assert found["psds"]["value"] == pytest.approx(expected, abs=1e-12)
    assert said(found, "1 false alarm at 0.5 of classes without an event in the ground truth")


def score_files(
    write: Write, names: list[str], header: str, rows: str, folder: str = "scores"
) -> Path:
    files = [(f"{folder}/{name}.tsv", f"onset\toffset\t{header}\n{rows}") for name in names]
    path = [write(name, text) for name, text in files][-1]
    return next(parent for parent in path.parents if parent.name == folder)


def test_score_files_may_have_more_classes_than_the_ground_truth(write: Write) -> None:
    truth = write("truth.tsv", HEADER + "a.wav\t1\t2\tA\nb.wav\t\t\t\n")
    durations = write("durations.tsv", "filename\tduration\na.wav\t3\nb.wav\t3\n")
    rows = "0\t1\t0.1\t0.2\t.7\n1\t2\t0.1\t.9\t.1\n2\t3\t.8\t0.2\t.9\n"
    scores = score_files(write, ["a", "b"], "C\tA\tB", rows)
    plain = score_files(write, ["a", "b"], "A", "0\t1\t.2\n1\t2\t.9\n2\t3\t.2\n", "plain")
    found = scores_of(scores, truth, durations=durations, versus=plain)
    assert said(found, "6 false alarms at 0.5 of classes without an event")
    assert said(found, ": B 4, C 2")
    alone = scores_of(plain, truth, durations=durations, versus=scores)
    assert said(alone, "6 false alarms at 0.5")
    for name in ("event_f1", "psds", "psds1", "all_thresholds"):
        assert found[name] == alone[name]
    assert found["versus"]["psds"]["difference"] == 0


def test_bounding_boxes_and_logits(write: Write) -> None:
    """-inf between boxes is no score; values outside [0, 1] give the operating points themselves."""
    truth = write("truth.tsv", HEADER + "a.wav\t1\t2\tA\n")
    durations = write("durations.tsv", "filename\tduration\na.wav\t3\n")
    boxes = score_files(write, ["a"], "A", "0\t1\t-inf\n1\t2\t.9\n2\t3\t-inf\n", "boxes")
    found = scores_of(boxes, truth, durations=durations)
    assert (found["event_f1"]["value"], found["psds"]["value"]) == (1.0, 1.0)
    assert found["all_thresholds"]["psds"]["value"] == 1.0
    assert not said(found, "outside [0, 1]")
    logits = score_files(write, ["a"], "A", "0\t1\t-4\n1\t2\t0.25\n2\t3\t-3\n", "logits")
    found = scores_of(logits, truth, durations=durations)
    assert (found["event_f1"]["value"], found["event_f1"]["threshold"]) == (0.0, 0.5)
    assert said(found, "F1 at 0.5 of the values as they are (--threshold)")
    assert (found["psds"]["value"], found["all_thresholds"]["psds"]["value"]) == (1.0, 1.0)
    found = scores_of(logits, truth, durations=durations, threshold=-1.0)
    assert (found["event_f1"]["value"], found["event_f1"]["threshold"]) == (1.0, -1.0)


@pytest.mark.parametrize(("at_threshold", "expected"), [("event", 1.0), ("none", 0.0)])
def test_a_score_at_the_threshold(write: Write, at_threshold: Any, expected: float) -> None:
    truth = write("truth.tsv", HEADER + "a.wav\t1\t2\tA\n")
    scores = score_files(write, ["a"], "A", "0\t1\t.2\n1\t2\t.5\n2\t3\t.2\n")
    found = scores_of(scores, truth, at_threshold=at_threshold)
    assert found["event_f1"]["value"] == expected


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_above_the_threshold_is_strictly_above(precision: type) -> None:
    score_T = np.array([0.5, np.nextafter(precision(0.5), precision(1)), 0.4], precision)
    scores = FrameScores(score_T.reshape(1, 3, 1), np.arange(4.0)[None])
    assert scores.decode(0.5).onset_E.tolist() == [0.0]
    assert scores.decode(0.5, at_threshold=False).onset_E.tolist() == [1.0]


def test_score_files_in_sub_folders_are_those_of_their_clips(write: Write) -> None:
    rows = HEADER + "day1/take.wav\t1\t2\tA\nday2/take.wav\t0\t1\tA\n"
    truth = write("truth.tsv", rows)
    score_files(write, ["day1/take"], "A", "0\t1\t.2\n1\t2\t.9\n")
    folder = score_files(write, ["day2/take"], "A", "0\t1\t.9\n1\t2\t.2\n")
    write("scores/.Trash/take.tsv", "not read")
    assert scores_of(folder, truth)["event_f1"]["value"] == 1.0
    flat = score_files(write, ["take"], "A", "0\t1\t.2\n1\t2\t.9\n", "flat")
    with pytest.raises(ValueError, match="take is not one of the 2 clips of the set, such as day1"):
        scores_of(flat, truth)
    one = write("one.tsv", HEADER + "day1/take.wav\t1\t2\tA\n")
    assert scores_of(flat, one)["event_f1"]["value"] == 1.0


@pytest.mark.parametrize(
    ("named", "called"),
    [
        ("a.wav", "a.WAV"),
        ("a.wav", "a"),
        ("a", "a.wav"),
        ("a.wav", "audio/eval/a.wav"),
        ("audio/eval/a.wav", "a.wav"),
        ("a.flac", "a.wav"),
        ("Y1_30.000_40.000.wav", "Y1_30.000_40.000"),
        ("Y1_30.000_40.000", "Y1_30.000_40.000.wav"),
    ],
)
def test_names_that_mean_one_clip_are_matched_and_said(
    write: Write, named: str, called: str
) -> None:
    truth = write("truth.tsv", HEADER + f"{named}\t1\t2\tA\nb.wav\t1\t2\tA\n")
    predictions = write("one.tsv", HEADER + f"{called}\t1\t2\tA\nb.wav\t1\t2\tA\n")
    durations = write("durations.tsv", f"filename\tduration\n{called}\t10\nb.wav\t10\n")
    found = scores_of(predictions, truth, durations=durations)
    assert (found["event_f1"]["value"], found["clips"]) == (1.0, 2)
    for file in ("one.tsv", "durations.tsv"):
        assert said(
            found, f"{file}: 1 clip is called otherwise than in the ground truth: {called} is"
        )


@pytest.mark.parametrize(
    ("truth", "predictions"),
    [
        (["day1/a.wav", "day2/a.wav"], ["a.wav"]),
        (["day1/a.wav"], ["day2/a.wav"]),
        (["Y1_30.000_40.000"], ["Y1_30.000_40"]),
    ],
)
def test_names_that_mean_no_clip_or_several_are_refused(
    write: Write, truth: list[str], predictions: list[str]
) -> None:
    given = [HEADER + "".join(f"{name}\t1\t2\tA\n" for name in names)
             for names in (truth, predictions)]  # fmt: skip
    with pytest.raises(
        ValueError, match=rf"one.tsv, line \d: clip {predictions[-1]} is not one of"
    ):
        scores_of(write("one.tsv", given[1]), write("truth.tsv", given[0]))


def test_quotation_marks_are_a_part_of_names(write: Write) -> None:
    """Read with quoting, the rows between the two marks are one field: 2 clips of 5."""
    names = ['"a.wav', "b.wav", "c.wav", 'd.wav"', "e.wav"]
    rows = HEADER + "".join(f"{name}\t1\t2\tA\n" for name in names)
    found = scores_of(write("one.tsv", HEADER + "e.wav\t1\t2\tA\n"), write("truth.tsv", rows))
    assert found["clips"] == 5
    assert found["event_f1"]["value"] == pytest.approx(2 / 6)


def test_soft_labels_in_the_ground_truth_are_refused_by_name(write: Write) -> None:
    columns = HEADER.rstrip("\n") + "\tconfidence\n"
    truth = write("truth.tsv", columns + "a.wav\t1\t2\tA\t1.0\na.wav\t4\t5\tA\t0.05\n")
    predictions = write("one.tsv", HEADER + "a.wav\t1\t2\tA\n")
    with pytest.raises(ValueError, match=r"truth.tsv, line 1: the column confidence weighs the r"):
        scores_of(predictions, truth)


def test_other_surplus_columns_are_named(write: Write) -> None:
    columns = HEADER.rstrip("\n") + "\tfold\n"
    truth = write("truth.tsv", columns + "a.wav\t1\t2\tA\t3\n")
    weighed = HEADER.rstrip("\n") + "\tscore\n"
    predictions = write("one.tsv", weighed + "a.wav\t1\t2\tA\t.05\n")
    found = scores_of(predictions, truth)
    assert said(found, "truth.tsv: not used: the column fold; each row counts as one event")
    assert said(found, "one.tsv: not used: the column score; each row counts as one event")


def test_clips_that_no_prediction_names_are_counted(write: Write) -> None:
    rows = "".join(f"{name}.wav\t1\t2\tA\n" for name in "abc")
    found = scores_of(write("one.tsv", HEADER + "a.wav\t1\t2\tA\nb.wav\n"),
                      write("truth.tsv", HEADER + rows))  # fmt: skip
    assert said(found, "one.tsv: no row names 1 of the 3 clips")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("x" * 131_073 + "\t1\t2\tA", "one.tsv, line 2: a field of 131,073 characters"),
        (".\t1\t2\tA", "one.tsv, line 2: clip . is not one of the 1 clips"),
        ("a.wav \t1\t2\tA", "one.tsv, line 2: the filename 'a.wav ' begins or ends with a blank"),
        ("a.wav\t-0.5\t2\tA", "one.tsv, line 2: clip a.wav has an onset before 0 s"),
    ],
)
def test_rows_are_refused_with_file_and_line(write: Write, row: str, message: str) -> None:
    truth = write("truth.tsv", HEADER + "a.wav\t1\t2\tA\n")
    with pytest.raises(ValueError, match=message):
        scores_of(write("one.tsv", HEADER + row + "\n"), truth)


def test_utf_16_is_refused_by_name(write: Write, tmp_path: Path) -> None:
    truth = write("truth.tsv", HEADER + "a.wav\t1\t2\tA\n")
    (tmp_path / "one.tsv").write_text(HEADER, encoding="utf-16")
    with pytest.raises(ValueError, match=r"one.tsv: is UTF-16 text; save it as UTF-8"):
        scores_of(tmp_path / "one.tsv", truth)


def test_copies_of_a_detection_count_each_as_psds_eval_counts_them(write: Write) -> None:
    truth = Events.sort([0], [0], [1.0], [2.0])
    copies = Events.sort([0, 0], [0, 0], [4.0, 4.0], [5.0, 5.0])
    reference = Reference(("a.wav",), np.array([10.0]), ("A",), truth)
    oracle = evaluator(Case(reference, {0.5: copies}), cls=AnyEvents.__base__)
    oracle.add_operating_point(frame(copies, reference))
    assert oracle.operating_points.counts[0][0, 1] == 2
    found = scores_of(
        write("one.tsv", frame(copies, reference).to_csv(sep="\t", index=False)),
        write("truth.tsv", frame(truth, reference).to_csv(sep="\t", index=False)),
    )
    assert said(found, "1 detections overlap another one of their class and clip; each counts")


def test_hidden_files_in_a_folder_of_predictions_are_passed_over(write: Write) -> None:
    """macOS leaves `._name` beside every file that it copies."""
    truth = write("truth.tsv", HEADER + "a.wav\t1\t2\tA\nb.wav\t\t\t\n")
    for point in ("0.1", "0.5", "0.9"):
        points = write(f"points/{point}.tsv", HEADER + "a.wav\t1\t2\tA\n").parent
    write("points/._0.1.tsv", "\0")
    assert scores_of(points, truth)["event_f1"]["value"] == 1
    scores = score_files(write, ["a", "b"], "A", "0\t1\t0\n1\t2\t.9\n")
    write("scores/._a.tsv", "\0")
    assert scores_of(scores, truth)["event_f1"]["value"] == pytest.approx(2 / 3)


def test_classes_that_are_not_chosen_are_no_false_alarms(write: Write) -> None:
    """B has an event: to say that it has none would be false."""
    rows = "a.wav\t1\t2\tA\na.wav\t3\t4\tB\n"
    truth = write("truth.tsv", HEADER + rows + "b.wav\t\t\t\n")
    found = scores_of(write("one.tsv", HEADER + rows), truth, classes=("A",))
    assert said(found, "1 detection is of classes that are not among those to score: B 1")
    assert not said(found, "without an event")
    scores = score_files(write, ["a", "b"], "A\tB", "0\t1\t0\t.8\n1\t2\t.9\t.1\n")
    found = scores_of(scores, truth, classes=("A",))
    assert said(found, "2 detections are of classes that are not among those to score at 0.5: B 2")
    only_b = scores_of(write("b.tsv", HEADER + "a.wav\t3\t4\tB\n"), truth, classes=("A",))
    assert said(only_b, "no detections of the classes that are scored")


def test_times_that_are_no_seconds_are_said(write: Write) -> None:
    truth = write("truth.tsv", HEADER + "a.wav\t1\t2\tA\nb.wav\t12\t13\tA\n")
    durations = write("durations.tsv", "filename\tduration\na.wav\t10\nb.wav\t10\n")
    one = write("one.tsv", HEADER + "a.wav\t1000\t2000\tA\na.wav\t9\t11\tA\n")
    found = scores_of(one, truth, durations=durations)
    where = "after the clip's end (one at"
    assert said(
        found, f"1 of 2 detections begins {where} 1000 s of a.wav, which lasts 10 s): event"
    )
    assert said(
        found, f"1 of 2 events begins {where} 12 s of b.wav, which lasts 10 s): nothing can"
    )
    assert not said(scores_of(one, truth), where)  # nothing is known of the ends


@pytest.mark.parametrize(
    ("first_s", "frame_s", "odd"),
    [(0, 1.0, False), (0, 0.95, False), (0, 1.05, False), (0, 0.5, True), (0, 2.0, True), (3, 1.0, True)],
)  # fmt: skip
def test_frames_that_do_not_fit_the_durations_are_said(
    write: Write, first_s: float, frame_s: float, odd: bool
) -> None:
    truth = write("truth.tsv", HEADER + "a.wav\t1\t2\tA\nb.wav\t\t\t\n")
    durations = write("durations.tsv", "filename\tduration\na.wav\t10\nb.wav\t10\n")
    edges = [first_s + frame_s * t for t in range(11)]
    rows = "".join(f"{a}\t{b}\t.4\n" for a, b in pairwise(edges))
    scores = score_files(write, ["a", "b"], "A", rows)
    found = scores_of(scores, truth, durations=durations)
    assert said(found, "the frames of 2 of 2 clips do not fit the durations: those of a.wav") == odd
    assert not said(scores_of(scores, truth), "do not fit")


def test_a_clip_without_events_and_durations_says_what_to_do(write: Write) -> None:
    truth = write("truth.tsv", HEADER + "a.wav\t1\t2\tA\n")
    one = write("one.tsv", HEADER + "b.wav\t1\t2\tA\n")
    unknown = "line 2: clip b.wav is not one of the 1 clips of the set"
    with pytest.raises(ValueError, match=f"{unknown}, which are those of the ground truth: a cl"):
        scores_of(one, truth)
    durations = write("durations.tsv", "filename\tduration\na.wav\t10\n")
    with pytest.raises(ValueError, match=f"{unknown} \\("):
        scores_of(one, truth, durations=durations)


def test_folders_in_other_forms_say_what_they_hold(write: Write) -> None:
    truth = write("truth.tsv", HEADER + "a.wav\t1\t2\tA\n")
    commas = write("commas/a.tsv", "onset,offset,A\n0,1,.5\n").parent
    with pytest.raises(
        ValueError, match=r"a.tsv, line 1: the only column is 'onset,offset,A': exp"
    ):
        scores_of(commas, truth)
    other = write("other/a.csv", "onset,offset,A\n0,1,.5\n").parent
    with pytest.raises(
        ValueError, match=r"other: no .tsv file in this folder; it holds a.csv and 0"
    ):
        scores_of(other, truth)


@pytest.mark.parametrize("other", ["a", "a.WAV"])
def test_two_names_of_one_clip_are_said_to_be_that(write: Write, other: str) -> None:
    truth = write("truth.tsv", HEADER + "a.wav\t1\t2\tA\n")
    one = write("one.tsv", HEADER + f"a.wav\t1\t2\tA\n{other}\t3\t4\tA\n")
    with pytest.raises(
        ValueError, match=rf"line 3: clip {other} is a.wav, which other rows call oth"
    ):
        scores_of(one, truth)
