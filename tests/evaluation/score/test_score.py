"""`raysed score` as users call it: every kind of input, and what it refuses."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from raysed.cli.entry import main
from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.postprocess import THRESHOLDS
from raysed.evaluation.intervals.bootstrap import interval
from raysed.evaluation.intervals.significance import paired_difference
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.evaluation.metrics.psds import DEFINITIONS
from raysed.evaluation.metrics.registry import COUNT_METRICS, METRICS
from raysed.evaluation.metrics.threshold_free import threshold_free_psds
from raysed.evaluation.score.predictions import nearest, threshold_of
from raysed.evaluation.score.score import ScoreRequest
from raysed.evaluation.score.score import score as score_of
from tests.evaluation.metrics.test_threshold_free import scored
from tests.evaluation.oracles import Case, random_case
from tests.paths import SHARED

HEADER = "filename\tonset\toffset\tevent_label\n"
PSDS = tuple(DEFINITIONS)
BASELINE = SHARED / "data" / "dcase2020_baseline"
TRUTH_2022 = SHARED / "data" / "desed_metadata" / "validation" / "validation.tsv"

Score = Callable[..., tuple[int, str, str]]


def write(path: Path, events: Events, reference: Reference) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    events.to_frame(reference.filenames, reference.classes).to_csv(path, sep="\t", index=False)


def write_durations(path: Path, reference: Reference) -> None:
    columns = {"filename": reference.filenames, "duration": reference.durations_s}
    pd.DataFrame(columns).to_csv(path, sep="\t", index=False)


def write_scores(folder: Path, seed: int = 1) -> tuple[Reference, dict[str, float]]:
    """A set with sed_scores_eval score files; returns it with the exact PSDS values."""
    reference, scores = scored(seed, 1000)
    write(folder / "truth.tsv", reference.events, reference)
    write_durations(folder / "durations.tsv", reference)
    (folder / "scores").mkdir()
    for filename, scores_TK, edge_T1 in zip(
        reference.filenames, scores.scores_NTK, scores.edges_NT1, strict=True
    ):
        frame = pd.DataFrame(scores_TK, columns=list(reference.classes))
        frame.insert(0, "onset", edge_T1[:-1])
        frame.insert(1, "offset", edge_T1[1:])
        frame = frame[frame["offset"] > frame["onset"]]
        frame.to_csv(folder / "scores" / f"{Path(filename).stem}.tsv", sep="\t", index=False)
    exact = {name: threshold_free_psds(reference, scores, DEFINITIONS[name]) for name in PSDS}
    return reference, exact


@pytest.fixture(scope="module")
def case() -> Case:
    return random_case(0, n_clips=25, n_points=12)


@pytest.fixture
def files(case: Case, tmp_path: Path) -> Path:
    """truth.tsv, durations.tsv, one.tsv and two folders of operating points."""
    write(tmp_path / "truth.tsv", case.reference.events, case.reference)
    with (tmp_path / "truth.tsv").open("a") as table:
        table.writelines(f"{filename}\t\t\t\n" for filename in case.reference.filenames)
    write_durations(tmp_path / "durations.tsv", case.reference)
    write(tmp_path / "one.tsv", case.points[0.5409], case.reference)
    for threshold, events in case.points.items():
        write(tmp_path / "points" / f"{threshold}.tsv", events, case.reference)
        write(tmp_path / "named" / f"predictions_th_{threshold}.tsv", events, case.reference)
    return tmp_path


@pytest.fixture
def score(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Score:
    """Run the command in the folder of files: exit code, standard output, standard error."""

    def call(*arguments: str, durations: bool = True) -> tuple[int, str, str]:
        given = ["--ground-truth", "truth.tsv", "--draws", "100", *arguments]
        given += ["--durations", "durations.tsv"] if durations else []
        monkeypatch.chdir(files)
        monkeypatch.setattr(sys, "argv", ["raysed", "score", *given])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


def found(result: tuple[int, str, str]) -> dict:
    code, out, err = result
    assert code == 0, err
    (line,) = out.splitlines()
    return json.loads(line)


def test_operating_points_give_every_metric_with_its_interval(score: Score, case: Case) -> None:
    document = found(score("--predictions", "points", "--json"))
    statistics = collect(case.reference, case.points[0.4591], case.points)
    for name in COUNT_METRICS:
        metric = METRICS[name]
        expected = interval(metric, statistics, draws=100)
        for field in ("value", "low", "high", "se"):
            assert document[name][field] == pytest.approx(getattr(expected, field), abs=1e-12)
    assert document["event_f1"]["threshold"] == 0.4591  # as near to 0.5 as 0.5409, and lower
    assert (document["clips"], document["classes"]) == (25, list(case.reference.classes))
    assert document["versus"] is None
    for k, label in enumerate(case.reference.classes):
        per_class = document["per_class"][label]
        assert per_class["event_f1"]["value"] == event_f1(statistics)[1][0, k]
        assert per_class["event_f1"]["low"] < per_class["event_f1"]["high"]
        assert per_class["events"] == (case.reference.events.label_E == k).sum()


def test_names_do_not_matter_nor_do_column_order_and_extra_columns(
    score: Score, files: Path
) -> None:
    expected = found(score("--predictions", "points", "--json"))
    expected.pop("warnings")  # they name the folder
    assert expected.items() <= found(score("--predictions", "named", "--json")).items()
    for path in (files / "named").iterdir():
        frame = pd.read_csv(path, sep="\t").assign(score=0.5)
        columns = ["event_label", "score", "offset", "onset", "filename"]
        frame[columns].to_csv(path, sep="\t", index=False)
    assert expected.items() <= found(score("--predictions", "named", "--json")).items()


def test_a_single_table_has_no_psds(score: Score, case: Case) -> None:
    code, out, err = score("--predictions", "one.tsv", "--json")
    document = json.loads(out)
    assert code == 0
    assert "one operating point" in err
    assert all(document[name] is None for name in PSDS)
    assert document["event_f1"]["threshold"] is None
    statistics = collect(case.reference, case.points[0.5409])
    assert document["event_f1"]["value"] == event_f1(statistics)[0][0]


def test_without_durations_there_is_no_psds_and_every_detection_counts(
    score: Score, case: Case
) -> None:
    with_them = found(score("--predictions", "one.tsv", "--json"))
    code, out, err = score("--predictions", "points", "--threshold", "0.5409", "--json",
                           durations=False)  # fmt: skip
    document = json.loads(out)
    assert code == 0
    assert "no durations" in err
    assert all(document[name] is None for name in PSDS)
    assert document["event_f1"]["value"] == with_them["event_f1"]["value"]
    assert 0 < document["intersection_f1"]["value"] <= with_them["intersection_f1"]["value"]


def test_threshold_chooses_the_point(score: Score) -> None:
    document = found(score("--predictions", "points", "--threshold", "0.95", "--json"))
    assert document["event_f1"]["threshold"] == 0.95
    assert not any("no operating point" in warning for warning in document["warnings"])
    document = found(score("--predictions", "points", "--threshold", "0.9", "--json"))
    assert document["event_f1"]["threshold"] == 0.8682
    assert any("no operating point at 0.9;" in warning for warning in document["warnings"])
    assert nearest((0.49, 0.51), 0.5) == 0.49
    assert [threshold_of(Path(n)) for n in ("0.010.tsv", "predictions_th_0.01.tsv")] == [0.01, 0.01]


def test_score_files(score: Score, files: Path) -> None:
    reference, exact = write_scores(files)
    document = found(score("--predictions", "scores", "--json"))
    found_exact = document["all_thresholds"]
    assert {n: v["value"] for n, v in found_exact.items()} == pytest.approx(exact, abs=1e-9)
    assert all({*v} - {"method"} == {"value", "low", "high", "se"} for v in found_exact.values())
    assert all(0 <= v["low"] <= v["high"] <= 1 for v in found_exact.values())
    assert document["event_f1"]["threshold"] == 0.5
    _, scores = scored(1, 1000)
    points = {threshold: scores.decode(threshold) for threshold in THRESHOLDS}
    statistics = collect(reference, scores.decode(0.5), points)
    for name in ("event_f1", "psds", "psds2"):
        expected = METRICS[name](statistics, None)[0]
        assert document[name]["value"] == pytest.approx(expected, abs=1e-9)
    assert found(score("--predictions", "scores", "--threshold", "0.6", "--json"))["event_f1"][
        "value"
    ] == pytest.approx(event_f1(collect(reference, scores.decode(0.6)))[0][0])


def test_versus_is_paired(score: Score, case: Case) -> None:
    document = found(score("--predictions", "points", "--versus", "named", "--json"))
    assert document["versus"]["psds"] == {"difference": 0, "low": 0, "high": 0, "p": 1, "se": 0}
    document = found(score("--predictions", "one.tsv", "--versus", "points", "--json"))
    assert document["versus"]["psds"] is None
    assert any("PSDS is not compared" in warning for warning in document["warnings"])
    a, b = (collect(case.reference, case.points[t]) for t in (0.5409, 0.4591))
    expected = paired_difference(METRICS["event_f1"], a, b, draws=100, permutations=100)
    for field in ("difference", "low", "high", "p"):
        assert document["versus"]["event_f1"][field] == getattr(expected, field)


def test_seed_and_draws_are_used(score: Score) -> None:
    lows = [
        found(score("--predictions", "one.tsv", "--json", *more))["event_f1"]["low"]
        for more in ((), ("--seed", "1"), ("--draws", "150"), ())
    ]
    assert lows[0] == lows[3]
    assert len(set(lows)) == 3


def test_tables_are_readable(score: Score, case: Case) -> None:
    code, out, err = score("--predictions", "points", "--versus", "one.tsv")
    assert code == 0
    document = found(score("--predictions", "points", "--json"))
    value = document["event_f1"]
    assert f"{value['value']:.4f}" in out
    assert f"[{value['low']:.4f}, {value['high']:.4f}]" in out
    assert all(label in out for label in case.reference.classes)
    assert "PSDS2" in out
    assert "warning" not in out
    assert "warning: " in err


def overlapping_truth(files: Path, case: Case) -> None:
    first = case.reference.events
    name, label = (
        case.reference.filenames[first.clip_E[0]],
        case.reference.classes[first.label_E[0]],
    )
    middle = (first.onset_E[0] + first.offset_E[0]) / 2
    with (files / "truth.tsv").open("a") as table:
        table.write(f"{name}\t{middle}\t{first.offset_E[0] + 0.001}\t{label}\n")


def test_overlapping_truth_is_refused_merged_or_kept(score: Score, files: Path, case: Case) -> None:
    overlapping_truth(files, case)
    lines = len((files / "truth.tsv").read_text().splitlines())
    code, out, err = score("--predictions", "points", "--json")
    assert (code, out) == (2, "")
    assert f"truth.tsv, line {lines}: " in err
    assert "--overlaps merge" in err
    events = {}
    for way in ("merge", "keep"):
        document = found(score("--predictions", "points", "--overlaps", way, "--json"))
        assert f"line {lines}" in document["warnings"][0]
        events[way] = sum(values["events"] for values in document["per_class"].values())
    assert events == {"merge": len(case.reference.events), "keep": len(case.reference.events) + 1}
    code, _, err = score("--predictions", "points", "--overlaps", "drop")
    assert code == 2
    assert "drop" in err and "merge" in err


def test_overlapping_detections_are_counted_and_said(score: Score, files: Path) -> None:
    row = "clip0001.wav\t{}\t{}\tclass0\n"
    (files / "one.tsv").write_text(HEADER + row.format(1, 2) + row.format(2, 3) + row.format(1, 2))
    document = found(score("--predictions", "one.tsv", "--json"))
    assert any("1 detections overlap" in warning for warning in document["warnings"])


def test_a_system_without_detections_scores_zero_and_is_named(score: Score, files: Path) -> None:
    (files / "one.tsv").write_text(HEADER)
    document = found(score("--predictions", "one.tsv", "--json"))
    assert document["event_f1"]["value"] == 0
    assert any("one.tsv: no detections" in warning for warning in document["warnings"])


BAD_ROWS = [
    ("clip0001.wav\t2\t1\tclass0", "offset before its onset"),
    ("clip0001.wav\t-0.1\t2\tclass0", "an onset before 0 s"),
    ("clip0001.wav\t1\t2\tclass0 ", "the event_label 'class0 ' begins or ends with a blank"),
    ("elsewhere.wav\t1\t2\tclass0", "elsewhere.wav is not one of the 25 clips"),
    ("elsewhere.wav\t\t\t", "elsewhere.wav is not one of the 25 clips"),
    ("clip0001.wav,1,2,class0", "separated by tabs"),
    ("clip0001.wav;1;2;class0", "separated by tabs"),
    ("clip0001.wav 1.0 2.0 class0", "separated by tabs"),
    ("clip0001.wav\tnan\t2\tclass0", "onset that is no number"),
    ("clip0001.wav\t1\tinf\tclass0", "finite seconds"),
    ("clip0001.wav\t1\t2\t", "some but not all"),
    ("\t1\t2\tclass0", "no filename"),
]


@pytest.mark.parametrize(("row", "message"), BAD_ROWS)
def test_bad_rows_are_refused_with_file_and_line(
    score: Score, files: Path, row: str, message: str
) -> None:
    path = files / "points" / "0.4591.tsv"
    path.write_text(path.read_text() + row + "\n")
    line = len(path.read_text().splitlines())
    code, out, err = score("--predictions", "points", "--json")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert f"0.4591.tsv, line {line}: " in err
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("one.tsv", "", "one.tsv, line 1: expected the tab-separated columns"),
        ("one.tsv", "filename,onset,offset,event_label\nclip0001.wav,1,2,class0\n", "line 1: exp"),
        ("one.tsv", HEADER + "clip0001.wav\t1\t2\tclass0\tx\n", "line 2: more fields"),
        ("one.tsv", "filename\tonset\tevent_label\n", "line 1: expected the tab-separated columns"),
        ("truth.tsv", HEADER, "truth.tsv: no events"),
        ("truth.tsv", HEADER + "clip0001.wav\t2\t1\tclass0\n", "truth.tsv, line 2"),
        ("truth.tsv", HEADER + "clip0001.wav,1,2,Cat\n", "truth.tsv, line 2"),
        ("durations.tsv", "filename\tduration\nclip0001.wav\t0\n", "durations.tsv, line 2"),
        ("durations.tsv", "filename\tduration\nclip0001.wav\tnan\n", "durations.tsv, line 2"),
        ("durations.tsv", "filename\tseconds\n", "durations.tsv, line 1"),
    ],
)
def test_bad_files_are_refused(
    score: Score, files: Path, name: str, text: str, message: str
) -> None:
    (files / name).write_text(text)
    code, out, err = score("--predictions", "one.tsv", "--json")
    assert (code, out) == (2, "")
    assert message in err


def test_a_clip_without_duration_is_named(score: Score, files: Path) -> None:
    lines = (files / "durations.tsv").read_text().splitlines()
    (files / "durations.tsv").write_text("\n".join(lines[:3] + lines[4:]) + "\n")
    gone = lines[3].split("\t")[0]
    first = next(
        n for n, row in enumerate((files / "truth.tsv").read_text().splitlines(), 1) if gone in row
    )
    code, _, err = score("--predictions", "one.tsv")
    assert code == 2
    assert f"truth.tsv, line {first}: clip {gone} has no duration in durations.tsv" in err


def test_folders_that_do_not_say_their_thresholds_are_refused(score: Score, files: Path) -> None:
    (files / "points" / "best.tsv").write_text(HEADER)
    code, _, err = score("--predictions", "points")
    assert (code, "points/best.tsv: no threshold in the name" in err) == (2, True)
    (files / "points" / "best.tsv").rename(files / "points" / "0.950.tsv")
    code, _, err = score("--predictions", "points")
    assert (code, "threshold 0.95 again, as in 0.95.tsv" in err) == (2, True)
    (files / "empty").mkdir()
    code, _, err = score("--predictions", "empty")
    assert (code, "no .tsv file" in err) == (2, True)
    assert score("--predictions", "nowhere")[0] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("class2", "Owl", 1), "line 1: .*unknown ..Owl"),
        (lambda text: text.replace("\n0.2\t", "\n0.3\t", 1), "line 3: .*does not begin where"),
        (lambda text: text.replace("\n0.2\t0.4\t", "\n0.2\t0.4\tinf\t", 1), "line 3: more fields"),
        (
            lambda text: re.sub(r"\n0.2\t0.4\t[^\t]*", "\n0.2\t0.4\tinf", text, count=1),
            "line 3: a score th",
        ),
        (
            lambda text: re.sub(r"\n0.2\t0.4\t[^\t]*", "\n0.2\t0.4\tnan", text, count=1),
            "line 3: a score th",
        ),
        (lambda text: text.splitlines()[0] + "\n", "line 2: a clip without frames"),
        (lambda text: "", "line 1: expected the tab-separated columns onset, offset"),
    ],
)
def test_bad_score_files_are_refused(
    score: Score, files: Path, change: Callable[[str], str], message: str
) -> None:
    write_scores(files)
    path = files / "scores" / "clip0003.tsv"
    path.write_text(change(path.read_text()))
    code, _, err = score("--predictions", "scores")
    assert code == 2
    assert "scores/clip0003.tsv" in err
    assert re.search(message, err)


def test_score_files_must_be_those_of_the_clips(score: Score, files: Path) -> None:
    write_scores(files)
    path = files / "scores" / "clip0003.tsv"
    path.rename(files / "scores" / "other.tsv")
    code, _, err = score("--predictions", "scores")
    assert (code, "scores/other.tsv: other is not one of the 8 clips" in err) == (2, True)
    (files / "scores" / "other.tsv").unlink()
    code, _, err = score("--predictions", "scores")
    assert (code, "no scores for clip clip0003" in err) == (2, True)


@pytest.mark.slow
@pytest.mark.skipif(not BASELINE.exists(), reason="the baseline's predictions are not here")
def test_the_published_baseline(score: Score) -> None:
    """Reference figures of the 2022 ground truth."""
    given = ("--ground-truth", str(TRUTH_2022), "--durations", str(BASELINE / "durations.tsv"))
    document = found(
        score("--predictions", str(BASELINE / "predictions"), *given, "--json", durations=False)
    )
    expected = {"event_f1": 0.340021, "psds": 0.514140, "psds_2020": 0.521947}
    assert {name: document[name]["value"] for name in expected} == pytest.approx(expected, abs=5e-7)
    assert (document["clips"], document["event_f1"]["threshold"]) == (1168, 0.49)
    default = str(BASELINE / "predictions_default_threshold.tsv")
    document = found(score("--predictions", default, *given, "--json", durations=False))
    assert document["event_f1"]["value"] == pytest.approx(0.342019, abs=5e-7)
    assert document["intersection_f1"]["value"] == pytest.approx(0.593891, abs=5e-7)


def test_every_metric_of_the_document_is_a_number_or_null(score: Score) -> None:
    document = found(score("--predictions", "points", "--json"))
    for name in COUNT_METRICS:
        assert all(np.isfinite(document[name][field]) for field in ("value", "low", "high", "se"))


def test_psds_of_classes_where_it_is_named(score: Score) -> None:
    """The classes' own curves; by itself `raysed score` lists their F1 scores only."""
    named = found(score("--predictions", "points", "--metrics", "psds,event_f1", "--json"))
    plain = found(score("--predictions", "points", "--json"))
    for label, values in named["per_class"].items():
        assert set(values) == {"events", "event_f1", "psds"}
        assert values["event_f1"] == plain["per_class"][label]["event_f1"]
        assert "psds" not in plain["per_class"][label]
        assert values["psds"]["low"] <= values["psds"]["value"] <= values["psds"]["high"]
    mean = np.mean([values["psds"]["value"] for values in named["per_class"].values()])
    assert mean == pytest.approx(named["psds"]["value"], abs=1e-12)


