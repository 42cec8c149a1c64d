"""`raysed score --clips --reference`: what is left, the whole set, and the same clips."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.intervals.missing_clips import controlled_estimate, whole_set_estimate
from raysed.evaluation.intervals.significance import paired_difference
from raysed.evaluation.metrics.registry import METRICS
from raysed.evaluation.score.ground_truth import read_scored_set
from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.score import score
from raysed.evaluation.score.systems import known, method_of, read_system
from raysed.evaluation.score.whole_set import whole_set
from tests.evaluation.oracles import Case, frame, random_case

LEFT = 20


@pytest.fixture(scope="module")
def case() -> Case:
    return random_case(0, n_clips=30, n_points=12)


@pytest.fixture(scope="module")
def request_for(
    case: Case, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., ScoreRequest]:
    """Files of two systems, one of which is late, and of the clips that are left."""
    folder, reference = tmp_path_factory.mktemp("whole"), case.reference
    names = list(reference.filenames)
    frame(reference.events, reference).to_csv(folder / "truth.tsv", sep="\t", index=False)
    durations = pd.DataFrame({"filename": names, "duration": reference.durations_s})
    durations.to_csv(folder / "durations.tsv", sep="\t", index=False)
    durations[:LEFT].to_csv(folder / "left.tsv", sep="\t", index=False)
    for system, late_s in (("ours", 0.1), ("theirs", 0.0)):
        (folder / system).mkdir()
        for threshold, events in case.points.items():
            table = frame(events, reference)
            table[["onset", "offset"]] += late_s
            table.to_csv(folder / system / f"{threshold}.tsv", sep="\t", index=False)

    def request(**more: Any) -> ScoreRequest:
        paths = {"predictions": "ours", "ground_truth": "truth.tsv", "durations": "durations.tsv"}
        named = paths | {
            key: more.pop(key) for key in ("clips", "reference", "versus") if key in more
        }
        files = {key: folder / name for key, name in named.items()}
        return ScoreRequest(**files, draws=200, metrics=("event_f1", "psds"), **more)

    return request


def test_what_is_left_is_scored_as_a_set_of_its_own(request_for, case: Case) -> None:
    found = score(request_for(clips="left.tsv"))
    assert (found["clips"], found["missing"]["clips"], found["missing"]["left"]) == (20, 30, 20)
    scored, _ = read_scored_set(request_for(clips="left.tsv"))
    assert scored.missing == case.reference.filenames[LEFT:]
    statistics = read_system(request_for(), request_for().predictions, scored).statistics
    for name in ("event_f1", "psds"):
        assert found[name]["value"] == METRICS[name](statistics)[0]
        estimate = whole_set_estimate(METRICS[name], statistics, 30, draws=200)
        kept = found["missing"]["estimate"][name]
        assert kept == {f: getattr(estimate, f) for f in ("value", "low", "high", "se")}
        assert kept["high"] - kept["low"] < found[name]["high"] - found[name]["low"]
    assert any("rows are passed over, of 10 clips" in line for line in found["warnings"])


def test_nothing_is_estimated_where_nothing_is_missing(request_for) -> None:
    plain = score(request_for())
    assert plain["missing"] is None
    complete = score(request_for(clips="durations.tsv"))
    assert complete == plain


def test_a_reference_controls_and_is_compared_on_the_same_clips(request_for, case: Case) -> None:
    found = score(request_for(clips="left.tsv", reference="theirs"))["missing"]
    scored, _ = read_scored_set(request_for(clips="left.tsv"))
    ours = read_system(request_for(), request_for().predictions, scored).statistics
    folder = request_for().predictions.parent
    theirs = read_system(request_for(), folder / "theirs", scored).statistics
    chosen = min(case.points, key=lambda threshold: abs(threshold - 0.5))
    whole = collect(case.reference, case.points[chosen], case.points)
    for name in ("event_f1", "psds"):
        metric = METRICS[name]
        expected = controlled_estimate(metric, ours, whole, scored.kept_N, draws=200)
        numbers = {key: known(each) for key, each in vars(expected).items() if key != "method"}
        assert found["controlled"][name] == numbers | method_of(expected.method)
        difference = paired_difference(metric, ours, theirs, draws=200, permutations=200)
        assert found["same_clips"][name]["difference"] == difference.difference
        assert found["same_clips"][name]["p"] == difference.p


def test_a_reference_without_operating_points_controls_f1_alone(
    request_for, tmp_path: Path
) -> None:
    folder = request_for().predictions.parent
    one = sorted((folder / "theirs").iterdir())[5]
    request = replace(request_for(clips="left.tsv"), reference=one)
    found = score(request)["missing"]
    assert found["controlled"]["psds"] is None is found["same_clips"]["psds"]
    assert found["controlled"]["event_f1"]["correlation"] > 0


def test_groups_widen_the_interval_and_not_the_estimate(request_for, tmp_path: Path) -> None:
    """Sources of five clips each: the interval is over six sources."""
    scored, _ = read_scored_set(request_for())
    rows = "".join(f"{name}\tg{n // 5}\n" for n, name in enumerate(scored.reference.filenames))
    (tmp_path / "groups.tsv").write_text(f"filename\tgroup\n{rows}")
    grouped = replace(request_for(versus="theirs"), groups=tmp_path / "groups.tsv")
    plain, found = score(request_for(versus="theirs")), score(grouped)
    assert found["event_f1"]["value"] == plain["event_f1"]["value"]
    for key in ("low", "high", "se", "jackknife_se"):
        assert found["event_f1"][key] != plain["event_f1"][key]
    assert found["versus"]["event_f1"]["p"] != plain["versus"]["event_f1"]["p"]
    assert found["per_class"] != plain["per_class"]
    both = replace(grouped, clips=request_for(clips="left.tsv").clips)
    assert any("draws clips, not groups" in line for line in score(both)["warnings"])


def test_every_clip_alone_is_a_group_of_its_own(request_for) -> None:
    scored, _ = read_scored_set(request_for())
    system = read_system(request_for(), request_for().predictions, scored)
    assert whole_set(request_for(), scored, system) == (None, ())
    assert system.has("psds") and scored.groups_N is None
    np.testing.assert_array_equal(scored.kept_N, True)


def test_a_single_clip_is_scored_and_nothing_is_said_of_others(tmp_path: Path) -> None:
    header = "filename\tonset\toffset\tevent_label\n"
    truth = "a.wav\t1\t2\tCat\nb.wav\t1\t2\tDog\nc.wav\t1\t2\tCat\n"
    for name, rows in (("truth", truth), ("ours", truth), ("theirs", "a.wav\t5\t6\tCat\n")):
        (tmp_path / f"{name}.tsv").write_text(header + rows)
    (tmp_path / "left.tsv").write_text("filename\na.wav\n")
    ours, truth, theirs, left = (
        tmp_path / f"{name}.tsv" for name in ("ours", "truth", "theirs", "left")
    )
    found = score(ScoreRequest(ours, truth, clips=left, versus=theirs, draws=20))
    value = found["event_f1"]
    assert (value["value"], value["low"], value["high"], value["se"]) == (1, 0, 1, None)
    assert found["per_class"]["Cat"]["event_f1"]["low"] == 0
    estimate = found["missing"]["estimate"]["event_f1"]
    assert (estimate["low"], estimate["high"], estimate["se"]) == (0, 1, None)
    assert found["versus"]["event_f1"] == {
        **{"difference": 1.0, "low": -1.0, "high": 1.0, "p": 1.0, "se": None}
    }
    lines = " ".join(found["warnings"])
    assert "a single clip (or source of clips) says nothing of others" in lines
    assert "no clip that is left has an event of Dog: values, and estimates of the whole" in lines
    groups = tmp_path / "groups.tsv"
    groups.write_text("filename\tgroup\n" + "".join(f"{n}.wav\tone\n" for n in "abc"))
    found = score(ScoreRequest(ours, truth, groups=groups, draws=20))
    assert (found["event_f1"]["low"], found["event_f1"]["high"]) == (0, 1)
