"""Many systems in a folder: ranked, compared, and refused with what to do."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from raysed.evaluation.metrics.registry import METRICS
from raysed.evaluation.score.ranking import score_systems
from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.score import score
from tests.evaluation.oracles import frame, random_case


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three systems: operating points, the same 0.3 s late, and one TSV."""
    case = random_case(0, n_clips=25, n_points=4)
    reference = case.reference
    frame(reference.events, reference).to_csv(tmp_path / "truth.tsv", sep="\t", index=False)
    columns = {"filename": reference.filenames, "duration": reference.durations_s}
    pd.DataFrame(columns).to_csv(tmp_path / "durations.tsv", sep="\t", index=False)
    for name, late_s in (("good", 0.0), ("late", 0.3)):
        (tmp_path / "systems" / name).mkdir(parents=True)
        for threshold, events in case.points.items():
            table = frame(events, reference)
            table[["onset", "offset"]] += late_s
            table.to_csv(tmp_path / "systems" / name / f"{threshold}.tsv", sep="\t", index=False)
    one = frame(list(case.points.values())[3], reference)
    one.to_csv(tmp_path / "systems" / "alone.tsv", sep="\t", index=False)
    (tmp_path / "systems" / ".hidden.tsv").write_text("not read")
    return tmp_path


@pytest.fixture
def ask(folder: Path) -> Callable[..., dict[str, Any]]:
    def answer(**more: Any) -> dict[str, Any]:
        about = {"durations": folder / "durations.tsv", "systems": folder / "systems"} | more
        request = ScoreRequest(
            None, folder / "truth.tsv", draws=200, metrics=("event_f1", "psds"), **about
        )
        return score_systems(request)

    return answer


def test_values_are_those_of_each_system_alone(folder: Path, ask: Callable) -> None:
    found = ask()
    assert list(found["systems"]) == ["alone", "good", "late"]
    alone = ScoreRequest(
        folder / "systems" / "late", folder / "truth.tsv", folder / "durations.tsv", draws=200
    )
    expected = score(alone)
    for metric in ("event_f1", "psds"):
        ranking = {row["system"]: row for row in found["metrics"][metric]["ranking"]}
        for key in ("value", "low", "high", "se"):
            assert ranking["late"][key] == expected[metric][key]
    for label, values in found["per_class"]["event_f1"].items():
        assert values["late"] == expected["per_class"][label]["event_f1"]


def test_the_ranking_goes_from_the_best_and_has_all_pairs(ask: Callable) -> None:
    found = ask()["metrics"]
    values = [row["value"] for row in found["event_f1"]["ranking"]]
    assert values == sorted(values, reverse=True)
    assert [row["rank"] for row in found["event_f1"]["ranking"]] == [1, 2, 3]
    assert len(found["event_f1"]["differences"]) == 3
    assert all(row["difference"] >= 0 for row in found["event_f1"]["differences"])
    assert {row["system"] for row in found["psds"]["ranking"]} == {"good", "late"}


def test_other_operating_points_have_no_psds(folder: Path, ask: Callable) -> None:
    points = sorted((folder / "systems" / "late").iterdir())
    points[0].unlink()
    found = ask()
    assert found["metrics"]["psds"] is None
    assert any("late: other operating points than most" in line for line in found["warnings"])


def test_all_are_scored_on_the_clips_that_are_left(folder: Path, ask: Callable) -> None:
    durations = pd.read_csv(folder / "durations.tsv", sep="\t")
    durations[:15].to_csv(folder / "left.tsv", sep="\t", index=False)
    found = ask(clips=folder / "left.tsv")
    assert found["clips"] == 15
    assert METRICS.keys() >= found["metrics"].keys()


def test_folders_without_systems_are_refused(folder: Path, ask: Callable) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: 0 systems; expected at least two TSVs or folders"):
        ask(systems=folder / "empty")
    with pytest.raises(ValueError, match="called like the operating points of one system"):
        ask(systems=folder / "systems" / "good")
    (folder / "systems" / "good.tsv").write_text("")
    with pytest.raises(ValueError, match="a TSV and a folder are both called good; rename one"):
        ask()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"versus": Path("v")},
            "--systems compares all systems of its folder; put that of --versus",
        ),
        ({"engine": "sed_eval"}, "--engine confirms one system"),
        ({"predictions": Path("p")}, "give either --predictions, one system, or --systems"),
    ],
)
def test_options_that_do_not_go_together(more: dict[str, Any], message: str) -> None:
    request = ScoreRequest(None, Path("t"), systems=Path("s"))
    with pytest.raises(ValueError, match=message):
        replace(request, **more)


def test_a_metric_that_is_undefined_ranks_nobody(tmp_path: Path) -> None:
    """A class that sounds all the time has no negative segment, so that there is no ROC curve."""
    (tmp_path / "truth.tsv").write_text(
        "filename\tonset\toffset\tevent_label\na\t0\t2\tA\nb\t0\t2\tA\n"
    )
    (tmp_path / "durations.tsv").write_text("filename\tduration\na\t2\nb\t2\n")
    for system in ("one", "two"):
        (tmp_path / "systems" / system).mkdir(parents=True)
        for clip in "ab":
            text = "onset\toffset\tA\n0\t1\t.2\n1\t2\t.4\n"
            (tmp_path / "systems" / system / f"{clip}.tsv").write_text(text)
    about = {"durations": tmp_path / "durations.tsv", "metrics": ("segment_mpauc",), "draws": 20}
    both = ScoreRequest(None, tmp_path / "truth.tsv", systems=tmp_path / "systems", **about)
    assert score_systems(both)["metrics"]["segment_mpauc"] is None
    one, two = (tmp_path / "systems" / name for name in ("one", "two"))
    found = score(ScoreRequest(one, tmp_path / "truth.tsv", versus=two, **about))
    assert found["segment_mpauc"]["value"] is None
    assert found["versus"] == {"segment_mpauc": None}  # and not a p value of nothing