@pytest.mark.slow
def test_metrics_over_all_thresholds_by_name(tmp_path: Path) -> None:
    """Values, classes and paired differences of named metrics; nothing else is computed."""
    reference, exact = write_scores(tmp_path)
    shutil.copytree(tmp_path / "scores", tmp_path / "others")
    asked = ("psds1_all", "best_event_f1", "event_f1")
    request = ScoreRequest(
        tmp_path / "scores",
        tmp_path / "truth.tsv",
        tmp_path / "durations.tsv",
        versus=tmp_path / "others",
        draws=50,
        metrics=asked,
    )
    document = score_of(request)
    assert document["psds1_all"]["value"] == pytest.approx(exact["psds1"], abs=1e-9)
    assert "psds" not in document and document["all_thresholds"] is None
    per_class = document["per_class"][reference.classes[0]]
    assert set(per_class) == {"events", *asked}
    assert per_class["best_event_f1"]["value"] >= per_class["event_f1"]["value"]
    assert set(document["versus"]) == set(asked)
    assert document["versus"]["psds1_all"]["difference"] == 0


def test_operating_points_have_no_value_over_all_thresholds(files: Path) -> None:
    with pytest.raises(
        ValueError, match=r"points: psds_all, best_event_f1 need the score of every"
    ):
        score_of(
            ScoreRequest(
                files / "points",
                files / "truth.tsv",
                files / "durations.tsv",
                metrics=("event_f1", "psds_all", "best_event_f1"),
            )
        )
